"""Results to responses: which encoder, which head, which content."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import pytest
from tests.python.harness import Application, Hooks, RawResponse, Response, Service, run, serve

from django_bolt import _core
from django_bolt._plan import ParamSpec, ResultKind, ResultSpec, Source

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
OCTETS = "application/octet-stream"


class Point(msgspec.Struct):
    x: int
    y: int = 0


@dataclasses.dataclass
class Data:
    name: str


class Pair(NamedTuple):
    a: int
    b: int


class Color(enum.IntEnum):
    RED = 1


class Mapping(dict[str, int]):
    """A dict subclass."""


class Unknown:
    """Only hooks.finalize knows it."""


def get(value: object, result: ResultSpec | None = None, hooks: Hooks | None = None, **request: Any) -> Response:
    """The response of a handler that returns `value`."""

    async def main() -> Response:
        app = Application(hooks)

        async def handler() -> object:
            return value

        app.add("/", handler, result=result)
        async with serve(app) as service:
            return await service.get("/", **request)

    response: Response = run(main())
    return response


@pytest.mark.parametrize(
    ("value", "content_type", "content"),
    [
        ({"a": [1, None, 2.5]}, JSON, b'{"a":[1,null,2.5]}'),
        ([], JSON, b"[]"),
        (Point(1), JSON, b'{"x":1,"y":0}'),
        ([Point(1), Point(2)], JSON, b'[{"x":1,"y":0},{"x":2,"y":0}]'),
        (Data("n"), JSON, b'{"name":"n"}'),
        ((1, 2), JSON, b"[1,2]"),
        (Pair(1, 2), JSON, b"[1,2]"),
        ({1}, JSON, b"[1]"),
        (frozenset([1]), JSON, b"[1]"),
        (1, JSON, b"1"),
        (2**70, JSON, str(2**70).encode()),
        (1.5, JSON, b"1.5"),
        (float("nan"), JSON, b"null"),
        (True, JSON, b"true"),
        (Color.RED, JSON, b"1"),
        (Mapping(a=1), JSON, b'{"a":1}'),
        (collections.OrderedDict(a=1), JSON, b'{"a":1}'),
        ({"d": decimal.Decimal("1.10")}, JSON, b'{"d":"1.10"}'),
        ({"u": uuid.UUID(int=1)}, JSON, b'{"u":"00000000-0000-0000-0000-000000000001"}'),
        ({"t": datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC)}, JSON, b'{"t":"2024-01-02T00:00:00Z"}'),
        ({"s": datetime.timedelta(seconds=90)}, JSON, b'{"s":"PT90S"}'),
        ({"b": b"abc"}, JSON, b'{"b":"YWJj"}'),
        ({5: 1}, JSON, b'{"5":1}'),
        ("", TEXT, b""),
        ("gr\u00fc\u00df \u20ac", TEXT, "gr\u00fc\u00df \u20ac".encode()),
        (b"\x00\xff", OCTETS, b"\x00\xff"),
        (bytearray(b"ab"), OCTETS, b"ab"),
        (memoryview(b"abc")[1:], OCTETS, b"bc"),
        (Unknown(), "text/plain", b"finalized Unknown"),
        (datetime.date(2024, 1, 2), "text/plain", b"finalized date"),
        ((i for i in ()), "text/plain", b"finalized generator"),
    ],
    ids=repr,
)
def test_by_type(value: object, content_type: str, content: bytes) -> None:
    response = get(value)
    assert (response.status, response.headers["content-type"], response.content) == (200, content_type, content)
    assert response.headers["content-length"] == str(len(content))
    assert response.headers["server"] == "django-cbolt"
    assert response.headers["date"].endswith(" GMT")


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"x": object()}, "TypeError('cannot encode object')"),
        ({object(): 1}, "TypeError"),
        ("\ud800", "UnicodeEncodeError"),
        ({"x": "\ud800"}, "UnicodeEncodeError"),
        (memoryview(b"abcd")[::2], "BufferError"),
    ],
    ids=["value", "key", "text", "text in json", "strided buffer"],
)
def test_what_cannot_be_encoded_is_an_exception(value: object, error: str) -> None:
    response = get(value)
    assert response.status == 500
    assert response.json()["detail"].startswith(error)


def test_encode_fallback_replaces() -> None:
    class Replacing(Hooks):
        def encode_fallback(self, value: Any) -> Any:
            return type(value).__name__

    assert get({"x": Unknown()}, hooks=Replacing()).content == b'{"x":"Unknown"}'


# ---- the result plan --------------------------------------------------------------------------


def test_status_of_the_plan() -> None:
    response = get({"a": 1}, ResultSpec(status=201))
    assert (response.status, response.content) == (201, b'{"a":1}')


def test_none_needs_permission() -> None:
    response = get(None)
    assert response.status == 500
    assert "handler returned None: return a value, give the route status_code=204" in response.json()["detail"]
    assert get(None, ResultSpec(allow_none=True)).content == b"null"


@pytest.mark.parametrize("value", [None, {"dropped": 1}, "dropped", b"dropped"])
def test_no_content(value: object) -> None:
    response = get(value, ResultSpec(status=204))
    assert (response.status, response.content) == (204, b"")
    assert not {"content-length", "content-type"} & set(response.headers)


def convert_point(value: Any) -> Any:
    return msgspec.convert(value, Point)


CONVERT = ResultSpec(kind=ResultKind.CONVERT, exact=Point, convert=convert_point)


def test_convert() -> None:
    assert get(Point(5), CONVERT).content == b'{"x":5,"y":0}'
    assert get({"x": 1, "extra": 2}, CONVERT).content == b'{"x":1,"y":0}'


def test_convert_is_not_asked_about_the_exact_type_or_an_allowed_none() -> None:
    def refuse(value: Any) -> Any:
        raise AssertionError("not needed")

    plan = ResultSpec(kind=ResultKind.CONVERT, exact=Point, convert=refuse, allow_none=True)
    assert get(Point(5), plan).content == b'{"x":5,"y":0}'
    assert get(None, plan).content == b"null"
    assert get({}, plan).json() == {"detail": "AssertionError('not needed')"}


def test_what_convert_refuses_goes_to_finalize() -> None:
    assert get({"x": "one"}, CONVERT).content == b"finalized dict"
    assert get(None, CONVERT).content == b"finalized NoneType"
    assert get(Unknown(), CONVERT).content == b"finalized Unknown"


def test_convert_may_give_any_type() -> None:
    plan = ResultSpec(kind=ResultKind.CONVERT, convert=lambda value: f"text of {value}")
    response = get(5, plan)
    assert (response.headers["content-type"], response.content) == (TEXT, b"text of 5")


# ---- framing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [{"a": 1}, "text", b"octets", Unknown()], ids=repr)
def test_head_has_the_length_but_not_the_content(value: object) -> None:
    whole = get(value)
    head = get(value, method="HEAD")
    assert head.content == b""
    assert {**head.headers, "date": ""} == {**whole.headers, "date": ""}


def raw_answer(method: str = "GET", version: str = "HTTP/1.1", connection: str = "") -> bytes:
    """All octets until the server closes the connection."""

    async def main() -> bytes:
        app = Application()
        app.add("/", lambda: {"a": 1})
        async with serve(app) as service:
            client = await service.connect()
            field = f"connection: {connection}\r\n" if connection else ""
            client.writer.write(f"{method} / {version}\r\nhost: a\r\n{field}\r\n".encode())
            return await client.reader.read()

    answer: bytes = run(main())
    return answer


def test_connection_close_is_said_and_done() -> None:
    assert b"\r\nconnection: close\r\n" in raw_answer(connection="close")
    assert raw_answer(version="HTTP/1.0").startswith(b"HTTP/1.1 200 OK\r\n")


def test_heads_follow_status_and_second() -> None:
    """Heads are cached by status; two statuses that share a slot must not see each other's."""

    async def main() -> None:
        app = Application()
        for status in (200, 201, 202, 208, 400, 404, 200 + 8):
            app.add(f"/{status}", lambda: {"a": 1}, result=ResultSpec(status=status))
        async with serve(app) as service:
            client = await service.connect()
            for status in (200, 208, 200, 201, 400, 200, 404, 208, 202):
                assert (await client.request(f"/{status}")).status == status

    run(main())


