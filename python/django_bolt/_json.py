"""Results to JSON: what msgspec does not know by itself.

msgspec encodes builtins, Structs, dataclasses, Enum, UUID, Decimal (text), dates and times (ISO 8601), timedelta
(ISO 8601), bytes (base64) and sets. Added here: models (their loaded concrete fields), lazy translations, paths, IP
addresses, field files, and any other Mapping or Sequence.
"""

from __future__ import annotations

import collections.abc
import ipaddress
import pathlib
from typing import Any

import msgspec
from django.db import models
from django.db.models.fields.files import FieldFile
from django.utils.functional import Promise

from django_bolt._plan import NeedsFinalize
from django_bolt._tree import is_queryset

_AS_TEXT = (
    Promise,
    pathlib.PurePath,
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    ipaddress.IPv4Interface,
    ipaddress.IPv6Interface,
)
_AS_LIST = (collections.abc.Sequence, collections.abc.Set, collections.abc.ValuesView)


def encode_fallback(value: Any) -> Any:
    """msgspec ``enc_hook`` of data as handlers return it.

    Raises NeedsFinalize for models and querysets, whose form depends on the declared type, TypeError for what has no
    JSON form.
    """
    if isinstance(value, models.Model) or is_queryset(value):
        raise NeedsFinalize(value)
    if isinstance(value, _AS_TEXT):
        return str(value)
    if isinstance(value, FieldFile):
        return value.name
    if isinstance(value, collections.abc.Mapping):
        return dict(value)
    if isinstance(value, _AS_LIST):
        return list(value)
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    raise TypeError(f"{name} has no JSON form; return a dict, list, Struct, dataclass, model or Response")


def _encode_final(value: Any) -> Any:
    """``enc_hook`` of data in which every declared type has been applied: a model left over gives all its columns."""
    return model_fields(value) if isinstance(value, models.Model) else encode_fallback(value)


encode_json = msgspec.json.Encoder(enc_hook=encode_fallback).encode
encode_final = msgspec.json.Encoder(enc_hook=_encode_final).encode


def model_fields(instance: models.Model) -> dict[str, Any]:
    """The concrete fields of an instance by column name (``author_id``); deferred ones are left out, not loaded."""
    loaded = instance.__dict__
    names = (field.attname for field in instance._meta.concrete_fields)
    return {name: loaded[name] for name in names if name in loaded}
