"""Questions about annotations, answered as the framework itself reads them."""

from __future__ import annotations

from typing import Any, get_origin

import msgspec

from django_bolt._annotations import peel


def is_msgspec_struct(annotation: Any) -> bool:
    """True for a msgspec Struct class, generic or not, behind ``Annotated`` or an alias."""
    core = peel(annotation).core
    cls = get_origin(core) or core
    return isinstance(cls, type) and issubclass(cls, msgspec.Struct)


def is_optional(annotation: Any) -> bool:
    """True when None is among the accepted values: ``T | None``."""
    return peel(annotation).optional


def unwrap_optional(annotation: Any) -> Any:
    """``T`` for ``T | None``; any other annotation as it is."""
    peeled = peel(annotation)
    return peeled.required_type() if peeled.optional else annotation


__all__ = ["is_msgspec_struct", "is_optional", "unwrap_optional"]
