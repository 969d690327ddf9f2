"""Parameters from the wire to the handler and back: conversions, defaults, and the exact shapes of refusals."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import ipaddress
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import pytest
from apis import call, calls
from harness import Response

from django_bolt import BoltAPI, Request
from django_bolt.params import Body, Cookie, Header, Path, Query


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1


class Item(msgspec.Struct):
    name: str
    price: float
    tags: list[str] = []


class Order(msgspec.Struct):
    items: list[Item]


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    a: int


@dataclasses.dataclass
class Data:
    a: int
    b: str = "x"


class Filters(msgspec.Struct, rename="camel"):
    page_size: int
    order_by: str = "id"
    tag_names: list[str] = []
    color: Color | None = None


class Agent(msgspec.Struct):
    user_agent: str
    x_token: int = 0


def echo(annotation: Any, default: Any = ..., path: str = "/", name: str = "value") -> BoltAPI:
    """An API whose handler shows the type and value of one parameter."""
    api = BoltAPI()

    async def handler(value: Any) -> dict[str, Any]:
        return {"type": type(value).__name__, "value": repr(value)}

    handler.__annotations__ = {"value": annotation}
    if default is not ...:
        handler.__defaults__ = (default,)
    api.post(path)(handler)
    return api


def shown(response: Response) -> str:
    assert response.status == 200, response.content
    return str(response.json()["value"])


def refused(response: Response) -> Any:
    assert response.status == 422, response.content
    assert set(response.json()) == {"detail"}
    return response.json()["detail"]


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "5", "5"),
        (int, "-9223372036854775808", "-9223372036854775808"),
        (float, "1.5", "1.5"),
        (bool, "YES", "True"),
        (bool, "off", "False"),
        (str, "a%20b+c%2F", "'a b c/'"),
        (bytes, "ab", "b'ab'"),
        (Any, "5", "'5'"),
        (uuid.UUID, "00000000-0000-0000-0000-000000000001", repr(uuid.UUID(int=1))),
        (datetime.datetime, "2024-01-02T03:04:05Z", repr(datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC))),
        (datetime.date, "2024-01-02", repr(datetime.date(2024, 1, 2))),
        (datetime.time, "03:04", repr(datetime.time(3, 4))),
        (decimal.Decimal, "1.50", "Decimal('1.50')"),
        (Color, "red", "<Color.RED: 'red'>"),
        (Level, "1", "<Level.LOW: 1>"),
        (Literal["a", 1], "1", "1"),
        (int | None, "5", "5"),
        (ipaddress.IPv4Address, "10.0.0.1", "IPv4Address('10.0.0.1')"),
        (datetime.timedelta, "PT90S", repr(datetime.timedelta(seconds=90))),
        (list[int], "1&value=2", "[1, 2]"),
        (list[int], "1", "[1]"),
        (list[str], "a,b", "['a,b']"),
        (tuple[int, ...], "1&value=2", "(1, 2)"),
        (tuple[int, str], "1&value=2", "(1, '2')"),
        (frozenset[Color], "red&value=red", "frozenset({<Color.RED: 'red'>})"),
        (int, "1&value=2", "2"),
    ],
)
def test_query_values(annotation: Any, text: str, value: str) -> None:
    assert shown(call(echo(annotation), f"/?value={text}", "POST")) == value


INTEGER = "Query parameter 'value': Invalid integer "


@pytest.mark.parametrize(
    ("annotation", "text", "detail"),
    [
        (int, "abc", INTEGER + "'abc': invalid digit found in string"),
        (int, "9223372036854775808", INTEGER + "'9223372036854775808': number too large to fit in target type"),
        (int | None, "", INTEGER + "'': cannot parse integer from empty string"),
        (float, "zz", "Query parameter 'value': Invalid float 'zz': invalid float literal"),
        (bool, "t", "Query parameter 'value': Invalid boolean 't': expected true/false/1/0/yes/no/on/off"),
        (decimal.Decimal, "abc", "Query parameter 'value': Invalid decimal 'abc'"),
        (
            datetime.datetime,
            "x",
            "Query parameter 'value': Invalid datetime 'x': expected ISO 8601 format (e.g., 2024-01-15T10:30:00Z)",
        ),
    ],
)
def test_query_refusals(annotation: Any, text: str, detail: str) -> None:
    assert refused(call(echo(annotation), f"/?value={text}", "POST")) == detail


@pytest.mark.parametrize(
    ("annotation", "text"), [(uuid.UUID, "zz"), (Color, "blue"), (Level, "2"), (Literal["a"], "b")]
)
def test_values_that_were_not_validated_elsewhere(annotation: Any, text: str) -> None:
    detail = refused(call(echo(annotation), f"/?value={text}", "POST"))
    assert detail.startswith("Query parameter 'value': Invalid ")
    assert f"'{text}'" in detail


def test_defaults() -> None:
    assert shown(call(echo(int, 7), "/", "POST")) == "7"
    assert shown(call(echo(int | None), "/", "POST")) == "None"
    assert shown(call(echo(list[int], [1]), "/", "POST")) == "[1]"
    assert shown(call(echo(int, Query(9)), "/", "POST")) == "9"
    assert shown(call(echo(Color, Color.GREEN), "/", "POST")) == "<Color.GREEN: 'green'>"


def test_mutable_default_is_fresh_for_each_request() -> None:
    api = BoltAPI()

    @api.get("/")
    async def handler(tags: list[str] = []) -> list[str]:  # noqa: B006 - the point of the test
        tags.append("x")
        return tags

    responses = calls(api, [("/", "GET", [], b"")] * 2)
    assert [response.json() for response in responses] == [["x"], ["x"]]


@pytest.mark.parametrize(
    ("marker", "headers", "detail"),
    [
        (Query(), [], "Missing required query parameter: value"),
        (Query(alias="q"), [], "Missing required query parameter: q"),
        (Header(), [], "Missing required header: value"),
        (Cookie(), [], "Missing required cookie: value"),
        (Header(), ["value: x"], "Header 'value': Invalid integer 'x': invalid digit found in string"),
        (Cookie(), ["cookie: value=x"], "Cookie 'value': Invalid integer 'x': invalid digit found in string"),
    ],
)
def test_missing_and_wrong_by_source(marker: Any, headers: Sequence[str], detail: str) -> None:
    assert refused(call(echo(Annotated[int, marker]), "/", "POST", headers)) == detail


def test_header_and_cookie_values() -> None:
    api = BoltAPI()

    @api.get("/")
    async def handler(
        x_request_id: Annotated[str, Header()],
        agent: Annotated[str, Header(alias="User-Agent")],
        sid: Annotated[int, Cookie()],
        tags: Annotated[list[str], Header()],
    ) -> list[Any]:
        return [x_request_id, agent, sid, tags]

    headers = ["X-Request-ID: r", "User-Agent: ua", "Cookie: a=b; sid=5", "tags: one"]
    assert call(api, "/", headers=headers).json() == ["r", "ua", 5, ["one"]]


def test_path_values() -> None:
    api = BoltAPI()

    @api.get("/a/{id}/{name}/{rest:path}")
    async def handler(id: int, label: Annotated[str, Path(alias="name")], rest: str) -> list[Any]:
        return [id, label, rest]

    assert call(api, "/a/5/x%2Fy+z/b/c").json() == [5, "x/y+z", "b/c"]
    assert refused(call(api, "/a/x/n/r")) == "Path parameter 'id': Invalid integer 'x': invalid digit found in string"


@pytest.mark.parametrize(
    ("annotation", "query", "item"),
    [
        (Annotated[int, Query(le=5)], "value=9", {"loc": ["query", "value"], "msg": "Expected `int` <= 5", "input": 9}),
        (
            Annotated[str, Query(min_length=2)],
            "value=a",
            {"loc": ["query", "value"], "msg": "Expected `str` of length >= 2", "input": "a"},
        ),
        (
            Annotated[list[int], Query(max_length=1)],
            "value=1&value=2",
            {"loc": ["query", "value"], "msg": "Expected `array` of length <= 1", "input": [1, 2]},
        ),
        (
            list[Annotated[int, msgspec.Meta(gt=0)]],
            "value=1&value=0",
            {"loc": ["query", "value", "1"], "msg": "Expected `int` >= 1", "input": [1, 0]},
        ),
    ],
)
def test_constraints(annotation: Any, query: str, item: dict[str, Any]) -> None:
    assert refused(call(echo(annotation), f"/?{query}", "POST")) == [{"type": "validation_error", **item}]


@pytest.mark.parametrize(
    ("annotation", "content", "value"),
    [
        (Item, b'{"name":"a","price":1,"unknown":2}', "Item(name='a', price=1.0, tags=[])"),
        (Data, b'{"a":1}', "Data(a=1, b='x')"),
        (Annotated[list[Item], Body()], b'[{"name":"a","price":1}]', "[Item(name='a', price=1.0, tags=[])]"),
        (Annotated[dict[str, int], Body()], b'{"a":1}', "{'a': 1}"),
        (Annotated[Any, Body()], b"[1]", "[1]"),
        (Annotated[Item, Body(embed=True)], b'{"value":{"name":"a","price":1}}', "Item(name='a', price=1.0, tags=[])"),
        (Item | None, b"", "None"),
        (Item | None, b"null", "None"),
    ],
)
def test_bodies(annotation: Any, content: bytes, value: str) -> None:
    assert shown(call(echo(annotation), "/", "POST", content=content)).endswith(value)


@pytest.mark.parametrize(
    ("annotation", "content", "item"),
    [
        (
            Item,
            b'{"name":"a","price":"x"}',
            {"type": "validation_error", "loc": ["body", "price"], "msg": "Expected `float`, got `str`"},
        ),
        (
            Item,
            b'{"price":1}',
            {"type": "missing_field", "loc": ["body", "name"], "msg": "Object missing required field `name`"},
        ),
        (
            Order,
            b'{"items":[{"name":5}]}',
            {"type": "validation_error", "loc": ["body", "items", "0", "name"], "msg": "Expected `str`, got `int`"},
        ),
        (
            Order,
            b'{"items":[{"name":"a"}]}',
            {"type": "validation_error", "loc": ["body", "items", "0"], "msg": "Object missing required field `price`"},
        ),
        (
            Strict,
            b'{"a":1,"b":2}',
            {"type": "validation_error", "loc": ["body"], "msg": "Object contains unknown field `b`"},
        ),
        (Item, b"", {"type": "json_invalid", "loc": ["body"], "msg": "Input data was truncated", "input": ""}),
        (
            Item,
            b'{"a":1,\n "b" 2}',
            {
                "type": "json_invalid",
                "loc": ["body", 2, 6],
                "msg": "Invalid JSON at line 2, column 6: JSON is malformed: expected ':' (byte 13)\n"
                '   "b" 2}\n       ^',
                "input": '{"a":1,\n "b" 2}',
                "ctx": {
                    "line": 2,
                    "column": 6,
                    "byte_position": 13,
                    "error": "JSON is malformed: expected ':' (byte 13)",
                },
            },
        ),
    ],
)
def test_body_refusals(annotation: Any, content: bytes, item: dict[str, Any]) -> None:
    assert refused(call(echo(annotation), "/", "POST", content=content)) == [item]


def test_several_body_parameters_each_get_the_whole_body() -> None:
    api = BoltAPI()

    @api.post("/")
    async def handler(one: Item, other: Annotated[dict[str, Any], Body()], request: Request) -> list[Any]:
        return [one.name, other["name"], len(request.body)]

    content = b'{"name":"a","price":1}'
    assert call(api, "/", "POST", content=content).json() == ["a", "a", len(content)]


def test_groups() -> None:
    api = BoltAPI()

    @api.get("/query")
    async def query(filters: Annotated[Filters, Query()], q: str = "") -> list[Any]:
        return [filters.page_size, filters.order_by, filters.tag_names, filters.color]

    @api.get("/header")
    async def header(agent: Annotated[Agent, Header()]) -> list[Any]:
        return [agent.user_agent, agent.x_token]

    @api.get("/cookie")
    async def cookie(strict: Annotated[Strict, Cookie()]) -> int:
        return strict.a

    @api.get("/strict")
    async def strict(strict: Annotated[Strict, Query()], q: str = "") -> int:
        return strict.a

    assert call(api, "/query?pageSize=5&tagNames=a&color=red&q=x").json() == [5, "id", ["a"], "red"]
    assert call(api, "/header", headers=["User-Agent: ua", "x-token: 7"]).json() == ["ua", 7]
    assert call(api, "/cookie", headers=["cookie: a=3; other=4"]).json() == 3
    assert call(api, "/strict?a=1&q=x").json() == 1
    assert refused(call(api, "/query?color=x")) == [
        {
            "type": "missing_field",
            "loc": ["query parameter", "pageSize"],
            "msg": "Missing required query parameter: pageSize",
            "input": None,
        },
        {
            "type": "validation_error",
            "loc": ["query parameter", "color"],
            "msg": "Invalid value 'x': expected one of 'red', 'green'",
            "input": "x",
        },
    ]
    assert refused(call(api, "/strict?a=1&b=2"))[0]["msg"] == "Object contains unknown field `b`"
    assert refused(call(api, "/header")) == "Missing required header: user-agent"


def test_keyword_only_and_positional_only() -> None:
    api = BoltAPI()

    @api.get("/{a}")
    async def handler(a: int, /, b: int, *, c: int = 3, request: Request) -> list[Any]:
        return [a, b, c, request.method]

    assert call(api, "/1?b=2").json() == [1, 2, 3, "GET"]


def test_query_method_has_a_body() -> None:
    api = BoltAPI()

    @api.query("/")
    async def handler(item: Item) -> str:
        return item.name

    assert call(api, "/", "QUERY", content=b'{"name":"a","price":1}').content == b"a"
