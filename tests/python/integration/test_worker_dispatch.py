"""Handlers run in workers: sync code in them waits, and meanwhile the server goes on."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import socket
import threading
from typing import Any

import pytest
from tests.python.harness import LOOP_FACTORIES, Application, serve, until
from tests.python.harness import run as run_on

from django_bolt import _core
from django_bolt._plan import ParamSpec, Source

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
REQUEST = ParamSpec("request", Source.REQUEST)


@pytest.fixture(params=sorted(LOOP_FACTORIES))
def run(request: pytest.FixtureRequest) -> Any:
    def run(coro: Any) -> Any:
        try:
            return run_on(coro, request.param)
        finally:
            _core.drain_workers()

    return run


def soon(value: object = None) -> asyncio.Future[Any]:
    """A future that is done after two turns of the loop."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_soon(loop.call_soon, lambda: future.done() or future.set_result(value))
    return future


def current() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_handler_waits_in_sync_code_and_others_are_served(run: Any, kind: str) -> None:
    async def main() -> None:
        app = Application()
        gate = asyncio.get_running_loop().create_future()
        threads = threading.active_count()

        def wait() -> dict[str, Any]:
            before = current()
            variable.set("mine")
            value = _core.wait(gate)
            assert current() is before
            assert variable.get() == "mine"
            return {"value": value}

        async def awaitable() -> dict[str, Any]:
            return wait()

        app.add("/wait", awaitable if kind == "async" else wait)

        @app.get("/quick")
        def quick() -> str:
            assert variable.get() == "unset"
            return "quick"

        async with serve(app) as service:
            waiting = [await service.connect() for _ in range(5)]
            for client in waiting:
                client.send("/wait")
            await until(lambda: len(service.server.pending()) == 5)
            assert asyncio.current_task() is not None
            for _ in range(3):
                assert (await service.get("/quick")).content == b"quick"
            gate.set_result(7)
            assert [(await client.receive()).json() for client in waiting] == [{"value": 7}] * 5
            assert service.server.pending() == []
            assert not app.hooks.exceptions
        assert threading.active_count() == threads

    run(main())


def test_waits_and_awaits_mix(run: Any) -> None:
    async def main() -> None:
        app = Application()

        @app.get("/")
        async def handler() -> list[Any]:
            task = current()
            seen = [_core.wait(soon(1))]
            await asyncio.sleep(0)
            seen.append(_core.wait(soon(2)))
            seen.append(await soon(3))
            seen.append(_core.await_(soon(4)))
            seen.append(await asyncio.create_task(asyncio.sleep(0, 5)))
            _core.yield_()
            assert current() is task
            return seen

        async with serve(app) as service:
            clients = [await service.connect() for _ in range(20)]
            for client in clients:
                client.send("/")
            for client in clients:
                assert (await client.receive()).json() == [1, 2, 3, 4, 5]
            assert not app.hooks.exceptions

    run(main())


def test_pipelined_requests_answer_in_order(run: Any) -> None:
    async def main() -> None:
        app = Application()
        order = iter(range(100))

        @app.get("/slow")
        def slow() -> dict[str, int]:
            number = next(order)
            _core.wait(soon())
            return {"n": number}

        @app.get("/fast")
        def fast() -> dict[str, int]:
            return {"n": next(order)}

        async with serve(app) as service:
            client = await service.connect()
            for path in ("/slow", "/fast", "/slow", "/slow", "/fast"):
                client.send(path)
            assert [(await client.receive()).json()["n"] for _ in range(5)] == list(range(5))

    run(main())


def test_exceptions_after_a_wait_reach_the_hooks(run: Any) -> None:
    async def main() -> None:
        app = Application()

        @app.get("/")
        def handler() -> None:
            _core.wait(soon())
            raise LookupError("after waiting")

        async with serve(app) as service:
            assert (await service.get("/")).status == 500
        assert [type(exc) for exc in app.hooks.exceptions] == [LookupError]

    run(main())


def test_the_exception_of_the_future_is_raised_where_the_handler_waits(run: Any) -> None:
    async def main() -> None:
        app = Application()

        @app.get("/")
        async def handler() -> str:
            loop = asyncio.get_running_loop()
            future = loop.create_future()
            loop.call_soon(future.set_exception, KeyError("x"))
            try:
                _core.wait(future)
            except KeyError:
                return "caught"
            return "missed"

        async with serve(app) as service:
            assert (await service.get("/")).content == b"caught"

    run(main())


def test_a_disconnect_cancels_an_async_handler_in_its_wait(run: Any) -> None:
    async def main() -> None:
        app = Application()
        seen: list[str] = []

        @app.get("/")
        async def handler() -> None:
            try:
                _core.wait(asyncio.get_running_loop().create_future())
            except asyncio.CancelledError:
                seen.append("cancelled")
                _core.wait(soon())  # cleaning up may wait
                seen.append("cleaned")
                raise

        async with serve(app) as service:
            client = await service.connect()
            client.send("/")
            await until(service.server.pending)
            await client.close()
            await until(lambda: not service.server.pending())
            assert seen == ["cancelled", "cleaned"]
            assert service.server.stats()["exchanges_open"] == 0

    run(main())


