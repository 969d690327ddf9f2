"""``atomic`` on the event loop: spellings, nesting, isolation between tasks, sharing with children."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError
from testproject.blog.models import Person, Team

from django_bolt.concurrency import to_worker


class Rollback(Exception):
    pass


async def names(prefix: str = "") -> set[str]:
    return {name async for name in Team.objects.filter(name__startswith=prefix).values_list("name", flat=True)}


async def test_async_with_commits_and_rolls_back() -> None:
    async with transaction.atomic():
        assert connection.in_atomic_block
        await Team.objects.acreate(name="x kept")
    with pytest.raises(Rollback):
        async with transaction.atomic():
            await Team.objects.acreate(name="x lost")
            raise Rollback
    assert not connection.in_atomic_block
    assert await names("x") == {"x kept"}


async def test_plain_with_in_async_code() -> None:
    with transaction.atomic():
        await Team.objects.acreate(name="x kept")
        await asyncio.sleep(0)
        Team.objects.create(name="x too")
    with pytest.raises(Rollback), transaction.atomic():
        await Team.objects.acreate(name="x lost")
        await asyncio.sleep(0)
        raise Rollback
    assert await names("x") == {"x kept", "x too"}


async def test_decorator_of_async_and_sync_functions() -> None:
    @transaction.atomic
    async def keep(name: str) -> bool:
        await Team.objects.acreate(name=name)
        return connection.in_atomic_block

    @transaction.atomic(durable=True)
    async def lose(name: str) -> None:
        await Team.objects.acreate(name=name)
        raise Rollback

    @transaction.atomic
    def sync(name: str) -> None:
        Team.objects.create(name=name)

    assert keep.__name__ == "keep"
    assert await asyncio.gather(keep("x 1"), keep("x 2")) == [True, True]
    with pytest.raises(Rollback):
        await lose("x 3")
    sync("x 4")
    await to_worker(sync, "x 5")
    assert await names("x") == {"x 1", "x 2", "x 4", "x 5"}


async def test_nested_blocks_are_savepoints() -> None:
    async with transaction.atomic():
        await Team.objects.acreate(name="x outer")
        with pytest.raises(Rollback):
            async with transaction.atomic():
                await Team.objects.acreate(name="x inner lost")
                raise Rollback
        async with transaction.atomic():
            await Team.objects.acreate(name="x inner kept")
            with pytest.raises(IntegrityError):
                async with transaction.atomic():
                    await Person.objects.acreate(username="ann")
            async with transaction.atomic(savepoint=False):
                await Team.objects.acreate(name="x no savepoint")
    assert await names("x") == {"x outer", "x inner kept", "x no savepoint"}


async def test_durable() -> None:
    async with transaction.atomic():
        with pytest.raises(RuntimeError, match="durable"):
            async with transaction.atomic(durable=True):
                pass
    async with transaction.atomic(durable=True):
        await Team.objects.acreate(name="x")
    assert await names("x") == {"x"}


async def test_on_commit_runs_after_the_outermost_commit() -> None:
    seen: list[str] = []
    async with transaction.atomic():
        transaction.on_commit(lambda: seen.append("outer"))
        with pytest.raises(Rollback):
            async with transaction.atomic():
                transaction.on_commit(lambda: seen.append("lost"))
                raise Rollback
        async with transaction.atomic():
            transaction.on_commit(lambda: seen.append(f"inner {Team.objects.count()}"))
            await Team.objects.acreate(name="x")
        assert seen == []
    assert seen == ["outer", "inner 3"]
    transaction.on_commit(lambda: seen.append("at once"))
    assert seen[-1] == "at once"


async def test_set_rollback_and_broken_transactions() -> None:
    async with transaction.atomic():
        await Team.objects.acreate(name="x")
        transaction.set_rollback(True)
        assert transaction.get_rollback()
    assert await names("x") == set()
    with pytest.raises(TransactionManagementError, match="can't execute queries"):
        async with transaction.atomic():
            with pytest.raises(IntegrityError), transaction.atomic(savepoint=False):
                await Person.objects.acreate(username="ann")
            await Team.objects.acount()
    assert await Team.objects.acount() == 2


async def test_savepoints_by_hand() -> None:
    async with transaction.atomic():
        await Team.objects.acreate(name="x 1")
        savepoint = transaction.savepoint()
        await Team.objects.acreate(name="x 2")
        transaction.savepoint_rollback(savepoint)
    assert await names("x") == {"x 1"}


async def test_autocommit_off_holds_the_connection() -> None:
    connection.set_autocommit(False)
    await Team.objects.acreate(name="x")
    await asyncio.sleep(0)
    connection.rollback()
    connection.set_autocommit(True)
    assert connection.connection is None
    assert await names("x") == set()


async def test_tasks_do_not_see_each_others_transactions() -> None:
    inside, seen = asyncio.Event(), asyncio.Event()

    async def writer() -> None:
        async with transaction.atomic():
            await Team.objects.acreate(name="x")
            inside.set()
            await seen.wait()

    async def reader() -> None:
        await inside.wait()
        assert not connection.in_atomic_block
        assert await names("x") == set()
        seen.set()

    await asyncio.gather(writer(), reader())
    assert await names("x") == {"x"}


async def test_a_task_created_before_the_transaction_is_outside() -> None:
    inside = asyncio.Event()

    async def early() -> bool:
        await inside.wait()
        return connection.in_atomic_block or await Team.objects.filter(name="x").aexists()

    task = asyncio.create_task(early())
    await asyncio.sleep(0)
    async with transaction.atomic():
        await Team.objects.acreate(name="x")
        inside.set()
        assert not await task


async def test_children_take_part_in_the_transaction() -> None:
    async def child(i: int) -> bool:
        await Team.objects.acreate(name=f"x {i}")
        await asyncio.sleep(0)
        return Team.objects.filter(name="x parent").exists() and connection.in_atomic_block

    with pytest.raises(Rollback):
        async with transaction.atomic():
            await Team.objects.acreate(name="x parent")
            assert await asyncio.gather(*(child(i) for i in range(10))) == [True] * 10
            assert await Team.objects.filter(name__startswith="x").acount() == 11
            raise Rollback
    assert await names("x") == set()


async def test_nested_blocks_of_siblings_take_turns() -> None:
    async def child(i: int) -> None:
        async with transaction.atomic():
            await Team.objects.acreate(name=f"x {i}")
            await asyncio.sleep(0)
            if i % 2:
                transaction.set_rollback(True)

    async with transaction.atomic():
        await asyncio.gather(*(child(i) for i in range(10)))
    assert await names("x") == {f"x {i}" for i in range(0, 10, 2)}


async def test_grandchildren_nest_in_the_childs_block() -> None:
    async def grandchild(name: str, fail: bool) -> None:
        async with transaction.atomic():
            await Team.objects.acreate(name=name)
            if fail:
                raise Rollback

    async def child(i: int) -> None:
        async with transaction.atomic():
            await Team.objects.acreate(name=f"x {i}")
            await asyncio.gather(*(grandchild(f"x {i} {j}", fail=j == 1) for j in range(3)), return_exceptions=True)
            if i == 1:
                transaction.set_rollback(True)

    async with transaction.atomic():
        await asyncio.gather(*(child(i) for i in range(3)))
    assert await names("x") == {f"x {i}{j}" for i in (0, 2) for j in ("", " 0", " 2")}


async def test_a_child_that_outlives_the_transaction_leaves_it() -> None:
    ended = asyncio.Event()

    async def child() -> None:
        await Team.objects.acreate(name="x inside")
        await ended.wait()
        assert not connection.in_atomic_block
        await Team.objects.acreate(name="x after")

    with pytest.raises(Rollback):
        async with transaction.atomic():
            task = asyncio.create_task(child())
            while not await Team.objects.filter(name="x inside").aexists():
                await asyncio.sleep(0)
            raise Rollback
    ended.set()
    await task
    assert await names("x") == {"x after"}


async def test_sixty_four_tasks_2048_transactions() -> None:
    """Each reads, awaits, updates, inserts, reads back; every second one is rolled back."""
    counters = [await Person.objects.acreate(username=f"counter {i}", age=0) for i in range(64)]

    async def one(name: str, k: int, lose: bool) -> None:
        async with transaction.atomic():
            person = await Person.objects.select_for_update().aget(pk=counters[k].pk)
            await asyncio.sleep(0)
            person.age = (person.age or 0) + 1
            await person.asave(update_fields=["age"])
            await Team.objects.acreate(name=name)
            assert Team.objects.filter(name=name).count() == 1
            if lose:
                raise Rollback

    async def worker(k: int) -> None:
        for i in range(32):
            with contextlib.suppress(Rollback):
                await one(f"y {k} {i}", k, lose=i % 2 == 1)

    await asyncio.gather(*(worker(k) for k in range(64)))
    assert await Team.objects.filter(name__startswith="y").acount() == 1024
    assert [p.age async for p in Person.objects.filter(username__startswith="counter")] == [16] * 64
    assert {name.split()[2] for name in await names("y")} == {str(i) for i in range(0, 32, 2)}


async def test_select_for_update_needs_a_transaction() -> None:
    if connection.features.has_select_for_update:
        with pytest.raises(TransactionManagementError):
            await Person.objects.select_for_update().aget(username="ann")
    async with transaction.atomic():
        assert (await Person.objects.select_for_update().aget(username="ann")).age == 30


async def test_sync_to_async_inside_a_transaction_runs_inside_it() -> None:
    def insert() -> bool:
        Team.objects.create(name="x")
        return connection.in_atomic_block

    with pytest.raises(Rollback):
        async with transaction.atomic():
            assert await sync_to_async(insert)()
            raise Rollback
    assert await names("x") == set()


async def test_async_to_sync_in_a_worker() -> None:
    async def insert() -> bool:
        await asyncio.sleep(0)
        await Team.objects.acreate(name="x")
        return connection.in_atomic_block

    def sync() -> bool:
        with transaction.atomic():
            return async_to_sync(insert)()

    assert sync()
    assert await to_worker(sync)
    assert await Team.objects.filter(name="x").acount() == 2
    with pytest.raises(Rollback):
        async_to_sync(fail)()


async def fail() -> None:
    await asyncio.sleep(0)
    raise Rollback


async def test_asyncio_run_in_a_worker_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match="run_until_complete"):
        asyncio.run(fail())
    with pytest.raises(RuntimeError, match="run_until_complete"):
        await to_worker(lambda: asyncio.run(fail()))


async def test_cancelled_transactions_are_rolled_back() -> None:
    async def slow(event: asyncio.Event) -> None:
        async with transaction.atomic():
            await Team.objects.acreate(name="x")
            event.set()
            await asyncio.sleep(60)

    for _ in range(5):
        event = asyncio.Event()
        task = asyncio.create_task(slow(event))
        await event.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await names("x") == set()


async def test_a_task_that_ends_in_a_transaction_leaves_nothing() -> None:
    async def forgetful() -> None:
        transaction.atomic().__enter__()
        await Team.objects.acreate(name="x")

    await asyncio.create_task(forgetful())
    await asyncio.sleep(0)
    assert await names("x") == set()


async def test_transactions_of_other_loops_calls(pool_options: dict[str, Any]) -> None:
    """A transaction may begin in one worker and end in another."""
    pool_options["max_size"] = 2
    block = transaction.atomic()
    await to_worker(block.__enter__)
    await to_worker(Team.objects.create, name="x")
    await to_worker(block.__exit__, None, None, None)
    assert await names("x") == {"x"}
