"""Drives ``_core.App`` and ``_core.Server`` over socket pairs: what every test below the public API starts from."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvloop

from django_bolt import _core
from django_bolt._plan import ParamSpec, ResultSpec, RouteSpec

RawResponse = tuple[int, Sequence[tuple[str, str]], bytes]
JSON_FIELDS = (("content-type", "application/json"),)

LOOP_FACTORIES: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def run(coro: Coroutine[Any, Any, Any], loop_name: str = "asyncio") -> Any:
    """Like asyncio.run() on the named kind of loop."""
    with asyncio.Runner(loop_factory=LOOP_FACTORIES[loop_name], debug=False) as runner:
        return runner.run(coro)


class Hooks:
    """Hooks that answer every exception with its repr and remember it."""

    def __init__(self) -> None:
        self.exceptions: list[BaseException] = []

    def handle_exception(self, exc: BaseException, request: _core.Request, meta: Any) -> RawResponse:
        self.exceptions.append(exc)
        return 500, JSON_FIELDS, json.dumps({"detail": repr(exc)}).encode()

    def finalize(self, result: Any, request: _core.Request, meta: Any) -> RawResponse | Awaitable[RawResponse]:
        return 200, (("content-type", "text/plain"),), f"finalized {type(result).__name__}".encode()

    def handle_unmatched(
        self, status: int, headers: Sequence[tuple[str, str]], request: _core.Request
    ) -> RawResponse | None:
        return None

    def encode_fallback(self, value: Any) -> Any:
        raise TypeError(f"cannot encode {type(value).__name__}")


class Application:
    """Routes by decorator, straight to ``_core.App``."""

    def __init__(self, hooks: Hooks | None = None, **options: Any) -> None:
        self.hooks = hooks or Hooks()
        self.core = _core.App(self.hooks, **options)

    def add(
        self,
        path: str,
        handler: Callable[..., Any],
        *params: ParamSpec,
        method: str = "GET",
        result: ResultSpec | None = None,
        is_async: bool | None = None,
        cancel_on_disconnect: bool = True,
    ) -> Callable[..., Any]:
        """Registers a handler; returns it."""
        self.core.add_route(
            RouteSpec(
                method=method,
                path=path,
                handler=handler,
                is_async=asyncio.iscoroutinefunction(handler) if is_async is None else is_async,
                params=params,
                result=result or ResultSpec(),
                name=getattr(handler, "__qualname__", repr(handler)),
                meta=handler,
                cancel_on_disconnect=cancel_on_disconnect,
            )
        )
        return handler

    def get(self, path: str, *params: ParamSpec, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorator for add()."""
        return lambda handler: self.add(path, handler, *params, **options)


@dataclass
class Response:
    """One response as it came over the wire."""

    status: int
    headers: dict[str, str]
    content: bytes
    fields: list[tuple[str, str]]  # headers in order, repeated ones too

    def json(self) -> Any:
        return json.loads(self.content)


class Client:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, path: str, method: str = "GET", headers: Sequence[str] = (), content: bytes = b"") -> None:
        """Queues one request."""
        lines = [f"{method} {path} HTTP/1.1", "host: test", *headers]
        if content:
            lines.append(f"content-length: {len(content)}")
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)

    async def receive(self, has_content: bool = True) -> Response:
        """The next response; IncompleteReadError when the server closed the connection."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *fields = head.rstrip().split("\r\n")
        pairs = [(name, value) for name, _, value in (field.partition(": ") for field in fields)]
        headers = dict(pairs)
        length = int(headers.get("content-length", "0")) if has_content else 0
        return Response(int(status_line.split()[1]), headers, await self.reader.readexactly(length), pairs)

    async def request(self, path: str, method: str = "GET", **options: Any) -> Response:
        self.send(path, method, **options)
        return await self.receive(has_content=method != "HEAD")

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return  # the server reset it first


class Service:
    """A running ``_core.Server`` and its clients."""

    def __init__(self, app: Application, **options: Any) -> None:
        self.app = app
        self.server = _core.Server(app.core, asyncio.get_running_loop(), **options)
        self.clients: list[Client] = []
        self.server.start()

    async def connect(self) -> Client:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self.server.adopt(theirs.detach())
        client = Client(*await asyncio.open_connection(sock=ours))
        self.clients.append(client)
        return client

    async def get(self, path: str, **options: Any) -> Response:
        """One request on a connection of its own."""
        client = await self.connect()
        response = await client.request(path, **options)
        await client.close()
        return response

    async def close(self) -> None:
        """Closes both sides and waits for cancelled requests to end."""
        pending = self.server.pending()
        self.server.close()
        if pending:
            await asyncio.wait(pending)
        for client in self.clients:
            await client.close()


@asynccontextmanager
async def serve(app: Application, **options: Any) -> AsyncIterator[Service]:
    """A server for the duration of the block."""
    service = Service(app, **options)
    try:
        yield service
    finally:
        await service.close()


async def until(condition: Callable[[], object]) -> None:
    """Gives the loop turns until the condition holds; AssertionError after five seconds."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)
