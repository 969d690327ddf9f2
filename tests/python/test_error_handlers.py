"""Exceptions to statuses and bodies."""

from __future__ import annotations

import json
import types
from typing import Any

import msgspec
import pytest
from django.core.exceptions import DisallowedHost, ObjectDoesNotExist, PermissionDenied, SuspiciousOperation
from django.http import Http404
from testproject.blog.models import Person

from django_bolt import error_handlers
from django_bolt.exceptions import (
    BadRequest,
    BoltError,
    HTTPException,
    NotFound,
    RequestValidationError,
    ResponseValidationError,
)

ITEMS = [{"type": "validation_error", "loc": ["body", "a"], "msg": "m"}]


def validation_error() -> msgspec.ValidationError:
    try:
        msgspec.convert({"a": "x"}, dict[str, int])
    except msgspec.ValidationError as exc:
        return exc
    raise AssertionError


def os_error(kind: type[OSError]) -> OSError:
    return kind(2, "No such file or directory", "/etc/secret")


CASES: list[tuple[BaseException, int, Any]] = [
    (HTTPException(418, "teapot"), 418, {"detail": "teapot"}),
    (HTTPException(400, "x", extra={"k": 1}), 400, {"detail": "x", "extra": {"k": 1}}),
    (HTTPException(400, body={"error": "own"}), 400, {"error": "own"}),
    (BadRequest(detail=[{"a": 1}]), 400, {"detail": [{"a": 1}]}),
    (NotFound(), 404, {"detail": "Not Found"}),
    (RequestValidationError(ITEMS), 422, {"detail": ITEMS}),
    (
        ResponseValidationError(ITEMS),
        500,
        {"detail": "Response validation error", "extra": {"validation_errors": ITEMS}},
    ),
    (
        validation_error(),
        422,
        {"detail": [{"type": "validation_error", "loc": ["body", "..."], "msg": "Expected `int`, got `str`"}]},
    ),
    (Http404("No such page"), 404, {"detail": "No such page"}),
    (Http404(), 404, {"detail": "Not Found"}),
    (Http404({"path": "x"}), 404, {"detail": "Not Found"}),
    (ObjectDoesNotExist("gone"), 404, {"detail": "gone"}),
    (Person.DoesNotExist("Person matching query does not exist."), 404,
     {"detail": "Person matching query does not exist."}),
    (PermissionDenied("no"), 403, {"detail": "no"}),
    (PermissionDenied(), 403, {"detail": "Forbidden"}),
    (PermissionError("not yours"), 403, {"detail": "not yours"}),
    (os_error(PermissionError), 403, {"detail": "Forbidden"}),
    (FileNotFoundError("File not found: a"), 404, {"detail": "File not found: a"}),
    (os_error(FileNotFoundError), 404, {"detail": "Not Found"}),
    (SuspiciousOperation("tampered"), 400, {"detail": "Bad Request"}),
    (DisallowedHost("evil"), 400, {"detail": "Bad Request"}),
    (ValueError("secret"), 500, {"detail": "Internal Server Error"}),
    (Person.MultipleObjectsReturned("two"), 500, {"detail": "Internal Server Error"}),
]  # fmt: skip


@pytest.mark.parametrize(("exc", "status", "body"), CASES, ids=[repr(row[0])[:40] for row in CASES])
def test_handle_exception(exc: BaseException, status: int, body: Any) -> None:
    got, headers, content = error_handlers.handle_exception(exc, debug=False)
    assert (got, json.loads(content)) == (status, body)
    assert headers == [("content-type", "application/json")]
    assert error_handlers.describe(exc).status == status


def test_headers_of_the_exception() -> None:
    exc = HTTPException(401, headers={"WWW-Authenticate": "Basic", "Content-Length": "5"})
    assert error_handlers.http_exception_handler(exc)[1] == [
        ("content-type", "application/json"),
        ("www-authenticate", "Basic"),
    ]
    own_type = HTTPException(400, body="text", headers={"content-type": "application/x"})
    assert error_handlers.http_exception_handler(own_type)[1] == [("content-type", "application/x")]


def test_header_injection_is_refused() -> None:
    with pytest.raises(ValueError, match="line break"):
        error_handlers.http_exception_handler(HTTPException(400, headers={"x": "a\r\nb: c"}))


def test_traceback_page() -> None:
    request = types.SimpleNamespace(
        method="GET", path="/p", META={"REQUEST_METHOD": "GET", "HTTP_HOST": "testserver"}, raw_cookies={}
    )
    try:
        raise ValueError("seen by the developer")
    except ValueError as exc:
        status, headers, content = error_handlers.handle_exception(exc, debug=True, request=request)
    assert (status, headers) == (500, [("content-type", "text/html; charset=utf-8")])
    assert b"seen by the developer" in content
    assert b"test_traceback_page" in content


def test_traceback_page_is_only_for_unhandled_exceptions() -> None:
    assert error_handlers.handle_exception(NotFound(), debug=True)[0] == 404


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            BoltError(404, "http", "no", extra={"code": 7, "status": 1}),
            {"title": "Not Found", "status": 404, "detail": "no", "code": 7},
        ),
        (
            BoltError(422, "request_validation", "bad", ITEMS),
            {"title": "Unprocessable Entity", "status": 422, "detail": "bad", "errors": ITEMS},
        ),
        (BoltError(400, "http", "x", extra=[1]), {"title": "Bad Request", "status": 400, "detail": "x", "extra": [1]}),
    ],
)
def test_problem_details(error: BoltError, expected: dict[str, Any]) -> None:
    response = error_handlers.problem_details(error, types.SimpleNamespace(path="/p"))
    status, headers, content = response.to_raw()
    assert headers == [("content-type", "application/problem+json")]
    if expected["title"] == "Unprocessable Entity":  # Python 3.13 knows the name of RFC 9110
        expected["title"] = json.loads(content)["title"]
    assert json.loads(content) == {"type": "about:blank", "instance": "/p", **expected}
    assert status == error.status
