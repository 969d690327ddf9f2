"""Walking a result together with its declared type.

A handler may return models and querysets anywhere inside dicts, sequences, Structs and dataclasses. What they become
depends on the type declared at their place, so both are walked at once. ``Declared`` is that type, taken apart once
per route and not once per request.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin

import msgspec
from django.db import models
from django.db.models.manager import BaseManager
from django.db.models.query import RawQuerySet

from django_bolt._annotations import is_struct_like, is_union, peel
from django_bolt._decode import converter
from django_bolt._fields import Field, declared_fields

_SCALARS = frozenset((str, int, float, bool, bytes, type(None)))
_QUERYSETS = (models.QuerySet, BaseManager, RawQuerySet)
_LISTED = (list, tuple, set, frozenset)


class Declared:
    """A declared type and its parts, each found on first use: types may be recursive.

    ``readers`` is room for what ``_models`` finds out about a model at this place.
    """

    def __init__(self, annotation: Any = Any) -> None:
        self.annotation = annotation
        self.readers: dict[type[models.Model], Any] = {}

    @functools.cached_property
    def struct(self) -> Any:
        """The Struct or dataclass named, directly or as a member of a union; None when there is none."""
        if is_union(self._core):
            return next((member.struct for member in self._members if member.struct is not None), None)
        return self._core if is_struct_like(self._core) else None

    @functools.cached_property
    def item(self) -> Declared:
        """The type of a sequence's items."""
        if is_union(self._core):
            return next((member.item for member in self._members if member.item.is_given), ANYTHING)
        arguments = get_args(self._core)
        return ANYTHING if is_struct_like(self._core) or not arguments else Declared(arguments[0])

    @functools.cached_property
    def fields(self) -> tuple[tuple[Field, Declared], ...]:
        """The fields of ``struct``, each with its type."""
        if self.struct is None:
            return ()
        return tuple((field, Declared(field.annotation)) for field in declared_fields(self.struct))

    @functools.cached_property
    def renamed(self) -> Mapping[str, str]:
        """Attribute to wire name, of the fields whose names differ."""
        return {field.name: field.wire_name for field, _ in self.fields if field.name != field.wire_name}

    @functools.cached_property
    def convert(self) -> Callable[[Any], Any]:
        """Checks a value against this type. Raises ``msgspec.ValidationError``."""
        return converter(self.annotation, strict=True)

    @property
    def is_given(self) -> bool:
        """False when nothing is declared here."""
        return self.annotation is not Any

    def entry(self, key: Any) -> Declared:
        """The type of a mapping's entry: of the field with that wire name, or of a dict's values."""
        if self.struct is not None:
            return self._by_wire_name.get(key, ANYTHING)
        if is_union(self._core):
            return next((found for member in self._members if (found := member.entry(key)).is_given), ANYTHING)
        return self._values

    @functools.cached_property
    def _core(self) -> Any:
        return peel(self.annotation).core

    @functools.cached_property
    def _members(self) -> tuple[Declared, ...]:
        return tuple(Declared(member) for member in get_args(self._core))

    @functools.cached_property
    def _by_wire_name(self) -> Mapping[str, Declared]:
        return {field.wire_name: at for field, at in self.fields}

    @functools.cached_property
    def _values(self) -> Declared:
        arguments = get_args(self._core)
        return Declared(arguments[1]) if len(arguments) == 2 and get_origin(self._core) is not tuple else ANYTHING


ANYTHING = Declared()

Leaf = Callable[[Any, Declared], Any]
"""``(model or queryset, its declared type) -> replacement``, or the same object to keep it."""


def is_queryset(value: object) -> bool:
    """True for what has to be evaluated: querysets, raw ones too, and managers."""
    return isinstance(value, _QUERYSETS)


def transform(value: Any, declared: Declared, leaf: Leaf) -> Any:
    """``value`` with models and querysets replaced; the same object when nothing was.

    Raises ``msgspec.ValidationError`` when a replacement does not fit the Struct field it is in.
    """
    if type(value) in _SCALARS:
        return value
    if isinstance(value, models.Model) or is_queryset(value):
        return leaf(value, declared)
    if isinstance(value, _LISTED):
        item = declared.item
        items = [transform(element, item, leaf) for element in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if isinstance(value, dict):
        entries = {key: transform(element, declared.entry(key), leaf) for key, element in value.items()}
        return value if all(entries[key] is element for key, element in value.items()) else entries
    if is_struct_like(type(value)):
        return _transform_fields(value, declared, leaf)
    return value


def _transform_fields(value: Any, declared: Declared, leaf: Leaf) -> Any:
    struct = declared.struct
    if struct is None or not isinstance(value, get_origin(struct) or struct):
        cls: Any = type(value)
        declared = _of_class(cls)
    changes = {}
    for field, at in declared.fields:
        old = getattr(value, field.name)
        new = transform(old, at, leaf)
        if new is not old:
            changes[field.name] = at.convert(new)
    if not changes:
        return value
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **changes)
    return dataclasses.replace(value, **changes)


@functools.cache
def _of_class(cls: Any) -> Declared:
    return Declared(cls)
