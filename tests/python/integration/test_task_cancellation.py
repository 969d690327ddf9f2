"""How requests are cancelled and how they end, seen from inside handlers and from whoever watches their tasks."""

from __future__ import annotations

import asyncio
import gc
import socket
from typing import Any

import pytest
from tests.python.harness import LOOP_FACTORIES, Application, Service, serve, until

from django_bolt import _core

TIMES = 3  # how often `answers` calls a handler


def current() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


# ---- cancellation -----------------------------------------------------------------------------


def test_cancelled_before_the_first_suspension(answers: Any) -> None:
    async def handler() -> str:
        assert current().cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(1)
        assert current().cancelling() == 1
        assert current().uncancel() == 0
        await asyncio.sleep(0)
        return "ok"

    assert answers(handler)


def test_cancelled_but_returns_without_suspending(run: Any) -> None:
    async def main() -> None:
        app = Application()
        tasks: list[asyncio.Task[Any]] = []

        @app.get("/")
        async def handler() -> str:
            tasks.append(current())
            current().cancel()
            return "answered"

        async with serve(app) as service:
            assert (await service.get("/")).content == b"answered"
        assert tasks[0].cancelled()

    run(main())


def test_cancelled_from_outside_with_a_message(answers: Any) -> None:
    async def handler() -> dict[str, Any]:
        task = current()
        asyncio.get_running_loop().call_soon(task.cancel, "bye")
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError as exc:
            task.uncancel()
            return {"args": list(exc.args)}
        return {}

    assert answers(handler) == [{"args": ["bye"]}] * TIMES


def test_cancelled_while_a_step_is_scheduled(answers: Any) -> None:
    async def handler() -> dict[str, Any]:
        task = current()
        asyncio.get_running_loop().call_soon(task.cancel, "now")
        try:
            await asyncio.sleep(0)  # the callback above runs before the next step
            await asyncio.sleep(5)
        except asyncio.CancelledError as exc:
            task.uncancel()
            return {"args": list(exc.args)}
        return {}

    assert answers(handler) == [{"args": ["now"]}] * TIMES


def test_a_cancelled_future_cancels_its_awaiter(answers: Any) -> None:
    async def handler() -> str:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.cancel)
        with pytest.raises(asyncio.CancelledError):
            await future
        assert current().cancelling() == 0
        return "ok"

    assert answers(handler)


def test_uncaught_cancellation_is_answered_and_the_task_is_cancelled(run: Any) -> None:
    async def main() -> None:
        app = Application()
        tasks: list[asyncio.Task[Any]] = []

        @app.get("/")
        async def handler() -> None:
            tasks.append(current())
            asyncio.get_running_loop().call_soon(current().cancel)
            await asyncio.sleep(5)

        async with serve(app) as service:
            assert (await service.get("/")).status == 500
        assert isinstance(app.hooks.exceptions[0], asyncio.CancelledError)
        assert tasks[0].cancelled()

    run(main())


async def open_and_abandon(service: Service, path: str) -> None:
    """Opens a request, waits until it is suspended and closes the connection."""
    before = len(service.server.pending())
    client = await service.connect()
    client.send(path)
    await until(lambda: len(service.server.pending()) > before)
    client.writer.transport.abort()


def test_disconnect_cancels(run: Any) -> None:
    async def main() -> None:
        app = Application()
        seen: dict[str, Any] = {}

        @app.get("/")
        async def handler() -> None:
            seen["task"] = current()
            seen["future"] = asyncio.get_running_loop().create_future()
            try:
                await seen["future"]
            except asyncio.CancelledError:
                seen["cancelled"] = True
                raise

        async with serve(app) as service:
            await open_and_abandon(service, "/")
            await until(lambda: not service.server.pending())
            assert service.server.stats()["exchanges_open"] == 0
        assert seen["cancelled"]
        assert seen["future"].cancelled()
        assert seen["task"].cancelled()
        assert app.hooks.exceptions == []

    run(main())


def test_a_handler_may_clean_up_or_swallow_the_cancellation(run: Any) -> None:
    async def main() -> None:
        app = Application()
        finished: list[str] = []

        @app.get("/cleanup")
        async def cleanup() -> None:
            try:
                await asyncio.sleep(5)
            finally:
                await asyncio.sleep(0.001)
                finished.append("cleanup")

        @app.get("/swallow")
        async def swallow() -> str:
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                await asyncio.sleep(0.001)
            finished.append("swallow")
            return "nobody reads this"

        @app.get("/replace")
        async def replace() -> None:
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                finished.append("replace")
                raise ValueError("instead") from None

        async with serve(app) as service:
            for path in ("/cleanup", "/swallow", "/replace"):
                await open_and_abandon(service, path)
                await until(lambda: not service.server.pending())
            assert service.server.stats()["exchanges_open"] == 0
            assert (await service.get("/nothing")).status == 404
        assert finished == ["cleanup", "swallow", "replace"]
        assert [repr(exc) for exc in app.hooks.exceptions] == ["ValueError('instead')"]

    run(main())


