"""The declared fields of a Struct or dataclass, seen the same way for both."""

from __future__ import annotations

import dataclasses
import functools
import typing
from dataclasses import dataclass
from typing import Any, get_origin

import msgspec


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field. ``name`` is the attribute, ``wire_name`` the key in JSON."""

    name: str
    wire_name: str
    annotation: Any
    required: bool


@functools.cache
def declared_fields(core: Any) -> tuple[Field, ...]:
    """The fields of a Struct or dataclass, generic or not, in declaration order."""
    cls = get_origin(core) or core
    if issubclass(cls, msgspec.Struct):
        return tuple(Field(f.name, f.encode_name, f.type, f.required) for f in msgspec.structs.fields(core))
    hints = typing.get_type_hints(cls, include_extras=True)
    missing = dataclasses.MISSING
    return tuple(
        Field(f.name, f.name, hints[f.name], f.default is missing and f.default_factory is missing)
        for f in dataclasses.fields(cls)
        if f.init
    )


def forbids_unknown_fields(core: Any) -> bool:
    """True for a Struct that refuses keys it does not declare."""
    cls = get_origin(core) or core
    return issubclass(cls, msgspec.Struct) and cls.__struct_config__.forbid_unknown_fields