@pytest.mark.parametrize("size", [0, 1, 9, 10, 99, 100, 999, 1000, 65536, 3_000_000])
def test_content_of_any_length(size: int) -> None:
    text = "x" * size
    assert get({"": text}).json() == {"": text}
    assert get(text).content == text.encode()


# ---- raw responses ----------------------------------------------------------------------------


class Raw(Hooks):
    """Finalizes to what the handler put into a Box."""

    def finalize(self, result: Any, request: _core.Request, meta: Any) -> RawResponse:
        return result.raw  # type: ignore[no-any-return]


@dataclasses.dataclass
class Box:
    raw: Any


def get_raw(status: int, fields: Sequence[Any], content: bytes = b"", **request: Any) -> Response:
    return get(Box((status, fields, content)), ResultSpec(kind=ResultKind.FINALIZE), Raw(), **request)


def test_raw_response() -> None:
    response = get_raw(299, [("X-Mixed-Case", "Value"), ("set-cookie", "a=1"), ("content-type", "x/y")], b"content")
    assert (response.status, response.content) == (299, b"content")
    assert response.headers["x-mixed-case"] == "Value"
    assert response.headers["set-cookie"] == "a=1"
    assert response.headers["content-type"] == "x/y"
    assert response.headers["content-length"] == "7"


