"""Binding one request through a served handler: what the handler received, or what was raised instead."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tests.python.support.wire import Wire, raw_request, serve

from django_bolt._plan import Kind, ParamSpec, ResultSpec, RouteSpec, Source


def param(name: str, source: Source, kind: Kind = Kind.STR, **fields: Any) -> ParamSpec:
    """A ``ParamSpec`` whose wire key is its name unless given."""
    return ParamSpec(name=name, source=source, kind=kind, **{"key": name, **fields})


def query(name: str = "v", kind: Kind = Kind.STR, **fields: Any) -> ParamSpec:
    """A query parameter."""
    return param(name, Source.QUERY, kind, **fields)


class Binding:
    """A handler with the given parameters, served at ``path``."""

    def __init__(self, wire: Wire, received: list[tuple[tuple[Any, ...], dict[str, Any]]]) -> None:
        self.wire = wire
        self.received = received

    def call(self, target: str | bytes = "/", **request: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments the handler got; raises what binding raised."""
        self.received.clear()
        self.wire.exceptions.clear()
        reply = self.wire.request(raw_request(target, **request))
        if self.wire.exceptions:
            raise self.wire.exceptions.pop()
        assert reply.status == 204, reply
        return self.received.pop()

    def value(self, target: str | bytes = "/", **request: Any) -> Any:
        """The only positional argument."""
        (value,), keywords = self.call(target, **request)
        assert not keywords
        return value

    def detail(self, target: str | bytes = "/", **request: Any) -> Any:
        """``detail`` of the 422 response, text or list."""
        reply = self.wire.request(raw_request(target, **request))
        assert reply.status == 422, reply
        return reply.json()["detail"]


def route(*params: ParamSpec, path: str = "/", method: str = "GET", handler: Any = None) -> RouteSpec:
    """A route that answers 204."""
    return RouteSpec(
        method=method,
        path=path,
        handler=handler,
        is_async=True,
        params=params,
        result=ResultSpec(status=204),
        name="tests.handler",
    )


@contextlib.contextmanager
def bound(*params: ParamSpec, path: str = "/", method: str = "GET", **options: Any) -> Iterator[Binding]:
    """Serves a handler with these parameters."""
    received: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    async def handler(*args: Any, **kwargs: Any) -> None:
        received.append((args, kwargs))

    with serve(route(*params, path=path, method=method, handler=handler), **options) as wire:
        yield Binding(wire, received)