def test_disconnect_of_a_route_that_opted_out(run: Any) -> None:
    async def main() -> None:
        app = Application()
        gate = asyncio.get_running_loop().create_future()
        finished: list[bool] = []

        async def handler() -> str:
            await gate
            finished.append(True)
            return "ok"

        app.add("/", handler, cancel_on_disconnect=False)
        async with serve(app) as service:
            await open_and_abandon(service, "/")
            for _ in range(5):
                await asyncio.sleep(0)
            assert len(service.server.pending()) == 1
            gate.set_result(None)
            await until(lambda: finished)
            assert service.server.pending() == []

    run(main())


# ---- the end of a request ---------------------------------------------------------------------


def test_exceptions_reach_the_hook_and_are_not_reported_again(run: Any) -> None:
    async def main() -> None:
        app = Application()
        reported: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))

        @app.get("/at-once")
        async def at_once() -> None:
            asyncio.current_task().get_name()  # type: ignore[union-attr]
            raise ValueError("at once")

        @app.get("/later")
        async def later() -> None:
            await asyncio.sleep(0)
            raise ValueError("later")

        async with serve(app) as service:
            assert (await service.get("/at-once")).json() == {"detail": "ValueError('at once')"}
            assert (await service.get("/later")).json() == {"detail": "ValueError('later')"}
        gc.collect()
        assert reported == []

    run(main())


def test_others_may_await_a_request(run: Any) -> None:
    async def main() -> None:
        app = Application()
        callbacks: list[asyncio.Task[Any]] = []

        @app.get("/ok")
        async def ok() -> dict[str, int]:
            current().add_done_callback(callbacks.append)
            await asyncio.sleep(0)
            return {"n": 1}

        @app.get("/fails")
        async def fails() -> None:
            await asyncio.sleep(0)
            raise KeyError("x")

        async with serve(app) as service:
            client = await service.connect()
            client.send("/ok")
            await until(service.server.pending)
            assert await service.server.pending()[0] == {"n": 1}
            await client.receive()
            client.send("/fails")
            await until(service.server.pending)
            with pytest.raises(KeyError):
                await service.server.pending()[0]
            await client.receive()
        assert [task.result() for task in callbacks] == [{"n": 1}]

    run(main())


def test_pipelined_requests_are_answered_in_order(run: Any) -> None:
    async def main() -> None:
        app = Application()

        @app.get("/slow")
        async def slow() -> str:
            await asyncio.sleep(0.002)
            return "slow"

        @app.get("/turn")
        async def turn() -> str:
            await asyncio.sleep(0)
            return "turn"

        @app.get("/now")
        async def now() -> str:
            return "now"

        order = ["slow", "now", "turn", "turn", "now", "now", "slow", "now"]
        async with serve(app) as service:
            client = await service.connect()
            for name in order:
                client.send(f"/{name}")
            assert [(await client.receive()).content.decode() for _ in order] == order

    run(main())


@pytest.mark.parametrize("loop_name", sorted(LOOP_FACTORIES))
@pytest.mark.parametrize("suspend", [False, True])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_interrupts_stop_the_loop_as_in_asyncio(loop_name: str, suspend: bool, kind: type[BaseException]) -> None:
    app = Application()
    interrupted: list[bytes] = []

    @app.get("/")
    async def handler() -> None:
        if suspend:
            await asyncio.sleep(0)
        raise kind("stop")

    async def main() -> None:
        async with serve(app) as service:
            try:
                interrupted.append((await service.get("/")).content)
            except asyncio.CancelledError:
                interrupted.append(b"")
                raise

    loop = LOOP_FACTORIES[loop_name]()
    task = loop.create_task(main())
    with pytest.raises(kind, match="stop"):
        loop.run_until_complete(task)
    loop.run_until_complete(task)
    loop.close()
    assert interrupted == [b'{"detail":"Internal Server Error"}']
    assert app.hooks.exceptions == []


def test_shutdown_of_the_loop_cancels_open_requests(run: Any) -> None:
    cancelled: list[bool] = []
    servers: list[_core.Server] = []
    client, theirs = socket.socketpair()

    async def main() -> None:
        app = Application()

        @app.get("/")
        async def handler() -> None:
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

        server = _core.Server(app.core, asyncio.get_running_loop())
        server.start()
        server.adopt(theirs.detach())
        client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        await until(server.pending)
        servers.append(server)

    with client:
        run(main())  # Runner cancels what all_tasks() lists
        assert cancelled == [True]
        assert servers[0].pending() == []
        servers[0].close()
