"""Nothing is left behind: memory blocks and task objects after many repetitions of each way a request can go."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.python.harness import LOOP_FACTORIES, Application, Hooks, Service, serve, until
from tests.python.harness import run as run_on

from django_bolt import _core
from django_bolt._plan import ParamSpec, ResultSpec, Source

ROUNDS = 50
BATCHES = 20  # the caches of CPython take a while to fill


@pytest.fixture(params=sorted(LOOP_FACTORIES))
def run(request: pytest.FixtureRequest) -> Any:
    return lambda coro: run_on(coro, request.param)


class Forgetful(Hooks):
    """Does not keep the exceptions, which would keep everything."""

    def handle_exception(self, exc: BaseException, request: _core.Request, meta: Any) -> Any:
        return 500, [("x-path", request.path)], b""

    async def finish(self) -> Any:
        await asyncio.sleep(0)
        return 200, [], b"finished"

    def finalize(self, result: Any, request: _core.Request, meta: Any) -> Any:
        return self.finish()


def count_tasks() -> int:
    return sum(type(item) is _core.RequestTask for item in gc.get_objects())


def application() -> Application:
    app = Application(Forgetful(), custom_errors=True)

    @app.get("/plain")
    async def plain() -> dict[str, list[int]]:
        return {"numbers": [1000, 2000]}

    @app.get("/sync/{name}", ParamSpec("name", Source.PATH, "name", capture=0))
    def sync(name: str) -> str:
        return name * 100

    @app.get("/suspend", ParamSpec("request", Source.REQUEST))
    async def suspend(request: _core.Request) -> dict[str, str]:
        await asyncio.sleep(0)
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, None)
        await future
        return {"path": request.path}

    @app.get("/touch")
    async def touch() -> str:
        async with asyncio.timeout(5):
            return str(asyncio.current_task()).rpartition("name")[0]

    @app.get("/group")
    async def group() -> str:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.sleep(0))
        return "done"

    @app.get("/error")
    async def error() -> None:
        raise ValueError

    @app.get("/late-error")
    async def late_error() -> None:
        await asyncio.sleep(0)
        raise ValueError

    @app.get("/cancel")
    async def cancel() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel("message")
        await asyncio.sleep(0)

    @app.get("/wait")
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    app.add("/finalize", object)
    app.add("/none", lambda: None, result=ResultSpec(status=204))
    return app


PATHS = [
    "/plain",
    "/sync/name",
    "/suspend",
    "/touch",
    "/group",
    "/error",
    "/late-error",
    "/cancel",
    "/finalize",
    "/none",
    "/missing",
]


async def settle(action: Callable[[], Awaitable[Any]]) -> None:
    """Fails unless memory stops growing: a leak of one block per action shows in every batch, caches do not."""
    growth = []
    for _ in range(BATCHES):
        blocks, tasks = sys.getallocatedblocks(), count_tasks()
        for _ in range(ROUNDS):
            await action()
        gc.collect()
        assert count_tasks() <= tasks + 1  # the spare
        growth.append(sys.getallocatedblocks() - blocks)
        if growth[-1] < ROUNDS // 2:
            return
    raise AssertionError(f"allocated blocks grow by {growth} in batches of {ROUNDS}")


@pytest.mark.parametrize("path", PATHS)
def test_requests(run: Any, path: str) -> None:
    async def main() -> None:
        async with serve(application()) as service:
            client = await service.connect()
            await settle(lambda: client.request(path))

    run(main())


def test_connections(run: Any) -> None:
    async def main() -> None:
        async with serve(application()) as service:

            async def connect() -> None:
                await service.get("/plain")
                service.clients.clear()

            await settle(connect)

    run(main())


def test_disconnects(run: Any) -> None:
    async def main() -> None:
        async with serve(application()) as service:

            async def abandon() -> None:
                client = await service.connect()
                client.send("/wait")
                await until(service.server.pending)
                client.writer.transport.abort()
                service.clients.clear()
                await until(lambda: not service.server.pending())

            await settle(abandon)
            assert service.server.stats()["exchanges_open"] == 0

    run(main())


def test_apps_and_servers(run: Any) -> None:
    async def one() -> None:
        async with serve(application()) as service:
            client = await service.connect()
            await client.request("/plain")
            client.send("/wait")
            await until(service.server.pending)

    run(settle(one))


@pytest.mark.parametrize("loop_name", sorted(LOOP_FACTORIES))
def test_loops_left_without_closing_the_server(loop_name: str) -> None:
    async def leave_open() -> None:
        service = Service(application())
        client = await service.connect()
        client.send("/wait")
        await until(service.server.pending)
        client.writer.transport.abort()

    async def one() -> None:
        loop = LOOP_FACTORIES[loop_name]()
        loop.run_until_complete(leave_open())
        loop.close()

    # No loop runs meanwhile: the actions never suspend.
    with pytest.raises(StopIteration):
        settle(one).send(None)
    assert count_tasks() == 0
