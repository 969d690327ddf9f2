"""The public questions about annotations."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

import msgspec
import pytest

from django_bolt.typing import is_msgspec_struct, is_optional, unwrap_optional

T = TypeVar("T")


class Item(msgspec.Struct):
    a: int


class Page(msgspec.Struct, Generic[T]):
    items: list[T]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [(Item, True), (Item | None, True), (Page[int], True), (Annotated[Item, "x"], True), (dict, False), (int, False)],
)
def test_is_msgspec_struct(annotation: Any, expected: bool) -> None:
    assert is_msgspec_struct(annotation) is expected


def test_optional() -> None:
    assert is_optional(int | None)
    assert not is_optional(int | str)
    assert unwrap_optional(int | None) is int
    assert unwrap_optional(int | str | None) == int | str
    assert unwrap_optional(list[int]) == list[int]
