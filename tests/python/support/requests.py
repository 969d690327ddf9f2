"""Looking at a ``Request`` twice: inside the handler, and after its response was sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.python.support.binding import bound, route
from tests.python.support.wire import raw_request, serve

from django_bolt import _core
from django_bolt._plan import ParamSpec, Source

REQUEST = ParamSpec("request", Source.REQUEST)


def kept_request(
    *params: ParamSpec, path: str = "/", target: str | bytes = "/", settings: Any = None, **request: Any
) -> _core.Request:
    """A request whose response has been sent and whose connection is closed."""
    method = request.get("method", "GET")
    with bound(REQUEST, *params, path=path, method=method, settings=settings) as binding:
        arguments, _ = binding.call(target, **request)
    kept: _core.Request = arguments[0]
    return kept


def look(
    read: Callable[[_core.Request], Any],
    *params: ParamSpec,
    path: str = "/",
    target: str | bytes = "/",
    settings: Any = None,
    **request: Any,
) -> Any:
    """What ``read`` returns inside the handler; asserts that it returns the same for a kept request."""
    inside: list[Any] = []

    async def handler(seen: _core.Request, *_: Any) -> None:
        inside.append(read(seen))

    table = route(REQUEST, *params, path=path, method=request.get("method", "GET"), handler=handler)
    with serve(table, settings=settings) as wire:
        response = wire.request(raw_request(target, **request))
        assert response.status == 204, wire.exceptions
    afterwards = read(kept_request(*params, path=path, target=target, settings=settings, **request))
    assert afterwards == inside[0]
    return inside[0]
