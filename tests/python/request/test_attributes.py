"""method, path, query, params, headers, cookies, body: inside the handler and after the response."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import pytest
from tests.python.harness import RawResponse
from tests.python.support.binding import param, query, route
from tests.python.support.requests import kept_request, look
from tests.python.support.wire import ErrorHooks, raw_request, serve

from django_bolt import _core
from django_bolt._plan import Container, GroupSpec, Kind, ParamSpec, Source

UUID = "12345678-1234-5678-9abc-def012345678"


def test_method() -> None:
    assert look(lambda request: request.method, method="PATCH") == "PATCH"


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/f/a", "/f/a"),
        ("/f/a%20b+c?x=/y", "/f/a b+c"),
        ("/f/%C3%A9", "/f/é"),
        ("/f/%ff", "/f/\ufffd"),
        ("http://testserver/f/a?x", "/f/a"),
    ],
)
def test_path(target: str, path: str) -> None:
    assert look(lambda request: request.path, path="/f/{x}", target=target) == path


class TestQuery:
    def test_texts(self) -> None:
        target = "/?a=1&b=x+y&a=%C3%A9&c&%64=%ff"
        assert look(lambda request: request.query, target=target) == {"a": "é", "b": "x y", "c": "", "d": "\ufffd"}

    def test_none(self) -> None:
        assert look(lambda request: request.query, target="/?") == {}

    def test_declared_values_are_converted(self) -> None:
        group = GroupSpec((query("g", Kind.INT),), dict)
        params = (
            query("page", Kind.INT, key="p"),
            query("ids", Kind.INT, container=Container.LIST),
            query("token", Kind.UUID),
            query("absent", Kind.INT, required=False),
            query("group", group=group),
        )
        target = f"/?p=1&p=2&ids=3&ids=4&token={UUID}&g=5&other=6"
        expected = {"p": 2, "ids": [3, 4], "token": uuid.UUID(UUID), "g": 5, "other": "6"}
        assert look(lambda request: request.query, *params, target=target) == expected

    def test_what_does_not_convert_stays_text(self) -> None:
        seen: list[Any] = []

        class LookingHooks(ErrorHooks):
            def handle_exception(self, exc: BaseException, request: _core.Request, meta: Any) -> RawResponse:
                seen.append((request.query, request.params, request.cookies))
                return super().handle_exception(exc, request, meta)

        async def handler(*_: Any) -> None:
            raise AssertionError("never called")

        params = (
            query("a", Kind.INT, container=Container.LIST),
            param("b", Source.PATH, Kind.INT, capture=0),
            param("c", Source.COOKIE, Kind.BOOL),
        )
        with serve(route(*params, path="/{b}", handler=handler), hooks=LookingHooks()) as wire:
            assert wire.request(raw_request("/x?a=1&a=y", headers=(("Cookie", "c=maybe"),))).status == 422
        assert seen == [({"a": "y"}, {"b": "x"}, {"c": "maybe"})]


class TestParams:
    def test_undeclared_segments_are_texts(self) -> None:
        expected = {"a": "x y", "rest": "b/c"}
        assert look(lambda request: request.params, path="/{a}/{rest:path}", target="/x%20y/b/c") == expected

    def test_declared_segments_are_converted(self) -> None:
        spec = param("number", Source.PATH, Kind.INT, key="n", capture=1)
        expected = {"a": "x", "n": 7}
        assert look(lambda request: request.params, spec, path="/{a}/{n:int}", target="/x/7") == expected


class TestHeaders:
    def test_lower_case_and_joined(self) -> None:
        headers = (("X-One", "1"), ("Accept", "a"), ("x-one", "2"), ("Cookie", "a=1"), ("X-ONE", ""), ("Cookie", "b=2"))
        expected = {"host": "testserver", "x-one": "1, 2, ", "accept": "a", "cookie": "a=1; b=2"}
        assert look(lambda request: request.headers, headers=headers) == expected

    def test_any_octets(self) -> None:
        headers = (("X-Utf8", "grüße".encode()), ("X-Latin", b"gr\xfc\xdfe"))
        seen = look(lambda request: request.headers, headers=headers)
        assert (seen["x-utf8"], seen["x-latin"]) == ("grüße", "grüße")

    def test_it_is_a_dict(self) -> None:
        request = kept_request()
        assert type(request.headers) is dict
        assert request.headers is request.headers

    def test_host_of_an_absolute_target_wins(self) -> None:
        assert look(lambda request: request.headers["host"], target="http://other.example:81/") == "other.example:81"


class TestCookies:
    HEADERS = (("Cookie", 'a=1; b="two words"; a=2'), ("Cookie", "c=x=y"))

    def test_raw(self) -> None:
        seen = look(lambda request: request.raw_cookies, param("a", Source.COOKIE, Kind.INT), headers=self.HEADERS)
        assert seen == {"a": "2", "b": "two words", "c": "x=y"}

    def test_declared_values_are_converted(self) -> None:
        seen = look(lambda request: request.cookies, param("n", Source.COOKIE, Kind.INT, key="a"), headers=self.HEADERS)
        assert seen == {"a": 2, "b": "two words", "c": "x=y"}

    def test_raw_and_converted_are_two_dicts(self) -> None:
        request = kept_request()
        assert request.cookies == request.raw_cookies == {}
        assert request.cookies is not request.raw_cookies


class TestBody:
    def test_octets(self) -> None:
        assert look(lambda request: request.body, method="POST", body=b"\x00\xff") == b"\x00\xff"
        assert look(lambda request: request.body) == b""

    def test_beside_a_decoded_parameter(self) -> None:
        spec = ParamSpec("item", Source.BODY, decode=msgspec.json.decode)
        assert look(lambda request: request.body, spec, method="POST", body=b"[1]") == b"[1]"


def test_forms_are_empty() -> None:
    assert look(lambda request: (request.form, request.files)) == ({}, {})


def test_repr() -> None:
    assert look(repr, path="/f/{x}", target="/f/a%20b?c") == "<Request: GET '/f/a b'>"


def test_it_cannot_be_made_by_hand() -> None:
    with pytest.raises(TypeError, match="cannot create"):
        _core.Request()
