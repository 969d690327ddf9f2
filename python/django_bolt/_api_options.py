"""The constructor options of BoltAPI, checked. Some only take effect in later versions; all are refused when wrong."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


def check_middleware(middleware: Sequence[Any] | None) -> list[Any]:
    """The list of middleware classes and dict configurations. Raises TypeError for anything else."""
    if middleware is None:
        return []
    if not isinstance(middleware, list | tuple):
        raise TypeError(f"middleware must be a list of middleware classes, got {middleware!r}")
    for item in middleware:
        if isinstance(item, type | Mapping):
            continue
        if inspect.isroutine(item):
            raise TypeError(f"middleware {item!r} is a function; pass a class that takes get_response")
        raise TypeError(f"middleware {item!r} is an instance; pass the class {type(item).__name__} itself")
    return list(middleware)


def check_django_middleware(choice: bool | Sequence[str] | Mapping[str, Sequence[str]] | None) -> list[str]:
    """The dotted paths of the Django middleware chosen. Raises TypeError for another form, ImportError for a path that
    names nothing, ValueError for keys other than include and exclude."""
    if choice is None or choice is False:
        return []
    if choice is True:
        paths = list(settings.MIDDLEWARE)
    elif isinstance(choice, Mapping):
        paths = _filtered(settings.MIDDLEWARE, choice)
    elif isinstance(choice, list | tuple) and all(isinstance(path, str) for path in choice):
        paths = list(choice)
    else:
        raise TypeError(f"django_middleware must be a bool, a list of dotted paths or a dict, got {choice!r}")
    for path in paths:
        import_string(path)
    return paths


def _filtered(paths: Sequence[str], choice: Mapping[str, Sequence[str]]) -> list[str]:
    unknown = sorted(set(choice) - {"include", "exclude"})
    if unknown:
        raise ValueError(f"django_middleware knows the keys include and exclude, got {unknown}")
    included = [path for path in paths if "include" not in choice or path in choice["include"]]
    return [path for path in included if path not in choice.get("exclude", ())]


def check_error_formatter(formatter: Any) -> Any:
    """The formatter. Raises TypeError for one that is not callable or is async."""
    if formatter is None:
        return None
    if not callable(formatter):
        raise TypeError(f"error_formatter must be callable as (BoltError, request), got {formatter!r}")
    if inspect.iscoroutinefunction(formatter) or inspect.iscoroutinefunction(type(formatter).__call__):
        raise TypeError(f"error_formatter {formatter!r} is async; it must be a plain function")
    return formatter


def check_flag(name: str, value: Any, *, optional: bool = False) -> Any:
    """The value. Raises TypeError unless it is a bool (or None, if optional)."""
    if isinstance(value, bool) or (optional and value is None):
        return value
    raise TypeError(f"{name} must be True{', False or None' if optional else ' or False'}, got {value!r}")


def check_text(name: str, value: Any) -> str:
    """The value. Raises TypeError unless it is a str."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, got {value!r}")
    return value


def check_configuration(name: str, value: Any, *, can_be_off: bool) -> Any:
    """A configuration object, None for the default, False for none where that is allowed. Raises TypeError."""
    if value is None or (can_be_off and value is False):
        return value
    if isinstance(value, bool | str | int | float | list | tuple):
        raise TypeError(
            f"{name} must be a configuration object{', False' if can_be_off else ''} or None, got {value!r}"
        )
    return value


def check_lifespan(lifespan: Any) -> Any:
    """The factory. Raises TypeError for one that is not callable."""
    if lifespan is not None and not callable(lifespan):
        raise TypeError(f"lifespan must be callable as lifespan(api) -> async context manager, got {lifespan!r}")
    return lifespan
