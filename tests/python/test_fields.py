"""Structs and dataclasses seen alike."""

from __future__ import annotations

import dataclasses
from typing import Generic, TypeVar

import msgspec

from django_bolt._fields import declared_fields, forbids_unknown_fields

T = TypeVar("T")


class Item(msgspec.Struct, Generic[T], rename="camel", forbid_unknown_fields=True):
    some_name: str
    value: T
    extra: list[int] = []
    other: int = msgspec.field(default=1, name="x")


@dataclasses.dataclass
class Data:
    a: int
    b: "list[str]" = dataclasses.field(default_factory=list)  # noqa: UP037 - a string on purpose
    hidden: int = dataclasses.field(default=1, init=False)


def rows(core: object) -> list[tuple[str, str, object, bool]]:
    return [(field.name, field.wire_name, field.annotation, field.required) for field in declared_fields(core)]


def test_struct() -> None:
    assert rows(Item[int]) == [
        ("some_name", "someName", str, True),
        ("value", "value", int, True),
        ("extra", "extra", list[int], False),
        ("other", "x", int, False),
    ]
    assert rows(Item)[1] == ("value", "value", T, True)


def test_dataclass() -> None:
    assert rows(Data) == [("a", "a", int, True), ("b", "b", list[str], False)]


def test_forbids_unknown_fields() -> None:
    assert forbids_unknown_fields(Item[int])
    assert not forbids_unknown_fields(Data)
