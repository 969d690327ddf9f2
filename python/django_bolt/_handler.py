"""What is known about a handler before its path is: parameters, evaluated annotations, whether it is async."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

from django_bolt._annotations import resolve_hints


@dataclass(frozen=True, slots=True)
class Handler:
    """A function to be registered. ``name`` is ``module.qualname``, used in every message."""

    function: Callable[..., Any]
    name: str
    is_async: bool
    parameters: tuple[inspect.Parameter, ...]
    hints: Mapping[str, Any]

    def refuse(self, kind: type[Exception], parameter: str, problem: str) -> Exception:
        """An exception that says which handler and parameter are wrong, and why."""
        return kind(f"{self.name}: parameter {parameter!r}: {problem}")


def inspect_handler(function: Callable[..., Any], frame: FrameType | None) -> Handler:
    """Look at a handler once. ``frame`` is where it is being decorated: its names serve string annotations.

    Raises TypeError for something that is not callable or has no readable signature, for ``*args`` and ``**kwargs``,
    and NameError for an annotation that cannot be evaluated.
    """
    if not callable(function):
        raise TypeError(f"a route handler must be a function, got {function!r}")
    name = handler_name(function)
    try:
        parameters = tuple(inspect.signature(function).parameters.values())
    except ValueError as exc:
        raise TypeError(f"{name}: the signature cannot be read ({exc}); wrap it in a def") from exc
    source = _annotated_function(function)
    try:
        hints = resolve_hints(source, _local_names(source, frame))
    except (NameError, TypeError) as exc:
        raise type(exc)(f"{name}: {exc}") from exc
    handler = Handler(function, name, _is_async(function, source), parameters, hints)
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            problem = f"{stars}{parameter.name} has no declared source; name each parameter, or read request.query"
            raise handler.refuse(TypeError, parameter.name, problem)
    return handler


def handler_name(function: Callable[..., Any]) -> str:
    """``module.qualname`` of a function, or of the class of a callable object."""
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def _annotated_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """The object that carries the annotations: the innermost wrapped function, or ``__call__`` of an object."""
    inner: Callable[..., Any] = inspect.unwrap(function)
    while hasattr(inner, "func") and hasattr(inner, "keywords"):  # functools.partial
        inner = inspect.unwrap(inner.func)
    if inspect.isroutine(inner):
        return inner
    call: Callable[..., Any] = type(inner).__call__
    return call


def _is_async(function: Callable[..., Any], source: Callable[..., Any]) -> bool:
    """Also true for a plain wrapper around an async function: it returns that function's coroutine."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(source)


def _local_names(function: Callable[..., Any], frame: FrameType | None) -> dict[str, Any]:
    """Names of the enclosing function, seen by string annotations of a handler defined inside it."""
    names: dict[str, Any] = {}
    if frame is not None and frame.f_locals is not frame.f_globals:
        names.update(frame.f_locals)
    if inspect.isfunction(function):
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                names[name] = cell.cell_contents
            except ValueError:  # not assigned yet: the handler refers to itself
                continue
    return names
