"""Annotations as written to types as meant: strings, ``Annotated``, ``Optional``, ``NewType`` and ``type`` aliases.

Every reader of annotations (parameters, bodies, results) starts from ``peel``, so that ``UserId | None`` with
``UserId = NewType(...)`` or ``type UserId = Annotated[int, Meta(ge=1)]`` means the same everywhere.
"""

from __future__ import annotations

import functools
import operator
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

import msgspec

from django_bolt import params

_MARKER_FUNCTIONS: frozenset[Any] = frozenset(
    (params.Query, params.Path, params.Header, params.Cookie, params.Body, params.Form, params.File, params.Depends)
)

_ABSENT: frozenset[Any] = frozenset((type(None), msgspec.UnsetType))


@dataclass(frozen=True, slots=True)
class Peeled:
    """An annotation taken apart; ``core`` is what is left inside the wrappers, ``Any`` for no annotation."""

    core: Any
    metas: tuple[msgspec.Meta, ...] = ()
    markers: tuple[params.Param | params.Depends, ...] = ()
    optional: bool = False

    def rebuilt(self, extra: Mapping[str, Any] | None = None) -> Any:
        """The type msgspec checks: the core with every constraint, and ``None`` when it was optional."""
        checked = self.required_type(extra)
        return checked | None if self.optional else checked

    def required_type(self, extra: Mapping[str, Any] | None = None) -> Any:
        """Like ``rebuilt`` without ``None``. ``extra`` are more ``msgspec.Meta`` arguments."""
        metas = (*self.metas, msgspec.Meta(**extra)) if extra else self.metas
        checked = self.core
        for meta in metas:
            checked = Annotated[checked, meta]
        return checked


def peel(annotation: Any) -> Peeled:
    """Take the wrappers off. Raises TypeError for a marker that was not called (``Query`` in place of ``Query()``)."""
    metas: list[msgspec.Meta] = []
    markers: list[params.Param | params.Depends] = []
    optional = False
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *metadata = get_args(annotation)
            metas[:0] = [item for item in metadata if isinstance(item, msgspec.Meta)]
            markers[:0] = [item for item in metadata if is_marker(item)]
        elif (target := _alias_target(annotation)) is not None:
            annotation = target
        elif is_union(annotation) and _ABSENT.intersection(get_args(annotation)):
            optional = optional or type(None) in get_args(annotation)
            annotation = functools.reduce(operator.or_, (m for m in get_args(annotation) if m not in _ABSENT))
        else:
            return Peeled(annotation, tuple(metas), tuple(markers), optional)


def is_marker(item: object) -> TypeGuard[params.Param | params.Depends]:
    """True for ``Query()`` and its siblings. Raises TypeError for the uncalled function."""
    if isinstance(item, types.FunctionType | type) and item in _MARKER_FUNCTIONS:
        raise TypeError(f"the marker {item.__name__} is not called; write {item.__name__}()")
    return isinstance(item, params.Param | params.Depends)


def is_union(annotation: Any) -> bool:
    """True for ``Union[A, B]`` and ``A | B``."""
    return get_origin(annotation) in (Union, types.UnionType)


def is_struct_like(core: Any) -> bool:
    """True for a msgspec Struct or dataclass, generic or not: what is a JSON object with declared fields."""
    cls = get_origin(core) or core
    return isinstance(cls, type) and (issubclass(cls, msgspec.Struct) or is_dataclass(cls))


def struct_like_members(core: Any) -> tuple[Any, ...]:
    """The declared objects an annotation's core may be: itself, or all members of a union of them; else empty."""
    members = tuple(peel(member).core for member in get_args(core)) if is_union(core) else (core,)
    return members if all(is_struct_like(member) for member in members) else ()


def _alias_target(annotation: Any) -> Any:
    """What a NewType or (generic) ``type`` alias stands for; None for everything else."""
    if isinstance(annotation, typing.NewType):
        return annotation.__supertype__
    origin = get_origin(annotation)
    # TypeAliasType is typing's from 3.12 on and typing_extensions' before; both carry __value__.
    if type(annotation).__name__ == "TypeAliasType":
        return annotation.__value__
    if type(origin).__name__ == "TypeAliasType":
        return origin.__value__[get_args(annotation)]
    return None


def resolve_hints(function: Callable[..., Any], local_names: Mapping[str, Any]) -> dict[str, Any]:
    """The evaluated annotations of a function, ``return`` included.

    ``local_names`` are the names visible where the function was defined, for string annotations that name them.
    Raises NameError or TypeError naming the parameter for an annotation that cannot be evaluated.
    """
    try:
        return typing.get_type_hints(function, localns=dict(local_names) or None, include_extras=True)
    except Exception as exc:
        raise _located(function, local_names, exc) from exc


def _located(function: Callable[..., Any], local_names: Mapping[str, Any], exc: Exception) -> Exception:
    """The same failure, told with the parameter it belongs to and the fix."""
    annotations: dict[str, Any] = getattr(function, "__annotations__", {})
    for name, annotation in annotations.items():
        probe = types.FunctionType((lambda: None).__code__, getattr(function, "__globals__", {}))
        probe.__annotations__ = {name: annotation}
        try:
            typing.get_type_hints(probe, localns=dict(local_names) or None, include_extras=True)
        except Exception as cause:
            where = "return annotation" if name == "return" else f"parameter {name!r}"
            fix = "import it at run time (not under TYPE_CHECKING) and define it before the handler"
            kind = NameError if isinstance(cause, NameError) else TypeError
            return kind(f"{where}: cannot evaluate the annotation {annotation!r}: {cause}; {fix}")
    return exc
