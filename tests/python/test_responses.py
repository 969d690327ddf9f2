"""Response classes: content, content type, headers, cookies."""

from __future__ import annotations

import decimal
from typing import Any

import pytest
from testproject.blog.models import Person

from django_bolt._plan import NeedsFinalize
from django_bolt.responses import HTML, JSON, PlainText, Redirect, Response

JSON_TYPE = ("content-type", "application/json")


@pytest.mark.parametrize(
    ("response", "status", "content_type", "content"),
    [
        (Response(), 200, "application/json", b"{}"),
        (Response({"a": 1}, 201), 201, "application/json", b'{"a":1}'),
        (Response("text"), 200, "application/json", b'"text"'),
        (Response("text", media_type="text/plain"), 200, "text/plain; charset=utf-8", b"text"),
        (Response(5, media_type="text/csv"), 200, "text/csv; charset=utf-8", b"5"),
        (Response(None, media_type="text/plain"), 200, "text/plain; charset=utf-8", b""),
        (Response(b"\x00", media_type="image/png"), 200, "image/png", b"\x00"),
        (Response(bytearray(b"{}")), 200, "application/json", b"{}"),
        (Response(memoryview(b"x"), media_type="a/b"), 200, "a/b", b"x"),
        (Response({"a": 1}, media_type="application/problem+json"), 200, "application/problem+json", b'{"a":1}'),
        (Response({"a": 1}, headers={"Content-Type": "application/x"}), 200, "application/x", b"{'a': 1}"),
        (
            Response([1], headers={"content-type": "application/hal+json; a=b"}),
            200,
            "application/hal+json; a=b",
            b"[1]",
        ),
        (JSON({"d": decimal.Decimal("1.50")}), 200, "application/json", b'{"d":"1.50"}'),
        (JSON(None), 200, "application/json", b"null"),
        (JSON([1], status_code=202), 202, "application/json", b"[1]"),
        (PlainText("é"), 200, "text/plain; charset=utf-8", "é".encode()),
        (HTML("<p>", 404), 404, "text/html; charset=utf-8", b"<p>"),
    ],
)
def test_raw(response: Response, status: int, content_type: str, content: bytes) -> None:
    assert response.to_raw() == (status, [("content-type", content_type)], content)


@pytest.mark.parametrize("response", [Response({"a": 1}, 204), Response({"a": 1}, 304), JSON([1], 204)])
def test_statuses_without_content(response: Response) -> None:
    assert response.to_raw() == (response.status_code, [], b"")


def test_headers_are_lower_case_and_length_is_the_servers() -> None:
    response = JSON({}, headers={"X-Thing": "1", "Content-Length": "99"})
    assert response.to_raw()[1] == [JSON_TYPE, ("x-thing", "1")]


def test_cookies_are_chainable_and_separate() -> None:
    response = JSON({}).set_cookie("a", "1", httponly=True).delete_cookie("b")
    assert response.to_raw()[1] == [
        JSON_TYPE,
        ("set-cookie", "a=1; HttpOnly; SameSite=Lax; Path=/"),
        ("set-cookie", 'b=""; SameSite=Lax; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT'),
    ]


def test_redirect() -> None:
    response = Redirect("/é?a=b c", headers={"X-A": "1"}).set_cookie("a", "1", samesite=None, path=None)
    assert response.to_raw() == (
        307,
        [("location", "/%C3%A9?a=b%20c"), ("x-a", "1"), ("set-cookie", "a=1")],
        b"",
    )
    assert Redirect("/a", 303).to_raw()[0] == 303


@pytest.mark.parametrize("status", [99, 199, 600])
def test_wrong_status(status: int) -> None:
    with pytest.raises(ValueError, match="expected 200 to 599"):
        Response(status_code=status)
    with pytest.raises(ValueError, match="expected 300 to 399"):
        Redirect("/", 200)


@pytest.mark.parametrize(("name", "value"), [("x-a", "1\r\nx-b: 2"), ("x-a", "1\n"), ("x\r\n-a", "1"), ("x-a", "\x00")])
def test_header_injection(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        JSON({}, headers={name: value}).to_raw()
    with pytest.raises(ValueError, match="line break"):
        Redirect("/", headers={name: value}).to_raw()


@pytest.mark.parametrize("url", ["/\r\nset-cookie: a=b", "/\n"])
def test_redirect_target_cannot_break_the_header(url: str) -> None:
    assert "\n" not in dict(Redirect(url).to_raw()[1])["location"]


def test_content_without_json_form() -> None:
    unknown: Any = object()
    with pytest.raises(TypeError, match=r"builtins.object has no JSON form"):
        JSON({"a": unknown}).to_raw()
    with pytest.raises(NeedsFinalize):
        JSON({"a": [Person()]}).to_raw()
