"""JSON content to the declared type of a body parameter."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from django_bolt._decode import json_decoder


def body_decoder(declared: Any, embed_key: str | None) -> Callable[[bytes], Any]:
    """``octets -> value``; with ``embed_key`` the value is under that key of an object.

    Raises TypeError for a type msgspec cannot decode. The result raises ``msgspec.ValidationError`` or
    ``msgspec.DecodeError``.
    """
    if embed_key is None:
        return json_decoder(declared)
    envelope = msgspec.defstruct("Embedded", [("value", declared, msgspec.field(name=embed_key))])
    decode = json_decoder(envelope)
    value_of = attrgetter("value")
    return lambda content: value_of(decode(content))
