"""Walking results with their declared types."""

from __future__ import annotations

import dataclasses
from typing import Any, Generic, TypeVar

import msgspec
import pytest
from testproject.blog.models import Person

from django_bolt._tree import Declared, is_queryset, transform

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


def leaf(value: Any, declared: Declared) -> Any:
    return {"someName": f"ann as {declared.struct.__name__}" if declared.is_given else "ann as anything"}


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
    assert transform(value, Declared(declared), leaf) == expected


@pytest.mark.parametrize("value", [5, "x", [1, [2]], (1,), {"a": {1}}, Page([Item("x")]), Data([Item("x")]), None])
def test_unchanged_values_are_the_same_objects(value: Any) -> None:
    assert transform(value, Declared(), leaf) is value


def test_a_replacement_must_fit_its_field() -> None:
    with pytest.raises(msgspec.ValidationError):
        transform(Frozen(PERSON), Declared(), lambda value, declared: {"someName": 5})  # type: ignore[arg-type]


def test_declared_types() -> None:
    assert Declared(Item | None).struct is Item
    assert Declared(list[Item]).struct is None
    assert Declared(int | Item).struct is Item
    assert Declared(Page[Item]).struct == Page[Item]
    assert Declared(list[Item] | None).item.annotation is Item
    assert Declared(int | list[Item]).item.annotation is Item
    assert Declared(list).item.annotation is Any
    assert Declared(Page[Item]).item.annotation is Any
    assert Declared(Item).entry("someName").annotation is str
    assert Declared(Item).entry("some_name").annotation is Any
    assert Declared(dict[str, int]).entry("x").annotation is int
    assert Declared(Page[Item]).entry("items").annotation == list[Item]


def test_is_queryset() -> None:
    assert is_queryset(Person.objects)
    assert is_queryset(Person.objects.all())
    assert is_queryset(Person.objects.raw("SELECT 1"))
    assert not is_queryset([PERSON])
