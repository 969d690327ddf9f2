"""A backend that is not ours (MariaDB): its driver runs in a thread per wrapper, nothing raises, the loop goes on."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.db import IntegrityError, OperationalError, connections, transaction
from testproject.blog.models import Person, Team

from django_bolt.concurrency import to_worker
from django_bolt.db.scope import drop_free
from django_bolt.db.threaded import CursorProxy, ThreadedWrapper

pytestmark = pytest.mark.threads
ALIAS = "mariadb"
NAME = f"bolt_tests_{os.getpid()}"


def administer(path: str, sql: str) -> None:
    with pymysql.connect(unix_socket=path, user="root") as link, link.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture(scope="module")
def server(mariadb_socket: str) -> Iterator[str]:
    administer(mariadb_socket, f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4")
    pymysql.install_as_MySQLdb()
    yield mariadb_socket
    administer(mariadb_socket, f"DROP DATABASE {NAME}")


@pytest.fixture(autouse=True)
def mariadb(server: str) -> Iterator[None]:
    connections.settings[ALIAS] = {
        "ENGINE": "django.db.backends.mysql",
        "NAME": NAME,
        "HOST": server,
        "USER": "root",
    }
    connections.configure_settings(connections.settings)
    with connections[ALIAS].schema_editor() as editor:
        editor.create_model(Team)
        editor.create_model(Person)
    connections[ALIAS].close()
    yield
    with connections[ALIAS].schema_editor() as editor:
        editor.delete_model(Person)
        editor.delete_model(Team)
    connections[ALIAS].close()
    drop_free(ALIAS)
    del connections[ALIAS]
    del connections.settings[ALIAS]


def driver_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(f"django-bolt-{ALIAS}")]


async def until_no_driver_threads() -> None:
    async with asyncio.timeout(10):
        while driver_threads():
            await asyncio.sleep(0.001)


async def test_sync_and_async_orm() -> None:
    async def child() -> None:
        teams = Team.objects.using(ALIAS)
        await teams.acreate(name="a")
        teams.create(name="b")
        assert [team.name for team in teams.order_by("pk")] == ["a", "b"]
        assert [team.name async for team in teams.order_by("pk").aiterator(chunk_size=1)] == ["a", "b"]
        assert isinstance(connections[ALIAS], ThreadedWrapper)
        with connections[ALIAS].cursor() as cursor:
            assert isinstance(cursor.cursor, CursorProxy)
            cursor.execute("SELECT name FROM blog_team WHERE name <> %s ORDER BY id", ["x"])
            assert cursor.fetchone() == ("a",)
            assert cursor.rowcount == 2
            assert list(cursor) == [("b",)]
        assert await to_worker(teams.filter(name="a").delete) == (1, {"blog.Team": 1})
        await Person.objects.using(ALIAS).acreate(username="ann", email="ann@x.org")
        with pytest.raises(IntegrityError):
            await Person.objects.using(ALIAS).acreate(username="ann", email="ann@x.org")
        [thread] = driver_threads()
        assert thread is not threading.current_thread()

    await asyncio.create_task(child())
    await until_no_driver_threads()


async def test_transactions_are_isolated() -> None:
    async def one(i: int) -> None:
        async with transaction.atomic(using=ALIAS):
            await Team.objects.using(ALIAS).acreate(name=f"x {i}")
            await asyncio.sleep(0)
            assert await Team.objects.using(ALIAS).filter(name__startswith="x").acount() >= 1
            async with transaction.atomic(using=ALIAS):
                await Team.objects.using(ALIAS).acreate(name=f"y {i}")
                transaction.set_rollback(True, using=ALIAS)
            if i % 2:
                raise KeyError

    results = await asyncio.gather(*(asyncio.create_task(one(i)) for i in range(10)), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), KeyError] * 5
    names = {name async for name in Team.objects.using(ALIAS).values_list("name", flat=True)}
    assert names == {f"x {i}" for i in range(0, 10, 2)}


async def test_a_slow_query_does_not_block_the_loop() -> None:
    async def slow() -> None:
        with connections[ALIAS].cursor() as cursor:
            cursor.execute("SELECT SLEEP(0.3)")

    task = asyncio.create_task(slow())
    turns = 0
    while not task.done():
        await asyncio.sleep(0.005)
        turns += 1
    await task
    assert turns > 10


async def test_a_cancelled_query_leaves_a_usable_wrapper() -> None:
    async def child() -> None:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), transaction.atomic(using=ALIAS):
                await Team.objects.using(ALIAS).acreate(name="lost")
                with connections[ALIAS].cursor() as cursor:
                    cursor.execute("SELECT SLEEP(0.3)")
        assert time.monotonic() - started < 10
        assert await Team.objects.using(ALIAS).acount() == 0

    await asyncio.create_task(child())
    await until_no_driver_threads()


async def test_children_share_the_transaction() -> None:
    async def child(i: int) -> bool:
        await Team.objects.using(ALIAS).acreate(name=f"x {i}")
        return connections[ALIAS].in_atomic_block

    with pytest.raises(KeyError):
        async with transaction.atomic(using=ALIAS):
            assert all(await asyncio.gather(*(child(i) for i in range(10))))
            assert await Team.objects.using(ALIAS).acount() == 10
            raise KeyError
    assert await Team.objects.using(ALIAS).acount() == 0


async def test_kept_connections_are_reused() -> None:
    connections.settings[ALIAS]["CONN_MAX_AGE"] = 60

    async def connection_id() -> Any:
        with connections[ALIAS].cursor() as cursor:
            cursor.execute("SELECT connection_id()")
            return cursor.fetchone()

    first = await asyncio.create_task(connection_id())
    await asyncio.sleep(0)
    assert await asyncio.create_task(connection_id()) == first


async def test_failing_connections_leave_no_thread() -> None:
    connections.settings[ALIAS]["PASSWORD"] = "wrong"
    for _ in range(3):
        with pytest.raises(OperationalError, match="Access denied"):
            await Team.objects.using(ALIAS).acount()
    connections.settings[ALIAS]["PASSWORD"] = ""
    await until_no_driver_threads()


def test_outside_workers_it_is_djangos_own(mariadb: None) -> None:
    Team.objects.using(ALIAS).create(name="a")
    assert [team.name for team in Team.objects.using(ALIAS)] == ["a"]
    assert driver_threads() == []


def test_plain_coroutines_are_refused_as_ever(mariadb: None) -> None:
    async def plain() -> None:
        with pytest.raises(SynchronousOnlyOperation):
            Team.objects.using(ALIAS).count()
        assert await Team.objects.using(ALIAS).acount() == 0

    asyncio.run(plain())