def test_repeated_fields_are_all_sent() -> None:
    async def main() -> bytes:
        app = Application(Raw())
        box = Box((200, [("set-cookie", "a=1"), ("set-cookie", "b=2")], b""))
        app.add("/", lambda: box, result=ResultSpec(kind=ResultKind.FINALIZE))
        async with serve(app) as service:
            client = await service.connect()
            client.send("/", headers=["connection: close"])
            return await client.reader.read()

    assert b"\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n" in run(main())


def test_framing_fields_are_the_servers() -> None:
    fields = [
        ("Content-Length", "999"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("date", "yesterday"),
        ("server", "other"),
    ]
    response = get_raw(200, fields, b"abc")
    assert response.headers["content-length"] == "3"
    assert response.headers["server"] == "django-cbolt"
    assert response.headers["date"] != "yesterday"
    assert not {"transfer-encoding", "connection"} & set(response.headers)


def test_head_may_announce_a_length_without_content() -> None:
    response = get_raw(200, [("content-length", "123")], b"", method="HEAD")
    assert response.headers["content-length"] == "123"
    assert get_raw(200, [], b"12345", method="HEAD").headers["content-length"] == "5"


@pytest.mark.parametrize("status", [204, 304])
def test_raw_response_without_content(status: int) -> None:
    response = get_raw(status, [("etag", '"x"')], b"dropped")
    assert (response.status, response.content, response.headers["etag"]) == (status, b"", '"x"')
    assert "content-length" not in response.headers


def test_latin1_values() -> None:
    assert get_raw(200, [("x", "gr\u00fc\u00df")]).headers["x"] == "gr\u00fc\u00df"


@pytest.mark.parametrize(
    "fields",
    [
        [("name", "a\r\nb: c")],
        [("name", "a\nb")],
        [("name", "a\0b")],
        [("na me", "a")],
        [("", "a")],
        [("name:", "a")],
        [("n\u00fc", "a")],
        [("name", "\u20ac")],
        [("name", None)],
        [("name",)],
        [["name", "value"]],
        [("fine", "1"), ("name", "a\rb")],
        5,
        None,
    ],
    ids=repr,
)
def test_bad_fields_are_an_exception_and_nothing_of_them_is_sent(fields: Any) -> None:
    response = get_raw(200, fields, b"secret")
    assert response.status == 500
    assert "fine" not in response.headers
    assert b"secret" not in response.content


def test_content_limits_and_binding_are_unaffected_by_the_plan() -> None:
    async def main() -> None:
        app = Application()
        app.add("/", lambda body: {"octets": len(body)}, ParamSpec("body", Source.BODY, decode=bytes), method="POST")
        async with serve(app, content_bytes=10) as service:
            await check(service)

    async def check(service: Service) -> None:
        assert (await service.get("/", method="POST", content=b"0123456789")).json() == {"octets": 10}
        assert (await service.get("/", method="POST", content=b"0123456789+")).status == 413

    run(main())
