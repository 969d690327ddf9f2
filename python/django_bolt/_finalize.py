"""Results that C does not encode by itself, to responses.

``finalize`` answers at once where it can and returns a coroutine where a database or a stream must be waited for; the
server steps that coroutine in the request's own task.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpResponseBase, StreamingHttpResponse

from django_bolt._json import encode_final
from django_bolt._models import evaluate, read_model
from django_bolt._plan import NeedsFinalize
from django_bolt._registration import RouteMeta
from django_bolt._results import ResultPlan
from django_bolt._tree import ANYTHING, Declared, is_queryset, transform
from django_bolt.exceptions import ResponseValidationError
from django_bolt.responses import CONTENTLESS, RawResponse, Response, checked_headers

_JSON_HEADERS = [("content-type", "application/json")]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is declared for one answer; ``convert`` is None when it is not checked."""

    at: Declared = ANYTHING
    convert: Callable[[Any], Any] | None = None


def finalize(result: Any, meta: RouteMeta) -> RawResponse | Awaitable[RawResponse]:
    """The response for any result.

    Raises ResponseValidationError for data that does not fit the declared type, TypeError for an object that has no
    place in a response. Awaiting it may run queries.
    """
    if isinstance(result, HttpResponseBase):
        return _django_response(result)
    if isinstance(result, Response):
        return _response(result, meta.result)
    if meta.result.by_status is not None:
        return _data_by_status(result, meta.result, meta.result.by_status)
    return _data_response(result, meta)


def _response(response: Response, plan: ResultPlan) -> RawResponse | Awaitable[RawResponse]:
    """A Response is taken at its word, except JSON data with the route's own status, which is checked."""
    shape = _Shape()
    declared = plan.declared is not Any and response.status_code == plan.status
    if declared and response.is_json() and response.content is not None:
        shape = _Shape(plan.at, plan.convert)
    if shape.convert is None:
        try:
            return response.to_raw()
        except NeedsFinalize:
            pass
    return _prepared_response(response, shape)


def _prepared_response(response: Response, shape: _Shape) -> RawResponse | Awaitable[RawResponse]:
    def respond() -> RawResponse:
        prepared = copy.copy(response)  # the same object may be returned to many requests
        prepared.content = _prepared(response.content, shape)
        return prepared.to_raw(encode_final)

    return _waiting(respond)


def _data_by_status(
    result: Any, plan: ResultPlan, by_status: Mapping[Any, Declared]
) -> RawResponse | Awaitable[RawResponse]:
    """``(status, data)``, or data alone with the default status; never checked."""
    pair = isinstance(result, tuple) and len(result) == 2 and type(result[0]) is int and 200 <= result[0] <= 599
    status, data = result if pair else (plan.status, result)
    declared = by_status.get(status, by_status.get(Ellipsis, ANYTHING))
    if status in CONTENTLESS or data is None or declared.annotation is None:
        return status, [], b""
    return _json_response(status, data, _Shape(declared))


def _data_response(data: Any, meta: RouteMeta) -> RawResponse | Awaitable[RawResponse]:
    plan = meta.result
    if plan.status in CONTENTLESS:
        return plan.status, [], b""
    if data is None and plan.convert is None and not plan.allow_none:
        raise TypeError(f"{meta.name} returned None; return data, annotate '-> None' or set status_code=204")
    if isinstance(data, Iterator | AsyncIterator):
        raise TypeError(f"{meta.name} returned a {type(data).__name__}; streams are not available in this version")
    if plan.convert is None and isinstance(data, str):
        return plan.status, [("content-type", "text/plain; charset=utf-8")], data.encode()
    if plan.convert is None and isinstance(data, bytes | bytearray):
        return plan.status, [("content-type", "application/octet-stream")], bytes(data)
    return _json_response(
        plan.status, data, _Shape(plan.at, None if data is None and plan.allow_none else plan.convert)
    )


def _json_response(status: int, data: Any, shape: _Shape) -> RawResponse | Awaitable[RawResponse]:
    return _waiting(lambda: (status, list(_JSON_HEADERS), encode_final(_prepared(data, shape))))


def _waiting(respond: Callable[[], RawResponse]) -> RawResponse | Awaitable[RawResponse]:
    """The response at once where queries may wait, which is in a worker; else from a thread."""
    try:
        return respond()
    except SynchronousOnlyOperation:
        return sync_to_async(respond)()


def _prepared(data: Any, shape: _Shape) -> Any:
    """The data with querysets evaluated, models read and the declared type applied."""
    try:
        data = transform(data, shape.at, _read)
        return data if shape.convert is None else shape.convert(data)
    except msgspec.ValidationError as exc:
        items = [{"loc": ["response"], "msg": str(exc), "type": "validation_error"}]
        raise ResponseValidationError(items, body=data) from exc


def _read(leaf: Any, at: Declared) -> Any:
    return evaluate(leaf, at.item) if is_queryset(leaf) else read_model(leaf, at)


def _django_response(response: HttpResponseBase) -> RawResponse | Awaitable[RawResponse]:
    if isinstance(response, StreamingHttpResponse) or not getattr(response, "is_rendered", True):
        return _waited_django_response(response)
    return _django_raw(response, bytes(response.content))  # type: ignore[attr-defined]


async def _waited_django_response(response: HttpResponseBase) -> RawResponse:
    """Template responses are rendered in a thread (a template may query); streams are read to their end."""
    if not isinstance(response, StreamingHttpResponse):
        await sync_to_async(response.render)()  # type: ignore[attr-defined]
        return _django_raw(response, bytes(response.content))  # type: ignore[attr-defined]
    try:
        if response.is_async:
            content = b"".join([chunk async for chunk in response])
        else:
            content = await sync_to_async(b"".join)(response)
    finally:
        await sync_to_async(response.close)()
    return _django_raw(response, content)


def _django_raw(response: HttpResponseBase, content: bytes) -> RawResponse:
    pairs = [(name.lower(), value) for name, value in response.items() if name.lower() != "content-length"]
    pairs += [("set-cookie", morsel.OutputString()) for morsel in response.cookies.values()]
    return response.status_code, checked_headers(pairs), content
