"""Walking results with their declared types."""

from __future__ import annotations

import dataclasses
from typing import Any, Generic, TypeVar

import msgspec
import pytest
from testproject.blog.models import Person

from django_bolt._tree import entry_type, is_queryset, item_type, struct_of, transform

T = TypeVar("T")


class Item(msgspec.Struct, rename="camel"):
    some_name: str


class Page(msgspec.Struct, Generic[T]):
    items: list[T]
    first: T | None = None


class Frozen(msgspec.Struct, frozen=True, tag="frozen"):
    item: Item


@dataclasses.dataclass
class Data:
    items: list[Item]


PERSON = Person(username="ann")


def leaf(value: Any, declared: Any) -> Any:
    return {"someName": "ann as anything" if declared is Any else f"ann as {struct_of(declared).__name__}"}


@pytest.mark.parametrize(
    ("value", "declared", "expected"),
    [
        (PERSON, Item, {"someName": "ann as Item"}),
        (PERSON, Any, {"someName": "ann as anything"}),
        ([PERSON], list[Item], [{"someName": "ann as Item"}]),
        ((PERSON, 1), tuple[Item, int], [{"someName": "ann as Item"}, 1]),
        ({"x": PERSON}, dict[str, Item], {"x": {"someName": "ann as Item"}}),
        ({"items": [PERSON]}, Page[Item], {"items": [{"someName": "ann as Item"}]}),
        ({"x": PERSON}, list[int] | dict[str, Item], {"x": {"someName": "ann as Item"}}),
        (Page([PERSON]), Page[Item], Page([Item("ann as Item")])),
        (Page([], PERSON), Page[Item], Page([], Item("ann as Item"))),
        (Frozen(PERSON), Any, Frozen(Item("ann as Item"))),  # type: ignore[arg-type]
        (Data([PERSON]), Any, Data([Item("ann as Item")])),  # type: ignore[list-item]
        ([Frozen(PERSON)], Any, [Frozen(Item("ann as Item"))]),  # type: ignore[arg-type]
    ],
)
def test_transform(value: Any, declared: Any, expected: Any) -> None:
    assert transform(value, declared, leaf) == expected


@pytest.mark.parametrize("value", [5, "x", [1, [2]], (1,), {"a": {1}}, Page([Item("x")]), Data([Item("x")]), None])
def test_unchanged_values_are_the_same_objects(value: Any) -> None:
    assert transform(value, Any, leaf) is value


def test_a_replacement_must_fit_its_field() -> None:
    with pytest.raises(msgspec.ValidationError):
        transform(Frozen(PERSON), Any, lambda value, declared: {"someName": 5})  # type: ignore[arg-type]


def test_declared_types() -> None:
    assert struct_of(Item | None) is Item
    assert struct_of(list[Item]) is None
    assert struct_of(int | Item) is Item
    assert struct_of(Page[Item]) == Page[Item]
    assert item_type(list[Item] | None) is Item
    assert item_type(int | list[Item]) is Item
    assert item_type(list) is Any
    assert item_type(Page[Item]) is Any
    assert entry_type(Item, "someName") is str
    assert entry_type(Item, "some_name") is Any
    assert entry_type(dict[str, int], "x") is int
    assert entry_type(Page[Item], "items") == list[Item]


def test_is_queryset() -> None:
    assert is_queryset(Person.objects)
    assert is_queryset(Person.objects.all())
    assert is_queryset(Person.objects.raw("SELECT 1"))
    assert not is_queryset([PERSON])
