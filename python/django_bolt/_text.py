"""How a value that arrives as text (path, query, header, cookie, form) becomes the declared type.

C converts the kinds of ``_plan.Kind`` by itself. What it does not know stays text and is finished by ``check``, which
also enforces constraints.
"""

from __future__ import annotations

import collections.abc
import datetime
import decimal
import enum
import typing
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from django_bolt._annotations import Peeled, peel
from django_bolt._decode import converter
from django_bolt._plan import Container, Kind

_KINDS: dict[Any, Kind] = {
    str: Kind.STR,
    int: Kind.INT,
    float: Kind.FLOAT,
    bool: Kind.BOOL,
    bytes: Kind.BYTES,
    uuid.UUID: Kind.UUID,
    datetime.datetime: Kind.DATETIME,
    datetime.date: Kind.DATE,
    datetime.time: Kind.TIME,
    decimal.Decimal: Kind.DECIMAL,
}
_UNTYPED: tuple[Any, ...] = (Any, object)
_CONTAINERS: dict[Any, Container] = {
    list: Container.LIST,
    collections.abc.Sequence: Container.LIST,
    collections.abc.MutableSequence: Container.LIST,
    collections.abc.Collection: Container.LIST,
    collections.abc.Iterable: Container.LIST,
    set: Container.SET,
    collections.abc.MutableSet: Container.SET,
    frozenset: Container.FROZENSET,
    collections.abc.Set: Container.FROZENSET,
    tuple: Container.TUPLE,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """The conversion of one declared type; the fields are those of ``ParamSpec``."""

    kind: Kind
    container: Container = Container.NONE
    choices: Mapping[str, Any] | None = None
    check: Callable[[Any], Any] | None = None


def read_text(peeled: Peeled, constraints: Mapping[str, Any]) -> Reading:
    """Compile the conversion. Raises TypeError for constraints that do not apply to the type."""
    container = _container_of(peeled.core)
    items = _items_of(peeled.core) if container else (peeled,)
    known = [_kind_of(item.core) for item in items]
    same = all(reading == known[0] for reading in known)
    kind, choices, exact = known[0] if same else (Kind.STR, None, False)
    limited = bool(constraints) or bool(peeled.metas) or any(item.metas for item in items)
    arguments = get_args(peeled.core)
    fixed_length = container is Container.TUPLE and bool(arguments) and Ellipsis not in arguments
    check = None
    if limited or not exact or fixed_length:
        check = converter(peeled.required_type(constraints), strict=False)
    return Reading(kind, container, choices, check)


def shortest_length(core: Any) -> int:
    """How many items a declared sequence holds at least: the length of a fixed tuple, else 1."""
    arguments = get_args(core)
    return len(arguments) if get_origin(core) is tuple and Ellipsis not in arguments else 1


def _container_of(core: Any) -> Container:
    return _CONTAINERS.get(get_origin(core) or core, Container.NONE)


def _items_of(core: Any) -> tuple[Peeled, ...]:
    """The declared item types of a sequence, text when it declares none."""
    arguments = tuple(item for item in get_args(core) if item is not Ellipsis)
    return tuple(peel(item) for item in arguments) or (Peeled(str),)


def _kind_of(core: Any) -> tuple[Kind, Mapping[str, Any] | None, bool]:
    """(kind, choices, whether C's value needs no further conversion)."""
    if core in _KINDS:
        return _KINDS[core], None, True
    if core in _UNTYPED:
        return Kind.STR, None, True
    if choices := _choices_of(core):
        return Kind.CHOICE, choices, True
    return Kind.STR, None, False


def _choices_of(core: Any) -> Mapping[str, Any]:
    """Accepted texts and what they stand for, empty when the type is neither an Enum nor a Literal."""
    if isinstance(core, type) and issubclass(core, enum.Enum):
        return {_choice_text(member.value): member for member in core}
    if get_origin(core) is typing.Literal:
        return {_choice_text(value): value for value in get_args(core) if value is not None}
    return {}


def _choice_text(value: object) -> str:
    """How a choice is written on the wire: bools as JSON does, members by their value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value.value if isinstance(value, enum.Enum) else value)
