"""Handler results to responses, over the wire; results that need a database are in orm/test_models.py."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import uuid
from collections.abc import AsyncIterator
from typing import Any, Generic, Literal, TypeVar

import msgspec
import pytest
from apis import call
from django.http import FileResponse, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from harness import Response as WireResponse

from django_bolt import HTML, JSON, BoltAPI, PlainText, Redirect, Response

T = TypeVar("T")
TEXT = "text/plain; charset=utf-8"
OCTETS = "application/octet-stream"
JSON_TYPE = "application/json"


class Item(msgspec.Struct):
    a: int
    note: str = "n"


class Other(msgspec.Struct):
    b: str


class Page(msgspec.Struct, Generic[T]):
    items: list[T]


@dataclasses.dataclass
class Data:
    a: int


class Named:
    """Read by attribute? No: only models are."""

    a = 1


UNDECLARED: Any = object()


def answer(result: Any, returns: Any = UNDECLARED, method: str = "GET", **options: Any) -> WireResponse:
    api = BoltAPI()

    async def handler() -> Any:
        return result() if callable(result) else result

    handler.__annotations__ = {} if returns is UNDECLARED else {"return": returns}
    getattr(api, method.lower())("/", **options)(handler)
    return call(api, "/", method)


@pytest.mark.parametrize(
    ("result", "content_type", "content"),
    [
        ({"a": 1}, JSON_TYPE, b'{"a":1}'),
        ([1, "x", None], JSON_TYPE, b'[1,"x",null]'),
        ((1, 2), JSON_TYPE, b"[1,2]"),
        ({1}, JSON_TYPE, b"[1]"),
        (5, JSON_TYPE, b"5"),
        (1.5, JSON_TYPE, b"1.5"),
        (True, JSON_TYPE, b"true"),
        ("text é", TEXT, "text é".encode()),
        (b"\x00\x01", OCTETS, b"\x00\x01"),
        (bytearray(b"x"), OCTETS, b"x"),
        (memoryview(b"x"), OCTETS, b"x"),
        (Item(1), JSON_TYPE, b'{"a":1,"note":"n"}'),
        ([Item(1)], JSON_TYPE, b'[{"a":1,"note":"n"}]'),
        (Data(1), JSON_TYPE, b'{"a":1}'),
        (decimal.Decimal("1.0"), JSON_TYPE, b'"1.0"'),
        (uuid.UUID(int=1), JSON_TYPE, b'"00000000-0000-0000-0000-000000000001"'),
        (datetime.date(2024, 1, 2), JSON_TYPE, b'"2024-01-02"'),
        ({"t": datetime.timedelta(seconds=90)}, JSON_TYPE, b'{"t":"PT90S"}'),
        (JSON([1]), JSON_TYPE, b"[1]"),
        (PlainText("p"), TEXT, b"p"),
        (HTML("<p>"), "text/html; charset=utf-8", b"<p>"),
        (Response("x", media_type="a/b"), "a/b", b"x"),
    ],
)
def test_undeclared(result: Any, content_type: str, content: bytes) -> None:
    response = answer(result)
    assert (response.status, response.headers["content-type"], response.content) == (200, content_type, content)
    assert response.headers["content-length"] == str(len(content))


@pytest.mark.parametrize(
    ("result", "returns", "content"),
    [
        ({"a": 1, "extra": 2}, Item, b'{"a":1,"note":"n"}'),
        (Item(1), Item, b'{"a":1,"note":"n"}'),
        ([{"a": 1}], list[Item], b'[{"a":1,"note":"n"}]'),
        ([Item(1), {"a": 2}], list[Item], b'[{"a":1,"note":"n"},{"a":2,"note":"n"}]'),
        (None, Item | None, b"null"),
        ({"b": "x"}, Item | Other, b'{"b":"x"}'),
        (Other("x"), Item | Other, b'{"b":"x"}'),
        ({"items": [{"a": 1}]}, Page[Item], b'{"items":[{"a":1,"note":"n"}]}'),
        (Page([Item(1)]), Page[Item], b'{"items":[{"a":1,"note":"n"}]}'),
        ({"a": 1}, Data, b'{"a":1}'),
        (Data(1), Data, b'{"a":1}'),
        ({"x": 1}, dict[str, int], b'{"x":1}'),
        ((1, "a"), tuple[int, str], b'[1,"a"]'),
        ({"anything": object}, None, None),
        ([1, "mixed"], list, b'[1,"mixed"]'),
        ({1: 2}, dict, b'{"1":2}'),
        (JSON({"a": 1, "extra": 2}), Item, b'{"a":1,"note":"n"}'),
        (Response({"a": 1, "extra": 2}), Item, b'{"a":1,"note":"n"}'),
        (5, int, b"5"),
        (None, None, b"null"),
    ],
)
def test_declared(result: Any, returns: Any, content: bytes | None) -> None:
    response = answer(result, returns)
    if content is None:
        assert response.status == 500
    else:
        assert (response.status, response.content) == (200, content)


@pytest.mark.parametrize(
    ("result", "returns", "message"),
    [
        ({"a": "x"}, Item, "Expected `int`, got `str` - at `$.a`"),
        ({}, Item, "Object missing required field `a`"),
        ([{"a": 1}, {"a": None}], list[Item], "Expected `int`, got `null` - at `$[1].a`"),
        (5, Item, "Expected `object`, got `int`"),
        (None, list[Item] | int, "Expected"),
        (Named, Item, "Expected `object`, got `type`"),
        (JSON({"a": "x"}), Item, "Expected `int`, got `str` - at `$.a`"),
    ],
)
def test_declared_but_wrong(result: Any, returns: Any, message: str) -> None:
    response = answer(lambda: result, returns)
    assert response.status == 500
    body = response.json()
    assert body["detail"] == "Response validation error"
    (error,) = body["extra"]["validation_errors"]
    assert (error["loc"], error["type"]) == (["response"], "validation_error")
    assert error["msg"].startswith(message)


@pytest.mark.parametrize("result", [{"a": "x", "extra": 1}, JSON({"a": "x", "extra": 1})])
def test_validate_response_off(result: Any) -> None:
    assert answer(result, Item, validate_response=False).json() == {"a": "x", "extra": 1}


@pytest.mark.parametrize("result", [JSON({"error": 1}, 404), Response({"error": 1}, 404), PlainText("x", 404)])
def test_another_status_is_not_checked(result: Any) -> None:
    response = answer(result, Item)
    assert response.status == 404
    assert response.content in (b'{"error":1}', b"x")


def test_status_code() -> None:
    assert answer({"a": 1}, Item, "POST", status_code=201).status == 201
    assert answer({"a": 1}, Item, "POST").status == 200


@pytest.mark.parametrize("result", [None, {"a": 1}, Item(1), "text"])
def test_204_has_no_content(result: Any) -> None:
    response = answer(result, status_code=204, method="DELETE")
    assert (response.status, response.content) == (204, b"")
    assert "content-type" not in response.headers


def test_none_is_an_error_unless_declared() -> None:
    assert answer(None).status == 500
    assert answer(None, Item).status == 500
    assert answer(None, Any).content == b"null"


MODELS = {200: Item, 404: Other, 202: None, ...: dict}


@pytest.mark.parametrize(
    ("result", "status", "content"),
    [
        ((200, {"a": "unchecked"}), 200, b'{"a":"unchecked"}'),
        ((404, Other("x")), 404, b'{"b":"x"}'),
        ((202, {"ignored": 1}), 202, b""),
        ((200, None), 200, b""),
        ((418, {"x": 1}), 418, b'{"x":1}'),
        ({"a": 1}, 200, b'{"a":1}'),
        (None, 200, b""),
        ((1, 2), 200, b"[1,2]"),
        (JSON({"x": 1}, 409), 409, b'{"x":1}'),
        ((404, "text"), 404, b'"text"'),
    ],
)
def test_models_by_status(result: Any, status: int, content: bytes) -> None:
    response = answer(result, response_model=MODELS)
    assert (response.status, response.content) == (status, content)


def test_headers_and_cookies_of_responses() -> None:
    response = answer(JSON({}, headers={"X-A": "1"}).set_cookie("a", "1").delete_cookie("b"))
    assert response.headers["x-a"] == "1"
    assert [value for name, value in response.fields if name == "set-cookie"] == [
        "a=1; SameSite=Lax; Path=/",
        'b=""; SameSite=Lax; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    ]


def test_redirect() -> None:
    response = answer(Redirect("/there", 302), Item)
    assert (response.status, response.headers["location"], response.content) == (302, "/there", b"")
    assert response.headers["content-length"] == "0"


def http_response() -> HttpResponse:
    response = HttpResponse("body é", status=202, headers={"X-A": "1"})
    response.set_cookie("sid", "v", httponly=True)
    response.delete_cookie("old")
    return response


def test_django_response_with_its_cookies() -> None:
    response = answer(http_response)
    assert (response.status, response.content, response.headers["x-a"]) == (202, "body é".encode(), "1")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert [value for name, value in response.fields if name == "set-cookie"] == [
        "sid=v; HttpOnly; Path=/",
        'old=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/',
    ]


async def chunks() -> AsyncIterator[str]:
    yield "a"
    yield "b"


@pytest.mark.parametrize(
    ("result", "status", "content"),
    [
        (lambda: JsonResponse({"a": 1}), 200, b'{"a": 1}'),
        (lambda: HttpResponseRedirect("/x"), 302, b""),
        (lambda: StreamingHttpResponse(iter(["a", b"b"])), 200, b"ab"),
        (lambda: StreamingHttpResponse(chunks()), 200, b"ab"),
        (lambda: FileResponse(open(__file__, "rb"), filename="x.txt"), 200, None),  # noqa: SIM115 - it closes it
        (lambda: TemplateResponse(None, engines["django"].from_string("{{ x }}!"), {"x": 5}), 200, b"5!"),
    ],
)
def test_django_responses(result: Any, status: int, content: bytes | None) -> None:
    response = answer(result, Item)
    assert response.status == status
    if content is not None:
        assert response.content == content
    assert response.headers["content-length"] == str(len(response.content))


@pytest.mark.parametrize("result", [lambda: iter([1]), lambda: chunks(), lambda: (n for n in (1, 2)), object])
def test_results_without_a_response(result: Any) -> None:
    assert answer(result).json() == {"detail": "Internal Server Error"}


def test_literal_result() -> None:
    assert answer("a", Literal["a", "b"]).content == b"a"
    assert answer("c", Literal["a", "b"]).status == 500


def test_sync_handlers() -> None:
    api = BoltAPI()

    @api.get("/")
    def handler(n: int) -> Item:
        return Item(n)

    assert call(api, "/?n=5").json() == {"a": 5, "note": "n"}


def test_head_has_the_length_of_get() -> None:
    response = answer({"a": 1}, method="GET")
    api = BoltAPI()

    @api.get("/")
    async def handler() -> dict[str, int]:
        return {"a": 1}

    head = call(api, "/", "HEAD")
    assert (head.status, head.headers["content-length"]) == (200, response.headers["content-length"])
