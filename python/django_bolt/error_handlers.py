"""Exceptions to responses. Each handler returns (status, header pairs, content octets).

``describe`` is the one place that knows which exception means which status. The default format, ``problem_details``
and a user's ``error_formatter`` all start from the ``BoltError`` it makes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, SuspiciousOperation
from django.http import Http404

from django_bolt._binding_errors import body_error
from django_bolt._debug_page import traceback_page
from django_bolt._json import encode_final
from django_bolt.exceptions import (
    BoltError,
    ErrorItem,
    HTTPException,
    RequestValidationError,
    ResponseValidationError,
    ValidationException,
    reason_phrase,
)
from django_bolt.responses import RawResponse, Response, checked_headers

_JSON = "application/json"
_MAPPED: tuple[tuple[type[Exception], int], ...] = (
    (Http404, 404),
    (ObjectDoesNotExist, 404),
    (FileNotFoundError, 404),
    (PermissionDenied, 403),
    (PermissionError, 403),
    (SuspiciousOperation, 400),
)


def describe(exc: BaseException) -> BoltError:
    """What an exception means to the client."""
    if isinstance(exc, HTTPException):
        return BoltError(exc.status_code, "http", exc.detail, (), exc.headers, exc.extra, exc)
    if isinstance(exc, ResponseValidationError):
        return BoltError(500, "response_validation", exc.detail, exc.errors(), exception=exc)
    if isinstance(exc, ValidationException):
        return BoltError(422, "request_validation", exc.detail, exc.errors(), exception=exc)
    if isinstance(exc, msgspec.ValidationError):
        errors = msgspec_validation_error_to_dict(exc)
        return BoltError(422, "request_validation", RequestValidationError.default_detail, errors, exception=exc)
    for cls, status in _MAPPED:
        if isinstance(exc, cls):
            return BoltError(status, "http", _public_text(exc) or reason_phrase(status), exception=exc)
    return BoltError(500, "unhandled", reason_phrase(500), exception=exc)


def _public_text(exc: Exception) -> str:
    """The text of a mapped exception; not that of one made by the operating system, which names files of the server."""
    if isinstance(exc, SuspiciousOperation) or (isinstance(exc, OSError) and exc.errno is not None):
        return ""
    first = exc.args[0] if exc.args else ""
    return first if isinstance(first, str) else ""


def format_error_response(
    status_code: int,
    detail: object,
    headers: Mapping[str, str] | None = None,
    extra: object = None,
) -> RawResponse:
    """``{"detail": detail}`` as JSON, with ``extra`` under its own key when there is one."""
    content = {"detail": detail} if extra is None else {"detail": detail, "extra": extra}
    return _raw(status_code, headers or {}, content)


def http_exception_handler(exc: HTTPException) -> RawResponse:
    """The exception's status, headers and ``{"detail": ...}``, or its ``body`` in place of that."""
    if exc.body is not None:
        return _raw(exc.status_code, exc.headers, exc.body)
    return format_error_response(exc.status_code, exc.detail, exc.headers, exc.extra)


def request_validation_error_handler(exc: RequestValidationError) -> RawResponse:
    """422 with the list of errors as the detail."""
    return format_error_response(422, list(exc.errors()))


def response_validation_error_handler(exc: ResponseValidationError) -> RawResponse:
    """500 with the list of errors under ``extra``."""
    return format_error_response(500, exc.detail, extra={"validation_errors": list(exc.errors())})


def generic_exception_handler(exc: BaseException, debug: bool = False, request: Any = None) -> RawResponse:
    """500 without details, or Django's traceback page when debugging."""
    if debug:
        return 500, [("content-type", "text/html; charset=utf-8")], traceback_page(exc, request)
    return format_error_response(500, reason_phrase(500))


def handle_exception(exc: BaseException, debug: bool | None = None, request: Any = None) -> RawResponse:
    """The default response to any exception. ``debug`` None means ``settings.DEBUG``."""
    error = describe(exc)
    if isinstance(exc, HTTPException):
        return http_exception_handler(exc)
    if isinstance(exc, ResponseValidationError):
        return response_validation_error_handler(exc)
    if error.kind == "request_validation":
        return format_error_response(422, list(error.errors))
    if error.kind == "unhandled":
        return generic_exception_handler(exc, settings.DEBUG if debug is None else debug, request)
    return format_error_response(error.status, error.detail)


def msgspec_validation_error_to_dict(error: msgspec.ValidationError) -> Sequence[ErrorItem]:
    """The validation report of an error msgspec raised, located in the body."""
    return body_error(error, "body", "", b"").errors()


def problem_details(error: BoltError, request: Any) -> Response:
    """An ``error_formatter`` that answers ``application/problem+json`` (RFC 9457)."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": reason_phrase(error.status),
        "status": error.status,
        "detail": error.detail,
        "instance": request.path,
    }
    if error.errors:
        content["errors"] = list(error.errors)
    if isinstance(error.extra, Mapping):
        content.update((key, value) for key, value in error.extra.items() if key not in content)
    elif error.extra is not None:
        content["extra"] = error.extra
    return Response(content, error.status, error.headers, "application/problem+json")


def _raw(status: int, headers: Mapping[str, str], content: object) -> RawResponse:
    pairs = [(name.lower(), str(value)) for name, value in headers.items() if name.lower() != "content-length"]
    if not any(name == "content-type" for name, _ in pairs):
        pairs.insert(0, ("content-type", _JSON))
    return status, checked_headers(pairs), encode_final(content)
