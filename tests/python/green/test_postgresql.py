"""What only PostgreSQL has: queries cancelled in the server, connections it ends, COPY, LISTEN, named cursors."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction
from testproject.blog.models import Person, Post, Team

from django_bolt.concurrency import to_worker
from django_bolt.db import pooled


def pool() -> Any:
    [only] = [pool for key, pool in pooled._pools.items() if key[0] is asyncio.get_running_loop()]
    return only


def sleep_in_server(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def others(state: str) -> list[int]:
    """Server processes of other sessions of this database in that state."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state LIKE %s",
            [state],
        )
        return [pid for (pid,) in cursor.fetchall()]


async def until_active() -> None:
    while not await to_worker(others, "active"):
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("in_transaction", [False, True])
async def test_cancelled_queries_leave_the_pool_normal(in_transaction: bool) -> None:
    async def slow() -> None:
        if in_transaction:
            async with transaction.atomic():
                await Team.objects.acreate(name="lost")
                await to_worker(sleep_in_server, 60)
        else:
            sleep_in_server(60)

    await Post.objects.acount()
    for _ in range(3):
        task = asyncio.create_task(slow())
        await until_active()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await to_worker(others, "active") == []
        assert await to_worker(others, "idle in transaction%") == []
    assert not await Team.objects.filter(name="lost").aexists()
    await asyncio.sleep(0)
    assert not pool()._holders
    assert pool().size == len(pool()._idle)


async def test_timeout_cancels_the_query() -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            sleep_in_server(60)
    assert time.monotonic() - started < 10
    assert await Post.objects.acount() == 3
    assert others("active") == []


async def test_a_slow_query_does_not_delay_the_loop() -> None:
    worst = 0.0
    task = asyncio.create_task(sleep_task())
    last = time.monotonic()
    while not task.done():
        await asyncio.sleep(0.001)
        now = time.monotonic()
        worst, last = max(worst, now - last), now
    assert worst < 0.2


async def sleep_task() -> None:
    sleep_in_server(0.3)


async def test_terminated_idle_connections_are_replaced() -> None:
    await asyncio.gather(*(to_worker(sleep_in_server, 0.05) for _ in range(5)))

    def terminate() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            return int(cursor.fetchone()[0])

    async def gather() -> list[int]:
        return await asyncio.gather(*(asyncio.create_task(Post.objects.acount()) for _ in range(20)))

    async def spread() -> None:
        await asyncio.gather(*(asyncio.create_task(sleep_task()) for _ in range(4)))

    await spread()
    assert terminate() >= 3
    assert await gather() == [3] * 20


async def test_a_terminated_busy_connection_fails_its_query_only() -> None:
    task = asyncio.create_task(sleep_task_long())
    await until_active()

    def terminate() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", others("active"))

    terminate()
    with pytest.raises(OperationalError):
        await task
    assert await Post.objects.acount() == 3


async def sleep_task_long() -> None:
    sleep_in_server(60)


async def test_a_connection_terminated_in_a_transaction() -> None:
    with pytest.raises((OperationalError, InterfaceError)):
        async with transaction.atomic():
            await Team.objects.acreate(name="lost")
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert not await Team.objects.filter(name="lost").aexists()


async def test_server_side_cursors() -> None:
    await Team.objects.abulk_create([Team(name=f"bulk {i}") for i in range(500)])
    teams = Team.objects.filter(name__startswith="bulk").order_by("pk")
    count = 0
    for team in teams.iterator(chunk_size=50):
        if count == 0:
            assert len(cursors()) == 1
        assert team.name == f"bulk {count}"
        count += 1
    assert count == 500
    names = [team.name async for team in teams.aiterator(chunk_size=100)]
    assert names == [f"bulk {i}" for i in range(500)]
    async with transaction.atomic():
        assert len([team async for team in teams.aiterator(chunk_size=100)]) == 500
    assert cursors() == []


def cursors() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_cursors WHERE is_holdable")
        return [name for (name,) in cursor.fetchall()]


async def test_copy() -> None:
    rows = [f"copied {i}" for i in range(1000)]
    with connection.cursor() as cursor:
        with cursor.copy("COPY blog_team (name) FROM STDIN") as copy:
            for name in rows:
                copy.write_row([name])
        await asyncio.sleep(0)
        with cursor.copy("COPY (SELECT name FROM blog_team WHERE name LIKE 'copied%' ORDER BY id) TO STDOUT") as copy:
            assert [row[0] for row in copy.rows()] == rows
    assert connection.connection is None


async def test_listen_and_notify() -> None:
    async def send() -> None:
        with connection.cursor() as cursor:
            cursor.execute("NOTIFY news, 'hello'")

    with connection.cursor() as cursor:
        cursor.execute("LISTEN news")
        sender = asyncio.create_task(send())
        received = list(connection.connection.notifies(timeout=10, stop_after=1))
        await sender
        cursor.execute("UNLISTEN news")
    assert [(notify.channel, notify.payload) for notify in received] == [("news", "hello")]


async def test_row_locks_are_waited_for_without_blocking() -> None:
    order: list[str] = []
    locked, waiting = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with transaction.atomic():
            await Person.objects.select_for_update().aget(username="ann")
            locked.set()
            await waiting.wait()
            order.append("first")

    async def second() -> None:
        await locked.wait()
        async with transaction.atomic():
            Person.objects.select_for_update().get(username="ann")
            order.append("second")

    async def observer() -> None:
        await locked.wait()
        await until_active()  # not in the transaction: it sees one snapshot of pg_stat_activity
        waiting.set()

    await asyncio.gather(first(), second(), observer())
    assert order == ["first", "second"]


@pytest.mark.threads
async def test_nowait_in_another_session() -> None:
    def lock() -> None:
        try:
            with transaction.atomic():
                Person.objects.select_for_update(nowait=True).get(username="ann")
        finally:
            connection.close()

    async with transaction.atomic():
        await Person.objects.select_for_update().aget(username="ann")
        with pytest.raises(OperationalError, match="could not obtain lock"):
            await asyncio.to_thread(lock)


async def test_a_lent_connection_gets_its_time_zone_back() -> None:
    def zone() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW TIME ZONE")
            return str(cursor.fetchone()[0])

    def change() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'Asia/Tokyo'")

    before = zone()
    assert before != "Asia/Tokyo"
    change()  # the session keeps it, and the next borrower gets the same session
    assert zone() == before
