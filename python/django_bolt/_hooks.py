"""The Python side of the server's cold paths: ``_core`` calls these, never per ordinary request."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence
from typing import Any

from django.core.exceptions import SuspiciousOperation

from django_bolt import error_handlers
from django_bolt._debug_page import as_http_request
from django_bolt._finalize import finalize
from django_bolt._json import encode_fallback, encode_final
from django_bolt._registration import ErrorFormatter, RouteMeta
from django_bolt.exceptions import BoltError, HTTPException, reason_phrase
from django_bolt.responses import RawResponse, Response

_logger = logging.getLogger("django.request")


class Hooks:
    """See ``_core.Hooks``. ``error_formatter`` serves errors found before a route was chosen."""

    def __init__(self, error_formatter: ErrorFormatter | None) -> None:
        self._error_formatter = error_formatter

    def handle_exception(self, exc: BaseException, request: Any, meta: RouteMeta | None) -> RawResponse:
        """The response to an exception; logs it when the client is not to blame. Never raises."""
        formatter = self._error_formatter if meta is None else meta.owner.error_formatter
        try:
            if formatter is None and isinstance(exc, HTTPException):
                return error_handlers.http_exception_handler(exc)
            error = error_handlers.describe(exc)
            _log(error, request, meta)
            if formatter is not None and not (isinstance(exc, HTTPException) and exc.body is not None):
                return _formatted(formatter, error, request)
            return error_handlers.handle_exception(exc, request=request)
        except Exception:
            _logger.exception("While answering %s: %r", _subject(request, meta), exc)
            return error_handlers.format_error_response(500, reason_phrase(500))

    def finalize(self, result: Any, request: Any, meta: RouteMeta) -> RawResponse | Awaitable[RawResponse]:
        """See ``_finalize.finalize``."""
        return finalize(result, meta)

    def handle_unmatched(self, status: int, headers: Sequence[tuple[str, str]], request: Any) -> RawResponse | None:
        """Errors of the server itself through the error formatter; None without one, or when it fails."""
        if self._error_formatter is None:
            return None
        error = BoltError(status, "server", reason_phrase(status), headers=dict(headers))
        try:
            return _formatted(self._error_formatter, error, request)
        except Exception:
            _logger.exception("The error formatter failed on %s", error)
            return None

    def encode_fallback(self, value: Any) -> Any:
        """See ``_json.encode_fallback``."""
        return encode_fallback(value)


def _formatted(formatter: ErrorFormatter, error: BoltError, request: Any) -> RawResponse:
    response = formatter(error, request)
    if not isinstance(response, Response):
        kind = type(response).__name__
        raise TypeError(f"error_formatter must return a Response of django_bolt, got {kind}")
    return response.to_raw(encode_final)


def _log(error: BoltError, request: Any, meta: RouteMeta | None) -> None:
    exc = error.exception
    if isinstance(exc, SuspiciousOperation):
        logger = logging.getLogger(f"django.security.{type(exc).__name__}")
        logger.error(str(exc), exc_info=exc, extra={"status_code": 400, "request": as_http_request(request)})
    elif error.kind in ("unhandled", "response_validation"):
        extra = {"status_code": error.status, "request": as_http_request(request)}
        _logger.error("%s: %s", reason_phrase(error.status), _subject(request, meta), exc_info=exc, extra=extra)


def _subject(request: Any, meta: RouteMeta | None) -> str:
    """``GET /path (module.handler)``."""
    handler = f" ({meta.name})" if meta is not None else ""
    return f"{request.method} {request.path}{handler}"