def test_a_disconnect_does_not_cancel_a_sync_handler(run: Any) -> None:
    async def main() -> None:
        app = Application()
        gate = asyncio.get_running_loop().create_future()
        seen: list[object] = []

        def handler() -> str:
            seen.append(_core.wait(gate))
            return "nobody listens"

        app.add("/", handler)
        async with serve(app) as service:
            client = await service.connect()
            client.send("/")
            await until(service.server.pending)
            await client.close()
            for _ in range(5):
                await asyncio.sleep(0)
            assert service.server.pending()
            gate.set_result("done")
            await until(lambda: not service.server.pending())
            assert seen == ["done"]

    run(main())


def test_timeouts_interrupt_sync_waits(run: Any) -> None:
    async def main() -> None:
        app = Application()

        @app.get("/")
        async def handler() -> str:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.005):
                    _core.wait(asyncio.get_running_loop().create_future())
            assert current().cancelling() == 0
            return "timed out"

        async with serve(app) as service:
            for _ in range(3):
                assert (await service.get("/")).content == b"timed out"

    run(main())


def test_the_request_object_survives_a_wait(run: Any) -> None:
    async def main() -> None:
        app = Application()

        def handler(request: Any) -> dict[str, Any]:
            _core.wait(soon())
            return {"path": request.path, "body": request.body.decode()}

        app.add("/echo", handler, REQUEST, method="POST")
        async with serve(app) as service:
            response = await service.get("/echo", method="POST", content=b"hello")
            assert response.json() == {"path": "/echo", "body": "hello"}

    run(main())


def test_closing_the_server_cancels_captured_requests(run: Any) -> None:
    async def main() -> None:
        app = Application()
        seen: list[str] = []

        @app.get("/")
        def handler() -> None:
            try:
                _core.wait(asyncio.get_running_loop().create_future())
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

        async with serve(app) as service:
            client = await service.connect()
            client.send("/")
            await until(service.server.pending)
        assert seen == ["cancelled"]

    run(main())


def test_a_loop_that_closes_under_a_captured_request(run: Any) -> None:
    ended: list[str] = []
    kept: list[Any] = []

    async def main() -> None:
        app = Application()

        @app.get("/")
        def handler() -> None:
            try:
                _core.wait(asyncio.get_running_loop().create_future())
            except BaseException as exc:
                ended.append(type(exc).__name__)
                raise

        server = _core.Server(app.core, asyncio.get_running_loop())
        server.start()
        ours, theirs = socket.socketpair()
        server.adopt(theirs.detach())
        ours.sendall(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n")
        await until(server.pending)
        kept.extend([server, ours])

    run(main())
    server, client = kept
    server.close()
    client.close()
    del server
    kept.clear()
    gc.collect()
    assert ended in (["GreenletExit"], ["CancelledError"])


def test_tasks_created_by_handlers_wait_with_the_factory(run: Any) -> None:
    def factory(loop: asyncio.AbstractEventLoop, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        return asyncio.Task(_core.drive(coro), loop=loop, **kwargs)

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(factory)
        app = Application()

        async def child(n: int) -> object:
            return _core.wait(soon(n))

        @app.get("/")
        async def handler() -> list[Any]:
            return list(await asyncio.gather(*(child(n) for n in range(5))))

        async with serve(app) as service:
            assert (await service.get("/")).json() == [0, 1, 2, 3, 4]

    run(main())


def test_handlers_may_watch_descriptors(run: Any) -> None:
    """libuv follows a pointer into its poll function's stack frame then; workers must not have overwritten it."""

    async def main() -> None:
        app = Application()

        @app.get("/")
        def handler() -> str:
            loop = asyncio.get_running_loop()
            ours, theirs = socket.socketpair()
            with ours, theirs:
                ready = loop.create_future()
                loop.add_writer(ours, lambda: ready.done() or ready.set_result(None))
                _core.wait(ready)
                loop.remove_writer(ours)
                theirs.sendall(b"x")
                readable = loop.create_future()
                loop.add_reader(ours, lambda: readable.done() or readable.set_result(None))
                _core.wait(readable)
                loop.remove_reader(ours)
            return "ok"

        await _core.spawn(lambda: None)  # the pooled worker was made where the stack is shallow
        async with serve(app) as service:
            for _ in range(10):
                assert (await service.get("/")).content == b"ok"

    run(main())


def test_many_requests_leave_nothing_behind(run: Any) -> None:
    async def main() -> None:
        app = Application()

        @app.get("/{n}", ParamSpec("n", Source.PATH, key="n", capture=0))
        async def handler(n: str) -> str:
            _core.wait(soon())
            await asyncio.sleep(0)
            _core.wait(soon())
            return n

        async with serve(app) as service:
            clients = [await service.connect() for _ in range(30)]

            async def burst(rounds: int) -> None:
                for n in range(rounds):
                    for client in clients:
                        client.send(f"/{n}")
                    for client in clients:
                        assert (await client.receive()).content == str(n).encode()

            await burst(5)
            gc.collect()
            before = len(gc.get_objects())
            await burst(20)
            gc.collect()
            assert abs(len(gc.get_objects()) - before) < 100
            assert service.server.pending() == []
            assert not app.hooks.exceptions

    run(main())
