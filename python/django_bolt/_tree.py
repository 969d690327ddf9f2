"""Walking a result together with its declared type.

A handler may return models and querysets anywhere inside dicts, sequences, Structs and dataclasses. What they become
depends on the type declared at their place, so both are walked at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, get_args, get_origin

import msgspec
from django.db import models
from django.db.models.manager import BaseManager
from django.db.models.query import RawQuerySet

from django_bolt._annotations import is_struct_like, is_union, peel
from django_bolt._decode import converter
from django_bolt._fields import declared_fields

Leaf = Callable[[Any, Any], Any]
"""``(model or queryset, declared type) -> replacement``, or the same object to keep it."""


def is_queryset(value: object) -> bool:
    """True for what has to be evaluated: querysets, raw ones too, and managers."""
    return isinstance(value, models.QuerySet | BaseManager | RawQuerySet)


def transform(value: Any, declared: Any, leaf: Leaf) -> Any:
    """``value`` with models and querysets replaced; the same object when nothing was.

    Raises ``msgspec.ValidationError`` when a replacement does not fit the Struct field it is in.
    """
    if isinstance(value, models.Model) or is_queryset(value):
        return leaf(value, declared)
    if isinstance(value, list | tuple | set | frozenset):
        item = item_type(declared)
        items = [transform(element, item, leaf) for element in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if isinstance(value, dict):
        entries = {key: transform(element, entry_type(declared, key), leaf) for key, element in value.items()}
        return value if all(entries[key] is element for key, element in value.items()) else entries
    if is_struct_like(type(value)):
        return _transform_fields(value, declared, leaf)
    return value


def _transform_fields(value: Any, declared: Any, leaf: Leaf) -> Any:
    struct = struct_of(declared)
    if struct is None or not isinstance(value, get_origin(struct) or struct):
        struct = type(value)
    changes = {}
    for field in declared_fields(struct):
        old = getattr(value, field.name)
        new = transform(old, field.annotation, leaf)
        if new is not old:
            changes[field.name] = converter(field.annotation, strict=True)(new)
    if not changes:
        return value
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **changes)
    return dataclasses.replace(value, **changes)


def struct_of(declared: Any) -> Any:
    """The Struct or dataclass an annotation names, directly or as a member of a union; None when it names none."""
    core = peel(declared).core
    if is_union(core):
        return next((found for member in get_args(core) if (found := struct_of(member)) is not None), None)
    return core if is_struct_like(core) else None


def item_type(declared: Any) -> Any:
    """The declared type of a sequence's items; ``Any`` when nothing is declared."""
    core = peel(declared).core
    if is_union(core):
        return next((found for member in get_args(core) if (found := item_type(member)) is not Any), Any)
    arguments = get_args(core)
    return Any if is_struct_like(core) or not arguments else arguments[0]


def entry_type(declared: Any, key: Any) -> Any:
    """The declared type of a mapping's entry: of the field with that wire name, or of a dict's values."""
    struct = struct_of(declared)
    if struct is not None:
        return next((field.annotation for field in declared_fields(struct) if field.wire_name == key), Any)
    core = peel(declared).core
    if is_union(core):
        return next((found for member in get_args(core) if (found := entry_type(member, key)) is not Any), Any)
    arguments = get_args(core)
    return arguments[1] if len(arguments) == 2 and get_origin(core) is not tuple else Any
