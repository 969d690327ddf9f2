"""Password hashing burns CPU for a tenth of a second by design: in a worker it goes to a thread."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import sys
from collections.abc import Callable
from typing import Any

from django.contrib.auth import hashers

from django_bolt import _core


def _in_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not _core.in_worker():
            return function(*args, **kwargs)
        context = contextvars.copy_context()
        bound = functools.partial(context.run, function, *args, **kwargs)
        return _core.wait(asyncio.get_running_loop().run_in_executor(None, bound))

    return call


async def _acheck_password(
    password: str | None,
    encoded: str,
    setter: Callable[[str | None], Any] | None = None,
    preferred: str = "default",
) -> bool:
    """Django's own, but hashing off the loop."""
    is_correct, must_update = await _core.spawn(hashers.verify_password, password, encoded, preferred=preferred)
    if setter and is_correct and must_update:
        await setter(password)
    return bool(is_correct)


def _replace_everywhere(name: str, replacement: Callable[..., Any]) -> None:
    """Also in the modules that imported the function by name, Django's and the project's."""
    original = getattr(hashers, name)
    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get(name) is original:
            setattr(module, name, replacement)


def install() -> None:
    for name in ("verify_password", "make_password"):
        _replace_everywhere(name, _in_thread(getattr(hashers, name)))
    _replace_everywhere("acheck_password", _acheck_password)
