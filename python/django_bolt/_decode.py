"""From wire data to declared types: msgspec with the few standard types it does not know."""

from __future__ import annotations

import functools
import ipaddress
import pathlib
from collections.abc import Callable
from typing import Any, get_origin

import msgspec

_FROM_TEXT = (
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    ipaddress.IPv4Interface,
    ipaddress.IPv6Interface,
    pathlib.PurePath,
)


def decode_custom(declared: Any, value: object) -> object:
    """msgspec ``dec_hook``, asked for every type msgspec does not know: addresses and paths from text, instances as
    they are. Raises ValueError, which msgspec makes a ``ValidationError`` with the location."""
    cls = get_origin(declared) or declared
    if isinstance(value, cls):
        return value
    if isinstance(value, str) and issubclass(cls, _FROM_TEXT):
        return cls(value)
    raise ValueError(f"Expected `{cls.__name__}`, got `{type(value).__name__}`")


def converter(declared: Any, *, strict: bool) -> Callable[[Any], Any]:
    """``value -> value of the declared type``; not strict means that text may stand for numbers.

    Raises TypeError for a type msgspec cannot check. The result raises ``msgspec.ValidationError``.
    """
    msgspec.json.Decoder(declared, dec_hook=decode_custom)  # msgspec's own check of the type
    return functools.partial(msgspec.convert, type=declared, strict=strict, dec_hook=decode_custom)


def json_decoder(declared: Any) -> Callable[[bytes], Any]:
    """``octets -> value of the declared type``. Raises TypeError for a type msgspec cannot check.

    The result raises ``msgspec.ValidationError`` or ``msgspec.DecodeError`` (malformed JSON).
    """
    return msgspec.json.Decoder(declared, dec_hook=decode_custom).decode
