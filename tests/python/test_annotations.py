"""peel() sees through every wrapper; string annotations resolve or say what to do."""

from __future__ import annotations

import dataclasses
import sys
from typing import Annotated, Any, Generic, NewType, Optional, TypeVar, Union

import msgspec
import pytest
import typing_extensions

from django_bolt._annotations import is_marker, is_struct_like, peel, resolve_hints, struct_like_members
from django_bolt.params import Query

T = TypeVar("T")
POSITIVE = msgspec.Meta(gt=0)
SMALL = msgspec.Meta(lt=10)
UserId = NewType("UserId", int)
Alias = typing_extensions.TypeAliasType("Alias", Annotated[int, POSITIVE])
Listed = typing_extensions.TypeAliasType("Listed", list[T], type_params=(T,))


class Item(msgspec.Struct):
    a: int


class Page(msgspec.Struct, Generic[T]):
    items: list[T]


@dataclasses.dataclass
class Data:
    a: int


@pytest.mark.parametrize(
    ("annotation", "core", "optional", "metas"),
    [
        (int, int, False, ()),
        (Any, Any, False, ()),
        (int | None, int, True, ()),
        (Optional[int], int, True, ()),  # noqa: UP045 - the old spelling is what is tested
        (Union[None, int, str], int | str, True, ()),  # noqa: UP007
        (Annotated[int, POSITIVE], int, False, (POSITIVE,)),
        (Annotated[int | None, POSITIVE], int, True, (POSITIVE,)),
        (Annotated[int, POSITIVE] | None, int, True, (POSITIVE,)),
        (Annotated[Annotated[int, POSITIVE] | None, SMALL], int, True, (POSITIVE, SMALL)),
        (UserId, int, False, ()),
        (UserId | None, int, True, ()),
        (Alias, int, False, (POSITIVE,)),
        (Alias | None, int, True, (POSITIVE,)),
        (Listed[int], list[int], False, ()),
        (int | msgspec.UnsetType, int, False, ()),
        (int | None | msgspec.UnsetType, int, True, ()),
    ],
)
def test_peel(annotation: Any, core: Any, optional: bool, metas: tuple[msgspec.Meta, ...]) -> None:
    peeled = peel(annotation)
    assert (peeled.core, peeled.optional, peeled.metas) == (core, optional, metas)


def test_peel_keeps_markers() -> None:
    marker = Query()
    assert peel(Annotated[int, marker, POSITIVE]).markers == (marker,)
    assert peel(Annotated[int, marker] | None).markers == (marker,)


def test_rebuilt_puts_constraints_inside_optional() -> None:
    checked = peel(Annotated[int | None, POSITIVE]).rebuilt({"le": 5})
    assert msgspec.convert(None, checked) is None
    assert msgspec.convert(5, checked) == 5
    for wrong in (0, 6):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, checked)


def test_uncalled_marker() -> None:
    with pytest.raises(TypeError, match=r"write Query\(\)"):
        peel(Annotated[int, Query])
    with pytest.raises(TypeError, match=r"write Query\(\)"):
        is_marker(Query)
    assert not is_marker(5)
    assert not is_marker(int)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement is Python 3.12's")
def test_type_statement() -> None:
    names: dict[str, Any] = {}
    exec("type Ids = list[int]\ntype Box[T] = list[T]", names)
    assert peel(names["Ids"]).core == list[int]
    assert peel(names["Box"][str]).core == list[str]
    assert peel(names["Ids"] | None).optional


@pytest.mark.parametrize(
    ("core", "expected"),
    [(Item, True), (Page, True), (Page[Item], True), (Data, True), (dict, False), (list[Item], False), (Any, False)],
)
def test_is_struct_like(core: Any, expected: bool) -> None:
    assert is_struct_like(core) is expected


def test_struct_like_members() -> None:
    assert struct_like_members(Item) == (Item,)
    assert struct_like_members(Item | Data) == (Item, Data)
    assert struct_like_members(Item | int) == ()
    assert struct_like_members(int) == ()


def test_resolve_hints_with_local_names() -> None:
    class Local(msgspec.Struct):
        a: int

    def handler(item: Local, n: int = 0) -> list[Local]: ...

    assert resolve_hints(handler, locals())["item"] is Local
    assert resolve_hints(handler, locals())["return"] == list[Local]


@pytest.mark.parametrize(
    ("annotations", "kind", "text"),
    [
        ({"a": "int", "b": "Missing"}, NameError, "parameter 'b': cannot evaluate the annotation 'Missing'"),
        ({"return": "Missing"}, NameError, "return annotation: cannot evaluate"),
        ({"a": "int | 'x'"}, TypeError, "parameter 'a'"),
    ],
)
def test_unresolvable(annotations: dict[str, str], kind: type[Exception], text: str) -> None:
    def handler(a: Any, b: Any) -> Any: ...

    handler.__annotations__ = annotations
    with pytest.raises(kind, match=text) as caught:
        resolve_hints(handler, {})
    assert "define it before the handler" in str(caught.value)
