"""``_core`` for tests that are plain functions: raw request octets in, response out, one event loop per server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec
from tests.python.harness import Application, Client, Hooks, RawResponse, Response, Service

from django_bolt import _core
from django_bolt._plan import RouteSpec
from django_bolt.exceptions import HTTPException, RequestValidationError


class ErrorHooks(Hooks):
    """Remembers every exception and answers those of binding in the shapes clients see."""

    def handle_exception(self, exc: BaseException, request: _core.Request, meta: Any) -> RawResponse:
        self.exceptions.append(exc)
        if isinstance(exc, HTTPException):
            return self._answer(exc.status_code, exc.detail)
        if isinstance(exc, RequestValidationError):
            return self._answer(422, exc.errors())
        return self._answer(500, repr(exc))

    @staticmethod
    def _answer(status: int, detail: object) -> RawResponse:
        return status, (("content-type", "application/json"),), msgspec.json.encode({"detail": detail})


class Wire:
    """A served application and its loop, which runs only while a request is under way."""

    def __init__(self, loop: asyncio.AbstractEventLoop, service: Service) -> None:
        self.loop = loop
        self.service = service

    @property
    def exceptions(self) -> list[BaseException]:
        """What handlers and binding raised so far."""
        return self.service.app.hooks.exceptions

    def request(self, raw: bytes) -> Response:
        """One request on a connection of its own."""
        return self.loop.run_until_complete(self._exchange(raw))

    async def _exchange(self, raw: bytes) -> Response:
        client: Client = await self.service.connect()
        self.service.clients.remove(client)
        client.writer.write(raw)
        response = await client.receive()
        await client.close()
        return response


@contextlib.contextmanager
def serve(*routes: RouteSpec, settings: Any = None, hooks: ErrorHooks | None = None, **options: Any) -> Iterator[Wire]:
    """Serves the routes for the duration of the block; ``options`` are those of ``_core.Server``."""
    app = Application(hooks or ErrorHooks(), settings=settings or {})
    for route in routes:
        app.core.add_route(route)

    async def start() -> Service:
        return Service(app, **options)

    with asyncio.Runner() as runner:
        service = runner.run(start())
        try:
            yield Wire(runner.get_loop(), service)
        finally:
            runner.run(service.close())


def raw_request(
    target: str | bytes = "/",
    *,
    method: str = "GET",
    headers: tuple[tuple[str, str | bytes], ...] = (),
    body: bytes = b"",
) -> bytes:
    """The octets of a request with a Host field and, for content, its length."""
    lines = [b"%s %s HTTP/1.1" % (method.encode(), _octets(target)), b"host: testserver"]
    lines.extend(name.encode() + b": " + _octets(value) for name, value in headers)
    if body:
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


def _octets(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
