"""Standard types msgspec does not know, from JSON and from text."""

from __future__ import annotations

import ipaddress
import pathlib
from typing import Any

import msgspec
import pytest

from django_bolt._body import body_decoder
from django_bolt._decode import converter, json_decoder


class Unknown: ...


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        (ipaddress.IPv4Address, "10.0.0.1"),
        (ipaddress.IPv6Network, "::/64"),
        (pathlib.PurePosixPath, "/a/b"),
    ],
)
def test_from_text(declared: Any, text: str) -> None:
    value = declared(text)
    assert json_decoder(declared)(f'"{text}"'.encode()) == value
    assert json_decoder(list[declared])(f'["{text}"]'.encode()) == [value]
    assert converter(declared, strict=True)(text) == value
    assert converter(declared, strict=True)(value) is value


@pytest.mark.parametrize("content", [b'"nonsense"', b"5", b"null"])
def test_wrong_text(content: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        json_decoder(ipaddress.IPv4Address)(content)


def test_unknown_types() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"Expected `Unknown`, got `str` - at `\$\[0\]`"):
        converter(list[Unknown], strict=True)(["x"])
    instance = Unknown()
    assert converter(Unknown, strict=True)(instance) is instance


def test_strictness() -> None:
    assert converter(int, strict=False)("5") == 5
    with pytest.raises(msgspec.ValidationError):
        converter(int, strict=True)("5")


def test_embedded_body_reports_the_whole_path() -> None:
    class Item(msgspec.Struct):
        price: float

    with pytest.raises(msgspec.ValidationError, match=r"\$\.item\.price"):
        body_decoder(Item, "item")(b'{"item":{"price":"x"}}')
