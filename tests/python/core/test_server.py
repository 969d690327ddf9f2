"""Server: construction, lifetime, graceful stop; what goes over the wire is tested elsewhere."""

from __future__ import annotations

import asyncio
import gc
import socket
import weakref
from typing import Any

import pytest
from tests.python.harness import LOOP_FACTORIES, Application, Service, serve, until
from tests.python.harness import run as run_on

from django_bolt import _core


@pytest.fixture(params=sorted(LOOP_FACTORIES))
def run(request: pytest.FixtureRequest) -> Any:
    return lambda coro: run_on(coro, request.param)


def hello_app() -> Application:
    app = Application()

    @app.get("/")
    async def hello() -> dict[str, str]:
        return {"message": "hello"}

    @app.get("/wait")
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    return app


def test_answers_over_tcp(run: Any) -> None:
    async def main() -> None:
        app = hello_app()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            server = _core.Server(app.core, asyncio.get_running_loop(), server_name="mine")
            server.add_listener(listener.fileno())
            server.start()
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            server.close()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\ndate: ")
        assert b"\r\nserver: mine\r\n" in answer
        assert answer.endswith(b'\r\ncontent-length: 19\r\n\r\n{"message":"hello"}')

    run(main())


def test_close_is_idempotent_and_cancels(run: Any) -> None:
    async def main() -> None:
        async with serve(hello_app()) as service:
            client = await service.connect()
            client.send("/wait")
            await until(service.server.pending)
            (task,) = service.server.pending()
            service.server.close()
            service.server.close()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await client.reader.read() == b""
            assert service.server.pending() == []
            assert service.server.is_drained()

    run(main())


def test_use_after_close_raises(run: Any) -> None:
    async def main() -> None:
        server = _core.Server(hello_app().core, asyncio.get_running_loop())
        server.close()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for call in (server.start, server.drain, lambda: server.adopt(theirs.fileno())):
                with pytest.raises(RuntimeError, match="closed"):
                    call()
        assert server.stats()["requests"] == 0

    run(main())


def test_starts_once(run: Any) -> None:
    async def main() -> None:
        async with serve(hello_app()) as service:
            with pytest.raises(RuntimeError, match="already started"):
                service.server.start()

    run(main())


def test_close_from_inside_a_handler(run: Any) -> None:
    async def main() -> None:
        app = Application()
        servers: list[_core.Server] = []

        @app.get("/close")
        async def close() -> dict[str, str]:
            servers[0].close()
            return {"closed": "after this answer"}

        async with serve(app) as service:
            servers.append(service.server)
            client = await service.connect()
            response = await client.request("/close")
            assert response.json() == {"closed": "after this answer"}
            assert await client.reader.read() == b""
            assert service.server.is_drained()

    run(main())


def test_drain_finishes_what_is_in_flight(run: Any) -> None:
    async def main() -> None:
        app = Application()
        gates: list[asyncio.Future[None]] = []

        @app.get("/gate")
        async def gate() -> dict[str, bool]:
            gates.append(asyncio.get_running_loop().create_future())
            await gates[0]
            return {"finished": True}

        async with serve(app) as service:
            idle = await service.connect()
            busy = await service.connect()
            busy.send("/gate")
            await until(lambda: gates)
            service.server.drain()
            assert await idle.reader.read() == b""
            assert not service.server.is_drained()
            gates[0].set_result(None)
            response = await busy.receive()
            assert response.json() == {"finished": True}
            assert response.headers["connection"] == "close"
            assert await busy.reader.read() == b""
            await until(service.server.is_drained)

    run(main())


def test_drain_answers_what_has_just_arrived(run: Any) -> None:
    """Requests the loop has not looked at yet, when a task that is itself the current one drains."""

    async def main() -> None:
        async with serve(hello_app()) as service:
            clients = [await service.connect() for _ in range(3)]
            for client in clients:
                client.send("/")
            service.server.drain()
            for client in clients:
                response = await client.receive()
                assert (response.status, response.headers["connection"]) == (200, "close")
            await until(service.server.is_drained)

    run(main())


@pytest.mark.parametrize("loop_name", sorted(LOOP_FACTORIES))
def test_loop_closed_without_server_close(loop_name: str) -> None:
    async def leave_a_request_open() -> weakref.ref[_core.Server]:
        service = Service(hello_app())
        client = await service.connect()
        client.send("/wait")
        await until(service.server.pending)
        client.writer.transport.abort()
        return weakref.ref(service.server)

    loop = LOOP_FACTORIES[loop_name]()
    server = loop.run_until_complete(leave_a_request_open())
    loop.close()
    del loop
    gc.collect()
    assert server() is None


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"header_bytes": -1}, OverflowError),
        ({"header_bytes": 1 << 32}, OverflowError),
        ({"max_connections": "many"}, TypeError),
        ({"unknown": 1}, TypeError),
        ({"server_name": 5}, TypeError),
    ],
)
def test_refuses_bad_options(options: dict[str, Any], error: type[Exception]) -> None:
    async def main() -> None:
        with pytest.raises(error):
            _core.Server(hello_app().core, asyncio.get_running_loop(), **options)

    run_on(main())


def test_needs_an_app() -> None:
    with pytest.raises(TypeError):
        _core.Server(object(), None)  # type: ignore[arg-type]
