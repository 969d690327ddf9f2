"""Handlers to binder tables: inference, markers, defaults; every misuse is refused with handler and parameter."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import django.http
import msgspec
import pytest

from django_bolt import types
from django_bolt._handler import inspect_handler
from django_bolt._plan import Container, Kind, ParamSpec, Source
from django_bolt._signature import compile_parameters
from django_bolt.params import Body, Cookie, Depends, File, Form, Header, Path, Query
from django_bolt.request import Request

T = TypeVar("T")


class Item(msgspec.Struct):
    name: str
    price: float = 1.0


class Other(msgspec.Struct, tag=True):
    x: int


class Tagged(msgspec.Struct, tag=True):
    y: int


class Box(msgspec.Struct, Generic[T]):
    inner: T


@dataclasses.dataclass
class Data:
    a: int
    b: list[int] = dataclasses.field(default_factory=list)


class Filters(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    page_size: int
    tag_names: list[str] = []
    kind: str | None = None


def compile_(function: Callable[..., Any], method: str = "POST", path: tuple[str, ...] = ()) -> dict[str, ParamSpec]:
    frame = inspect.currentframe()
    specs = compile_parameters(inspect_handler(function, frame and frame.f_back), method, path)
    return {spec.name: spec for spec in specs}


def test_inference() -> None:
    def handler(
        id: int,
        rest,  # type: ignore[no-untyped-def]
        request,
        q: str,
        tags: list[int],
        anything: Any,
        mapping: dict[str, int],
        listed: list[Item],
        item: Item,
        data: Data,
        box: Box[int],
        either: Other | Tagged,
        maybe: Item | None,
    ) -> None: ...

    specs = compile_(handler, path=("id", "rest"))
    sources = {name: spec.source for name, spec in specs.items()}
    assert sources == {
        "id": Source.PATH,
        "rest": Source.PATH,
        "request": Source.REQUEST,
        "q": Source.QUERY,
        "tags": Source.QUERY,
        "anything": Source.QUERY,
        "mapping": Source.QUERY,
        "listed": Source.QUERY,
        "item": Source.BODY,
        "data": Source.BODY,
        "box": Source.BODY,
        "either": Source.BODY,
        "maybe": Source.BODY,
    }
    assert (specs["id"].capture, specs["rest"].capture, specs["q"].capture) == (0, 1, -1)
    assert [name for name, spec in specs.items() if not spec.required] == ["request", "maybe"]


def test_request_by_name_or_type() -> None:
    def handler(req: int, a: Request, b: django.http.HttpRequest, c: types.Request[Any, Any, Any]) -> None: ...

    assert {spec.source for spec in compile_(handler, "GET").values()} == {Source.REQUEST}


def test_a_marker_beats_the_name() -> None:
    def handler(request: Annotated[Item, Body()], id: Annotated[int, Query()]) -> None: ...

    specs = compile_(handler, path=("id",))
    assert (specs["request"].source, specs["id"].source) == (Source.BODY, Source.QUERY)


def test_markers_in_annotated_and_as_default() -> None:
    def handler(
        a: Annotated[int, Query(ge=1)],
        b: Annotated[int, Query()] = 5,
        c: int = Query(7, le=9),
        d: int = Query(),
        e: Annotated[int, Path(alias="item_id")] = 0,
        f: int | None = Query(),
    ) -> None: ...

    specs = compile_(handler, path=("item_id",))
    assert [(spec.required, spec.default) for spec in specs.values()] == [
        (True, None),
        (False, 5),
        (False, 7),
        (True, None),
        (True, None),
        (False, None),
    ]
    assert specs["e"].key == "item_id"
    assert [spec.check is not None for spec in specs.values()] == [True, False, True, False, False, False]


@pytest.mark.parametrize(
    ("marker", "source", "key"),
    [
        (Header(), Source.HEADER, "x-request-id"),
        (Header(alias="X-Other"), Source.HEADER, "x-other"),
        (Cookie(), Source.COOKIE, "X_request_ID"),
        (Cookie(alias="sid"), Source.COOKIE, "sid"),
        (Query(), Source.QUERY, "X_request_ID"),
        (Query(alias="q"), Source.QUERY, "q"),
    ],
)
def test_wire_keys(marker: Any, source: Source, key: str) -> None:
    def handler(X_request_ID: str = marker) -> None: ...

    spec = compile_(handler, "GET")["X_request_ID"]
    assert (spec.source, spec.key, spec.required) == (source, key, True)


def test_order_positional_then_keyword_only() -> None:
    def handler(a: int, /, b: int, *, c: int, request: Request) -> None: ...

    specs = compile_(handler)
    assert list(specs) == ["a", "b", "c", "request"]
    assert [spec.keyword_only for spec in specs.values()] == [False, False, True, True]


def test_mutable_defaults_are_copied() -> None:
    original = [1]

    def handler(tags: list[int] = original) -> None: ...

    factory = compile_(handler)["tags"].default_factory
    assert factory is not None
    assert factory() == [1]
    assert factory() is not original


def test_body_decoders() -> None:
    def handler(
        item: Item,
        data: Data,
        many: Annotated[list[Item], Body()],
        raw: Annotated[Any, Body()],
        one: Annotated[Item, Body(embed=True)],
        aliased: Annotated[int, Body(embed=True, alias="n")],
        small: Annotated[list[int], Body(), msgspec.Meta(max_length=1)],
    ) -> None: ...

    decode = {name: spec.decode for name, spec in compile_(handler).items()}
    assert decode["item"](b'{"name":"a","more":1}') == Item("a")  # type: ignore[misc]
    assert decode["data"](b'{"a":1}') == Data(1)  # type: ignore[misc]
    assert decode["many"](b'[{"name":"a"}]') == [Item("a")]  # type: ignore[misc]
    assert decode["raw"](b'{"x":[1]}') == {"x": [1]}  # type: ignore[misc]
    assert decode["one"](b'{"one":{"name":"a"}}') == Item("a")  # type: ignore[misc]
    assert decode["aliased"](b'{"n":5}') == 5  # type: ignore[misc]
    with pytest.raises(msgspec.ValidationError, match=r"length <= 1"):
        decode["small"](b"[1,2]")  # type: ignore[misc]


def test_groups() -> None:
    def handler(
        filters: Annotated[Filters, Query()],
        headers: Annotated[Filters, Header()],
        plain: Annotated[Item, Cookie()],
        data: Annotated[Data, Query()],
        maybe: Annotated[Item | None, Header()],
    ) -> None: ...

    specs = compile_(handler, "GET")
    group = specs["filters"].group
    assert group is not None
    rows = [(spec.name, spec.key, spec.kind, spec.container, spec.required) for spec in group.fields]
    assert rows == [
        ("pageSize", "pageSize", Kind.INT, Container.NONE, True),
        ("tagNames", "tagNames", Kind.STR, Container.LIST, False),
        ("kind", "kind", Kind.STR, Container.NONE, False),
    ]
    assert group.known_keys == {"pageSize", "tagNames", "kind"}
    assert group.build({"pageSize": 3, "tagNames": ["a"]}) == Filters(3, ["a"])
    headers = specs["headers"].group
    assert headers is not None
    assert [spec.key for spec in headers.fields] == ["pagesize", "tagnames", "kind"]
    assert headers.known_keys is None
    data = specs["data"].group
    assert data is not None
    assert data.build({"a": 1}) == Data(1)
    assert [spec.required for spec in data.fields] == [True, False]
    assert not specs["maybe"].required


def test_header_groups_use_dashes() -> None:
    class Agent(msgspec.Struct):
        user_agent: str

    def handler(agent: Annotated[Agent, Header()]) -> None: ...

    group = compile_(handler, "GET")["agent"].group
    assert group is not None
    assert [(spec.name, spec.key) for spec in group.fields] == [("user_agent", "user-agent")]


def test_one_key_read_twice_as_the_same_type() -> None:
    def handler(a: int, b: Annotated[int, Query(alias="a")]) -> None: ...

    assert {spec.key for spec in compile_(handler, "GET").values()} == {"a"}


def body(item: Item) -> None: ...
def marked_body(items: Annotated[list[int], Body()]) -> None: ...
def default_in_annotated(a: Annotated[int, Query(5)]) -> None: ...
def two_markers(a: Annotated[int, Query()] = Header()) -> None: ...
def uncalled(a: Annotated[int, Query]) -> None: ...
def uncalled_default(a: int = Query) -> None: ...  # type: ignore[assignment]
def wrong_constraint(a: int = Query(pattern="x")) -> None: ...
def no_segment(a: int = Path()) -> None: ...
def struct_in_path(item: Annotated[Item, Path()]) -> None: ...
def long_tuple(pair: Annotated[tuple[int, int], Header()]) -> None: ...
def conflict(a: int, b: Annotated[str, Query(alias="a")]) -> None: ...
def group_conflict(name: int, item: Annotated[Item, Query()]) -> None: ...
def form(a: Annotated[str, Form()]) -> None: ...
def file(a: Annotated[bytes, File()]) -> None: ...
def depends(a: Annotated[int, Depends(body)]) -> None: ...
def depends_default(a: int = Depends(body)) -> None: ...  # type: ignore[assignment]
def untagged_union(a: Item | Filters) -> None: ...


MISUSE: list[tuple[Callable[..., Any], str, type[Exception], str]] = [
    (body, "GET", TypeError, "GET requests carry no body; mark it Query"),
    (marked_body, "DELETE", TypeError, "DELETE requests carry no body"),
    (body, "HEAD", TypeError, "HEAD requests carry no body"),
    (body, "OPTIONS", TypeError, "OPTIONS requests carry no body"),
    (default_in_annotated, "GET", TypeError, r"carries the default 5; write it after the annotation"),
    (two_markers, "GET", TypeError, "has 2 markers"),
    (uncalled, "GET", TypeError, r"write Query\(\)"),
    (uncalled_default, "GET", TypeError, r"write Query\(\)"),
    (wrong_constraint, "GET", TypeError, "Can only set `pattern` on a str"),
    (no_segment, "GET", TypeError, r"Path\(\) names {a}, but the segments of the path are: {id}"),
    (struct_in_path, "GET", TypeError, "cannot be read from one path segment|Path"),
    (long_tuple, "GET", TypeError, "holds one value, the declared tuple needs 2"),
    (conflict, "GET", TypeError, "reads query key 'a', which 'a' reads as another type"),
    (group_conflict, "GET", TypeError, "reads query key 'name'"),
    (form, "POST", NotImplementedError, r"Form\(\) parameters are not available"),
    (file, "POST", NotImplementedError, r"File\(\) parameters are not available"),
    (depends, "POST", NotImplementedError, r"Depends\(\) parameters are not available"),
    (depends_default, "POST", NotImplementedError, r"Depends\(\) parameters are not available"),
    (untagged_union, "POST", TypeError, "union"),
]


@pytest.mark.parametrize(("function", "method", "kind", "text"), MISUSE, ids=[row[0].__name__ for row in MISUSE])
def test_misuse(function: Callable[..., Any], method: str, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text) as caught:
        compile_(function, method, ("id",))
    assert str(caught.value).startswith(f"{__name__}.{function.__name__}: parameter '")


def test_query_method_carries_a_body() -> None:
    assert compile_(body, "QUERY")["item"].source is Source.BODY
