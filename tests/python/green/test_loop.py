"""Task factories compose, and every task of a prepared loop may wait."""

from __future__ import annotations

import asyncio
from typing import Any

from django_bolt import _core
from django_bolt._green import loop as green_loop


async def waits() -> object:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_soon(future.set_result, 5)
    return _core.wait(future)


def test_tasks_may_wait_and_keep_their_names() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(green_loop.task_factory())
        task = asyncio.create_task(waits(), name="mine")
        assert task.get_name() == "mine"
        assert await task == 5
        assert await asyncio.gather(waits(), waits()) == [5, 5]

    asyncio.run(main())
    _core.drain_workers()


def test_the_users_factory_still_makes_the_task() -> None:
    class Task(asyncio.Task[Any]):
        pass

    def users(loop: asyncio.AbstractEventLoop, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        return Task(coro, loop=loop, **kwargs)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(users)
        loop.set_task_factory(green_loop.task_factory(loop.get_task_factory()))
        task = asyncio.create_task(waits())
        assert type(task) is Task
        assert await task == 5

    asyncio.run(main())
    _core.drain_workers()
