"""Exceptions a handler may raise and the framework raises itself.

Raised anywhere below a handler they become responses; ``error_handlers`` holds the wire formats. This module imports
nothing of the framework, because the compiled extension imports it while it is being loaded.
"""

from __future__ import annotations

import http
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

ErrorItem = Mapping[str, object]
"""One entry of a validation report: ``type``, ``loc``, ``msg`` and sometimes ``input`` and ``ctx``."""


def reason_phrase(status: int) -> str:
    """The standard reason phrase of a status code (RFC 9110 section 15), or an empty string for unassigned ones."""
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


class BoltException(Exception):
    """Base of every exception the framework defines. ``detail`` is the text shown to the client."""

    def __init__(self, *args: object, detail: object = "") -> None:
        super().__init__(*args)
        self.detail: object = detail or (str(args[0]) if args else "")

    def __str__(self) -> str:
        return str(self.detail)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.detail!r})"


class HTTPException(BoltException):
    """Ends the request with a status and ``{"detail": ...}``.

    The first argument is the status code, or, being a text, the detail: ``NotFound("No such user")`` and
    ``NotFound(detail="No such user")`` mean the same. An absent detail becomes the standard phrase of the status.
    ``extra`` is added to the answer under its own key; ``body`` replaces the whole ``{"detail": ...}`` envelope.

    Raises TypeError for a first argument that is neither, ValueError for a status outside 200-599.
    """

    status_code: int = 500
    default_status: ClassVar[int] = 500

    def __init__(
        self,
        status_code: int | str | None = None,
        detail: object = None,
        headers: Mapping[str, str] | None = None,
        extra: object = None,
        *,
        body: object = None,
    ) -> None:
        if isinstance(status_code, str):
            if detail is not None:
                raise TypeError(f"{type(self).__name__}: detail given twice, {status_code!r} and {detail!r}")
            status_code, detail = None, status_code
        self.status_code = self._checked_status(status_code)
        text = reason_phrase(self.status_code) if detail is None or detail == "" else detail
        super().__init__(text, detail=text)
        self.headers: dict[str, str] = dict(headers) if headers else {}
        self.extra = extra
        self.body = body

    @classmethod
    def _checked_status(cls, status_code: int | None) -> int:
        if status_code is None:
            return cls.default_status
        if not isinstance(status_code, int):
            raise TypeError(f"{cls.__name__}: status_code is {status_code!r}, expected an int (or the detail text)")
        if not 200 <= status_code <= 599:
            raise ValueError(f"{cls.__name__}: status_code is {status_code}, expected 200 to 599")
        return int(status_code)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(status_code={self.status_code}, detail={self.detail!r})"


class ClientException(HTTPException):
    """Base of the 4xx family; 400 when no status is given."""

    status_code = default_status = 400


class BadRequest(ClientException):
    """400."""


class Unauthorized(ClientException):
    """401."""

    status_code = default_status = 401


class Forbidden(ClientException):
    """403."""

    status_code = default_status = 403


class NotFound(ClientException):
    """404."""

    status_code = default_status = 404


class MethodNotAllowed(ClientException):
    """405. RFC 9110 section 15.5.6 asks for an ``Allow`` header: pass it in ``headers``."""

    status_code = default_status = 405


class NotAcceptable(ClientException):
    """406."""

    status_code = default_status = 406


class Conflict(ClientException):
    """409."""

    status_code = default_status = 409


class Gone(ClientException):
    """410."""

    status_code = default_status = 410


class UnprocessableEntity(ClientException):
    """422."""

    status_code = default_status = 422


class TooManyRequests(ClientException):
    """429."""

    status_code = default_status = 429


class ServerException(HTTPException):
    """Base of the 5xx family; 500 when no status is given."""


class InternalServerError(ServerException):
    """500."""


class NotImplemented(ServerException):
    """501. Shadows the builtin of the same name where it is imported."""

    status_code = default_status = 501


class BadGateway(ServerException):
    """502."""

    status_code = default_status = 502


class ServiceUnavailable(ServerException):
    """503."""

    status_code = default_status = 503


class GatewayTimeout(ServerException):
    """504."""

    status_code = default_status = 504


class ValidationException(BoltException):
    """Data did not match its declared type; ``errors()`` lists what was wrong."""

    default_detail: ClassVar[str] = "Validation error"

    def __init__(self, errors: Sequence[ErrorItem]) -> None:
        super().__init__(errors, detail=self.default_detail)
        self._errors = errors

    def errors(self) -> Sequence[ErrorItem]:
        """The report, one item per problem."""
        return self._errors

    def __str__(self) -> str:
        return f"{self.detail}: {[dict(item) for item in self._errors]!r}"


class RequestValidationError(ValidationException):
    """What the client sent does not fit the handler's parameters: 422. ``body`` is the refused content, if kept."""

    default_detail = "Request validation error"

    def __init__(self, errors: Sequence[ErrorItem], *, body: object = None) -> None:
        super().__init__(errors)
        self.body = body


class ResponseValidationError(ValidationException):
    """What the handler returned does not fit its declared type: 500. ``body`` is the refused result, if kept."""

    default_detail = "Response validation error"

    def __init__(self, errors: Sequence[ErrorItem], *, body: object = None) -> None:
        super().__init__(errors)
        self.body = body


@dataclass(frozen=True, slots=True)
class BoltError:
    """An error about to be answered, as an ``error_formatter`` receives it.

    ``kind`` tells where it comes from: ``http`` (HTTPException and mapped Django exceptions),
    ``request_validation``, ``response_validation``, ``unhandled``, or ``server`` (404, 405, 413, ... found before a
    handler was chosen). ``errors`` is the validation report; ``exception`` is None for kind ``server``.
    """

    status: int
    kind: str
    detail: object
    errors: Sequence[ErrorItem] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: object = None
    exception: BaseException | None = None
