"""HTTPException's arguments, the status of each class, validation reports."""

from __future__ import annotations

import copy

import pytest

from django_bolt import exceptions

STATUSES = [
    ("HTTPException", 500),
    ("ClientException", 400),
    ("BadRequest", 400),
    ("Unauthorized", 401),
    ("Forbidden", 403),
    ("NotFound", 404),
    ("MethodNotAllowed", 405),
    ("NotAcceptable", 406),
    ("Conflict", 409),
    ("Gone", 410),
    ("UnprocessableEntity", 422),
    ("TooManyRequests", 429),
    ("ServerException", 500),
    ("InternalServerError", 500),
    ("NotImplemented", 501),
    ("BadGateway", 502),
    ("ServiceUnavailable", 503),
    ("GatewayTimeout", 504),
]


@pytest.mark.parametrize(("name", "status"), STATUSES)
def test_default_status_and_phrase(name: str, status: int) -> None:
    cls = getattr(exceptions, name)
    exc = cls()
    assert exc.status_code == cls.status_code == status
    assert exc.detail == exceptions.reason_phrase(status)
    assert isinstance(exc, exceptions.BoltException)


def test_text_first_is_the_detail() -> None:
    exc = exceptions.NotFound("No such user")
    assert (exc.status_code, exc.detail) == (404, "No such user")
    assert str(exc) == "No such user"


def test_detail_keyword_and_positional_status() -> None:
    assert exceptions.NotFound(detail="gone").detail == "gone"
    exc = exceptions.ClientException(418, "teapot", {"x-a": "1"}, {"k": 1}, body={"e": 1})
    assert (exc.status_code, exc.detail, exc.headers, exc.extra, exc.body) == (
        418,
        "teapot",
        {"x-a": "1"},
        {"k": 1},
        {"e": 1},
    )


def test_empty_detail_is_the_phrase() -> None:
    assert exceptions.HTTPException(404, "").detail == "Not Found"
    assert exceptions.HTTPException(299).detail == ""


def test_headers_are_copied() -> None:
    headers = {"x-a": "1"}
    exc = exceptions.HTTPException(400, headers=headers)
    headers["x-a"] = "2"
    assert exc.headers == {"x-a": "1"}


def test_structured_detail_is_kept() -> None:
    assert exceptions.BadRequest(detail=[{"a": 1}]).detail == [{"a": 1}]


@pytest.mark.parametrize("status", [0, 99, 101, 199, 600, 1000])
def test_status_out_of_range(status: int) -> None:
    with pytest.raises(ValueError, match=str(status)):
        exceptions.HTTPException(status)


def test_misuse() -> None:
    with pytest.raises(TypeError, match="detail given twice"):
        exceptions.NotFound("a", "b")
    with pytest.raises(TypeError, match="expected an int"):
        exceptions.HTTPException(4.5)  # type: ignore[arg-type]


def test_copy_keeps_status_and_detail() -> None:
    twin = copy.copy(exceptions.NotFound("x"))
    assert (twin.status_code, twin.detail) == (404, "x")


@pytest.mark.parametrize("name", ["ValidationException", "RequestValidationError", "ResponseValidationError"])
def test_validation_errors(name: str) -> None:
    items = [{"type": "validation_error", "loc": ["body", "a"], "msg": "m"}]
    exc = getattr(exceptions, name)(items)
    assert exc.errors() == items
    assert "'loc': ['body', 'a']" in str(exc)


def test_refused_body_is_kept() -> None:
    assert exceptions.RequestValidationError([], body=b"{").body == b"{"
    assert exceptions.ResponseValidationError([], body={"a": 1}).body == {"a": 1}


def test_bolt_exception_detail_from_first_argument() -> None:
    assert exceptions.BoltException("boom").detail == "boom"
    assert exceptions.BoltException("boom", detail="shown").detail == "shown"
    assert exceptions.BoltException().detail == ""
