"""The pool of physical connections: exhaustion, its error, cancellation, connections that went bad."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from testproject.blog.models import Post, Team

from django_bolt._green import loop as green_loop
from django_bolt.concurrency import to_worker
from django_bolt.db import pooled
from django_bolt.db.pool import PoolTimeout


def pool() -> Any:
    [only] = [pool for key, pool in pooled._pools.items() if key[0] is asyncio.get_running_loop()]
    return only


async def hold(entered: asyncio.Semaphore, leave: asyncio.Event) -> None:
    """Keeps a connection: in a transaction that has read something."""
    async with transaction.atomic():
        entered.release()
        await leave.wait()


@pytest.fixture
def deferred() -> Any:
    """Transactions that do not take SQLite's write lock at once, so that several can be open."""
    options = connection.settings_dict["OPTIONS"]
    if connection.vendor == "sqlite":
        options["transaction_mode"] = "DEFERRED"
    yield
    options.pop("transaction_mode", None)


async def test_exhaustion_names_the_holders(pool_options: dict[str, Any], deferred: None) -> None:
    pool_options.update(max_size=3, timeout=0.2)
    entered, leave = asyncio.Semaphore(0), asyncio.Event()
    holders = [asyncio.create_task(hold(entered, leave), name=f"holder {i}") for i in range(3)]
    for _ in holders:
        await entered.acquire()
    with pytest.raises(PoolTimeout) as caught:
        await Post.objects.acount()
    assert isinstance(caught.value, OperationalError)
    text = str(caught.value)
    assert "'default'" in text and "0.2 s" in text and "all 3" in text
    assert all(f"holder {i} in a transaction" in text for i in range(3))
    leave.set()
    await asyncio.gather(*holders)
    assert await Post.objects.acount() == 3


async def test_who_waits_is_served_in_order(pool_options: dict[str, Any]) -> None:
    pool_options["max_size"] = 1
    order: list[int] = []

    async def one(i: int) -> None:
        await Post.objects.acount()
        order.append(i)

    entered, leave = asyncio.Semaphore(0), asyncio.Event()
    holder = asyncio.create_task(hold(entered, leave))
    await entered.acquire()
    tasks = [asyncio.create_task(one(i)) for i in range(10)]
    await asyncio.sleep(0)
    leave.set()
    await asyncio.gather(holder, *tasks)
    assert order == list(range(10))
    assert pool().size == 1


async def test_who_waits_can_be_cancelled(pool_options: dict[str, Any]) -> None:
    pool_options["max_size"] = 1
    entered, leave = asyncio.Semaphore(0), asyncio.Event()
    holder = asyncio.create_task(hold(entered, leave))
    await entered.acquire()
    tasks = [asyncio.create_task(Post.objects.acount()) for _ in range(6)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    leave.set()
    results = await asyncio.gather(holder, *tasks, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in results[1:]] == [True, False] * 3
    assert results[2::2] == [3] * 3


async def test_cancelled_in_the_turn_of_the_hand_over(pool_options: dict[str, Any]) -> None:
    pool_options["max_size"] = 1
    entered, leave = asyncio.Semaphore(0), asyncio.Event()
    holder = asyncio.create_task(hold(entered, leave))
    await entered.acquire()
    victim = asyncio.create_task(Post.objects.acount())
    heir = asyncio.create_task(Post.objects.acount())
    await asyncio.sleep(0)
    stock_release = pool().release

    def release(physical: object) -> None:
        stock_release(physical)
        victim.cancel()

    pool().release = release
    leave.set()
    results = await asyncio.gather(holder, victim, heir, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert results[2] == 3


@pytest.mark.parametrize("size", [1, 5])
async def test_a_parent_that_holds_a_cursor_gathers_children(pool_options: dict[str, Any], size: int) -> None:
    """Fifty children, a parent with an open cursor: results where a connection is left, else a clear error."""
    pool_options.update(max_size=size, timeout=0.3)

    def parent() -> list[Any]:
        from django_bolt.concurrency import run_until_complete  # noqa: PLC0415

        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM blog_post")
            cursor.fetchone()
            return run_until_complete(gather())

    async def gather() -> list[Any]:
        return await asyncio.gather(*(Post.objects.acount() for _ in range(50)), return_exceptions=True)

    results = await to_worker(parent)
    if size == 1:
        assert {type(result) for result in results} == {PoolTimeout}
        assert "with 1 open cursor(s)" in str(results[0])
    else:
        assert results == [3] * 50


async def test_children_in_a_transaction_need_no_connection_of_their_own(pool_options: dict[str, Any]) -> None:
    pool_options.update(max_size=1, timeout=0.3)
    async with transaction.atomic():
        assert await asyncio.gather(*(Post.objects.acount() for _ in range(50))) == [3] * 50


async def test_a_failing_connect_does_not_use_the_pool_up(
    pool_options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool_options["max_size"] = 2
    await Post.objects.acount()
    pooled.close_pools()

    def fail(self: object, params: object) -> object:
        raise OperationalError("no server")

    with monkeypatch.context() as patch:
        patch.setattr(type(connection._connections["default"]), "get_new_connection", fail)
        for _ in range(5):
            with pytest.raises(OperationalError, match="no server"):
                await Team.objects.acount()
    assert await asyncio.gather(*(Team.objects.acount() for _ in range(10))) == [2] * 10
    assert pool().size <= 2


async def test_tasks_of_a_user_set_factory_keep_working() -> None:
    loop = asyncio.get_running_loop()
    made: list[str | None] = []

    def factory(loop: asyncio.AbstractEventLoop, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        made.append(kwargs.get("name"))
        return asyncio.Task(coro, loop=loop, **kwargs)

    async def child() -> int:
        return Post.objects.count()

    loop.set_task_factory(factory)
    green_loop.enter(loop)
    assert await asyncio.create_task(child()) == 3
    assert len(made) == 1
