"""Errors over the wire: formats, error formatters, logging, the traceback page."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from apis import call
from django.core.exceptions import SuspiciousOperation
from django.http import HttpResponse
from django.test import override_settings

from django_bolt import JSON, BoltAPI, BoltError, Request, Response, problem_details
from django_bolt._hooks import Hooks
from django_bolt.exceptions import Conflict, HTTPException


def raising(exc: BaseException, formatter: Any = None) -> BoltAPI:
    api = BoltAPI(error_formatter=formatter)

    @api.get("/")
    async def handler(n: int = 0) -> None:
        raise exc

    return api


def test_http_exception() -> None:
    response = call(raising(Conflict("taken", headers={"X-A": "1"}, extra={"id": 5})), "/")
    assert (response.status, response.headers["x-a"]) == (409, "1")
    assert response.json() == {"detail": "taken", "extra": {"id": 5}}


def test_unhandled_is_logged_with_the_handler(caplog: pytest.LogCaptureFixture) -> None:
    assert call(raising(ValueError("boom")), "/").json() == {"detail": "Internal Server Error"}
    (record,) = [record for record in caplog.records if record.name == "django.request"]
    assert record.getMessage().startswith("Internal Server Error: GET / (")
    assert "raising.<locals>.handler" in record.getMessage()
    assert record.exc_info is not None
    assert (record.status_code, record.request.path) == (500, "/")  # type: ignore[attr-defined]


def test_client_errors_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    call(raising(Conflict()), "/")
    call(raising(Conflict()), "/?n=x")
    assert caplog.records == []


def test_suspicious_operations_are_logged_as_security(caplog: pytest.LogCaptureFixture) -> None:
    response = call(raising(SuspiciousOperation("tampered")), "/")
    assert (response.status, response.json()) == (400, {"detail": "Bad Request"})
    assert [record.name for record in caplog.records] == ["django.security.SuspiciousOperation"]


@override_settings(DEBUG=True)
def test_traceback_page() -> None:
    response = call(raising(ValueError("for the developer")), "/?n=5", headers=["x-thing: 7"])
    assert (response.status, response.headers["content-type"]) == (500, "text/html; charset=utf-8")
    for text in (b"for the developer", b"HTTP_X_THING", b"raise exc"):
        assert text in response.content
    assert call(raising(Conflict()), "/").json() == {"detail": "Conflict"}


def formatter(error: BoltError, request: Request) -> Response:
    content = {"kind": error.kind, "status": error.status, "detail": error.detail, "path": request.path}
    return JSON(content, error.status, headers=error.headers)


@pytest.mark.parametrize(
    ("exc", "path", "method", "expected"),
    [
        (Conflict("taken"), "/", "GET", {"kind": "http", "status": 409, "detail": "taken"}),
        (ValueError(), "/", "GET", {"kind": "unhandled", "status": 500, "detail": "Internal Server Error"}),
        (ValueError(), "/?n=x", "GET", {"kind": "http", "status": 422}),
        (ValueError(), "/nowhere", "GET", {"kind": "server", "status": 404, "detail": "Not Found"}),
        (ValueError(), "/", "POST", {"kind": "server", "status": 405, "detail": "Method Not Allowed"}),
    ],
)
def test_error_formatter(exc: Exception, path: str, method: str, expected: dict[str, Any]) -> None:
    response = call(raising(exc, formatter), path, method)
    body = response.json()
    assert response.status == expected["status"]
    assert expected.items() <= body.items()
    assert body["path"] == path.partition("?")[0]


def test_formatted_405_keeps_allow() -> None:
    assert call(raising(ValueError(), formatter), "/", "POST").headers["allow"].startswith("GET")


def test_own_body_is_not_reformatted() -> None:
    assert call(raising(HTTPException(400, body={"own": 1}), formatter), "/").json() == {"own": 1}


def test_problem_details() -> None:
    response = call(raising(Conflict("taken"), problem_details), "/")
    assert response.headers["content-type"] == "application/problem+json"
    expected = {"type": "about:blank", "title": "Conflict", "status": 409, "detail": "taken", "instance": "/"}
    assert response.json() == expected


def broken(error: BoltError, request: Request) -> Response:
    raise RuntimeError("in the formatter")


def wrong_type(error: BoltError, request: Request) -> Response:
    return HttpResponse("x")  # type: ignore[return-value]


@pytest.mark.parametrize("bad", [broken, wrong_type])
def test_a_failing_formatter_is_logged_and_answered(bad: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert call(raising(Conflict(), bad), "/").json() == {"detail": "Internal Server Error"}
    assert call(raising(Conflict(), bad), "/nowhere").json() == {"detail": "Not Found"}
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.ERROR]


def test_header_injection_in_an_exception_is_a_500() -> None:
    response = call(raising(Conflict(headers={"x": "a\r\nset-cookie: b=c"})), "/")
    assert (response.status, response.json()) == (500, {"detail": "Internal Server Error"})
    assert "set-cookie" not in response.headers


def test_unmatched_without_a_formatter() -> None:
    assert Hooks(None).handle_unmatched(404, [], None) is None
