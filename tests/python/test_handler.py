"""What inspect_handler finds out, for every kind of callable."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from django_bolt._handler import handler_name, inspect_handler


async def plain(a: int, *, b: str = "x") -> dict[str, int]: ...


def sync(a: int) -> None: ...


@functools.wraps(plain)
def wrapped(*args: Any, **kwargs: Any) -> Any:
    return plain(*args, **kwargs)


class CallableObject:
    async def __call__(self, a: int) -> str: ...


@pytest.mark.parametrize(
    ("function", "names", "is_async"),
    [
        (plain, ["a", "b"], True),
        (sync, ["a"], False),
        (wrapped, ["a", "b"], True),
        (functools.partial(plain, b="y"), ["a", "b"], True),
        (CallableObject(), ["a"], True),
        (CallableObject().__call__, ["a"], True),
    ],
)
def test_inspect(function: Callable[..., Any], names: list[str], is_async: bool) -> None:
    handler = inspect_handler(function, None)
    assert [parameter.name for parameter in handler.parameters] == names
    assert handler.is_async is is_async
    assert handler.hints["a"] is int
    assert handler.function is function


def test_names() -> None:
    assert inspect_handler(plain, None).name == f"{__name__}.plain"
    assert handler_name(CallableObject()) == f"{__name__}.CallableObject"
    assert "partial" in handler_name(functools.partial(plain))


def test_annotations_of_an_enclosing_function() -> None:
    class Local(msgspec.Struct):
        a: int

    def handler(item: Local) -> None:
        handler(item)  # the cell of its own name is empty while it is being decorated

    assert inspect_handler(handler, sys._getframe()).hints["item"] is Local


def test_closure_of_an_outer_function() -> None:
    def outer(kind: type) -> Callable[..., Any]:
        def handler(item: kind) -> Any:  # type: ignore[valid-type]
            return kind(item)

        return handler

    assert inspect_handler(outer(bytes), None).hints["item"] is bytes


@pytest.mark.parametrize(
    ("function", "kind", "text"),
    [
        (5, TypeError, "must be a function"),
        (lambda *args: None, TypeError, r"parameter 'args': \*args has no declared source"),
        (lambda **extra: None, TypeError, r"parameter 'extra': \*\*extra has no declared source"),
        (dict, TypeError, "signature cannot be read"),
    ],
)
def test_refused(function: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        inspect_handler(function, None)


def test_refusal_names_the_handler() -> None:
    def handler(a: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(NameError, match=r"handler: parameter 'a'"):
        inspect_handler(handler, None)
