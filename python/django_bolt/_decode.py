"""From wire data to declared types: msgspec with the few standard types it does not know."""

from __future__ import annotations

import functools
import ipaddress
import pathlib
from collections.abc import Callable
from typing import Any

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


def decode_custom(declared: type, value: object) -> object:
    """msgspec ``dec_hook``: addresses and paths from text. Raises NotImplementedError for other types."""
    if isinstance(declared, type) and issubclass(declared, _FROM_TEXT):
        if not isinstance(value, str):
            raise msgspec.ValidationError(f"Expected `str`, got `{type(value).__name__}`")
        return declared(value)
    raise NotImplementedError(f"no conversion to {declared!r}")


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
