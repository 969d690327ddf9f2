"""Declared results to conversions: what is checked, what is passed on, what may be None."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Generic, TypeVar

import django.http
import msgspec
import pytest
from django.db.models import QuerySet
from testproject.blog.models import Person

from django_bolt._handler import Handler
from django_bolt._plan import ResultKind
from django_bolt._results import compile_result
from django_bolt._route import RouteOptions
from django_bolt.responses import JSON, Response

T = TypeVar("T")


class Item(msgspec.Struct):
    a: int


class Other(msgspec.Struct):
    b: str


class Page(msgspec.Struct, Generic[T]):
    items: list[T]


@dataclasses.dataclass
class Data:
    a: int


MISSING: Any = object()


def handler(returns: Any) -> Handler:
    hints = {} if returns is MISSING else {"return": returns}
    return Handler(lambda: None, "tests.handler", True, (), hints)


def compiled(returns: Any, validate: bool = True, **options: Any) -> Any:
    return compile_result(handler(returns), RouteOptions(**options), validate=validate)


@pytest.mark.parametrize(
    ("returns", "kind", "exact", "allow_none"),
    [
        (MISSING, ResultKind.AUTO, None, False),
        (None, ResultKind.AUTO, None, True),
        (type(None), ResultKind.AUTO, None, True),
        (Any, ResultKind.AUTO, None, True),
        (dict, ResultKind.AUTO, None, False),
        (dict[str, Any], ResultKind.AUTO, None, False),
        (list[dict[str, Any]], ResultKind.AUTO, None, False),
        (list, ResultKind.AUTO, None, False),
        (str, ResultKind.AUTO, None, False),
        (int | None, ResultKind.AUTO, None, True),
        (Response, ResultKind.AUTO, None, False),
        (JSON | None, ResultKind.AUTO, None, True),
        (django.http.HttpResponse, ResultKind.AUTO, None, False),
        (Person, ResultKind.AUTO, None, False),
        (QuerySet[Person], ResultKind.AUTO, None, False),
        (list[Person], ResultKind.AUTO, None, False),
        (Iterator[int], ResultKind.AUTO, None, False),
        (AsyncIterator[Item], ResultKind.AUTO, None, False),
        (Item, ResultKind.CONVERT, Item, False),
        (Item | None, ResultKind.CONVERT, Item, True),
        (Item | JSON, ResultKind.CONVERT, Item, False),
        (Annotated[Item, "doc"], ResultKind.CONVERT, Item, False),
        (Data, ResultKind.CONVERT, Data, False),
        (Page[Item], ResultKind.CONVERT, Page, False),
        (Item | Other, ResultKind.CONVERT, None, False),
        (list[Item], ResultKind.CONVERT, None, False),
        (list[int], ResultKind.CONVERT, None, False),
        (dict[str, int], ResultKind.CONVERT, None, False),
        (dict[int, Any], ResultKind.CONVERT, None, False),
        (tuple[int, str], ResultKind.CONVERT, None, False),
    ],
)
def test_spec(returns: Any, kind: ResultKind, exact: Any, allow_none: bool) -> None:
    spec = compiled(returns).spec
    assert (spec.kind, spec.exact, spec.allow_none) == (kind, exact, allow_none)
    assert (spec.convert is not None) == (kind is ResultKind.CONVERT)


def test_status() -> None:
    assert compiled(Item).spec.status == 200
    assert compiled(Item, status_code=201).spec.status == 201


def test_response_model_beats_the_annotation() -> None:
    assert compiled(Other, response_model=Item).spec.exact is Item
    assert compiled(Item, response_model=None).spec.kind is ResultKind.AUTO
    assert compiled(MISSING, response_model=list[Item]).plan.declared == list[Item]


@pytest.mark.parametrize(
    ("api", "route", "checked"),
    [(True, None, True), (False, None, False), (True, False, False), (False, True, True)],
)
def test_validate_response(api: bool, route: bool | None, checked: bool) -> None:
    result = compiled(list[Item], validate=api, validate_response=route)
    assert (result.spec.kind is ResultKind.CONVERT) is checked
    assert (result.plan.convert is not None) is checked
    assert result.plan.declared == list[Item]  # still chooses the columns of a queryset


def test_conversion() -> None:
    convert = compiled(list[Item]).spec.convert
    assert convert([{"a": 1, "extra": 2}]) == [Item(1)]
    item = Item(1)
    assert convert([item])[0] is item
    for wrong in ([{"a": "x"}], {"a": 1}, [{}]):
        with pytest.raises(msgspec.ValidationError):
            convert(wrong)


def test_untagged_union_takes_the_first_that_fits() -> None:
    convert = compiled(Item | Other).spec.convert
    assert convert({"a": 1}) == Item(1)
    assert convert({"b": "x"}) == Other("x")
    assert convert(Other("x")) == Other("x")
    with pytest.raises(msgspec.ValidationError, match=r"Expected `Item \| Other`, got `dict`"):
        convert({"c": 1})


def test_by_status() -> None:
    result = compiled(MISSING, response_model={404: Other, 201: Item, 202: None, ...: dict})
    assert (result.spec.kind, result.spec.status) == (ResultKind.FINALIZE, 201)
    assert compiled(MISSING, response_model={404: Other}).spec.status == 200
    assert compiled(MISSING, response_model={200: Item, 202: Item}, status_code=202).spec.status == 202


@pytest.mark.parametrize("keys", [{}, {...: Item}, {"200": Item}, {200: Item, "x": Item}, {True: Item}])
def test_by_status_needs_int_keys(keys: dict[Any, Any]) -> None:
    with pytest.raises(ValueError, match=r"tests.handler: the keys of a response_model dict are int"):
        compiled(MISSING, response_model=keys)


def test_what_cannot_be_checked_is_refused() -> None:
    with pytest.raises(TypeError, match=r"tests.handler: the declared result .* pass validate_response=False"):
        compiled(list[Item | Other])
    assert compiled(list[Item | Other], validate=False).spec.kind is ResultKind.AUTO
