"""Every allocation of a request fails once: the client gets an answer or an end, the next request works."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.python.harness import Application, Hooks

from django_bolt import _core
from django_bolt._plan import Kind, ParamSpec, Source

testcapi = pytest.importorskip("_testcapi")


class Preformatted(Hooks):
    """Needs no memory."""

    ANSWER = (500, (("x-from", "hook"),), b"hook")

    def handle_exception(self, exc: BaseException, request: _core.Request, meta: Any) -> Any:
        return self.ANSWER

    def finalize(self, result: Any, request: _core.Request, meta: Any) -> Any:
        return 200, (), b"finalized"

    def handle_unmatched(self, status: int, headers: Any, request: _core.Request) -> Any:
        return 404, (), b"unmatched"


class ManualLoop:
    """Just enough of a loop to call the server's callbacks by hand."""

    def __init__(self) -> None:
        self.on_ready: Callable[[], object] = lambda: None
        self.ready: list[tuple[Any, Callable[..., object]]] = []

    def get_debug(self) -> bool:
        return False

    def is_closed(self) -> bool:
        return False

    def add_reader(self, fd: int, callback: Callable[[], object]) -> None:
        self.on_ready = callback

    def remove_reader(self, fd: int) -> None:
        self.on_ready = lambda: None

    def call_soon(self, callback: Callable[..., object], *, context: Any) -> None:
        self.ready.append((context, callback))

    def run_once(self) -> None:
        self.on_ready()
        while self.ready:
            context, callback = self.ready[0]
            context.run(callback)  # when this raises, the loop itself had no memory to call the server: it tries again
            del self.ready[0]


def application() -> Application:
    app = Application(Preformatted(), custom_errors=True)

    @app.get("/json/{n}", ParamSpec("n", Source.PATH, "n", Kind.INT, capture=0))
    async def json(n: int) -> dict[str, int]:
        return {"n": n}

    @app.get("/text", ParamSpec("request", Source.REQUEST))
    def text(request: _core.Request) -> str:
        return request.path

    @app.get("/suspend")
    async def suspend() -> str:
        await asyncio.sleep(0)
        return "resumed"

    app.add("/finalize", object)
    return app


@contextlib.contextmanager
def failing_allocation(number: int) -> Iterator[None]:
    testcapi.set_nomemory(number, number + 1)
    try:
        yield
    finally:
        testcapi.remove_mem_hooks()


def connect(server: _core.Server) -> socket.socket:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    ours.setblocking(False)
    server.adopt(theirs.detach())
    return ours


def exchange(loop: ManualLoop, client: socket.socket, path: str, failing: int | None = None) -> bytes:
    client.send(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
    with contextlib.suppress(MemoryError):
        if failing is None:
            loop.run_once()
        else:
            with failing_allocation(failing):
                loop.run_once()
    loop.run_once()
    try:
        return client.recv(65536)
    except BlockingIOError:
        return b"nothing"


@pytest.mark.parametrize("path", ["/json/5", "/text", "/suspend", "/finalize", "/missing"])
def test_every_allocation_fails_once(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: unraisable.append(args.exc_type))
    loop = ManualLoop()
    server = _core.Server(application().core, loop)  # type: ignore[arg-type]
    server.start()
    with connect(server) as client:
        good = after_date(exchange(loop, client, path))
    answers = []
    for number in range(400):
        with connect(server) as client:
            answer = exchange(loop, client, path, failing=number)
            assert server.pending() == []
            assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
            answers.append(after_date(answer))
        with connect(server) as client:
            assert after_date(exchange(loop, client, path)) == good
    server.close()
    assert len(set(answers)) > 1
    assert answers[-1] == good
    assert set(unraisable) <= {MemoryError}


def after_date(answer: bytes) -> bytes:
    return answer.partition(b"\r\nserver: ")[2]
