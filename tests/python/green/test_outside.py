"""Outside workers everything is stock Django: it blocks in threads and is refused in plain coroutines."""

from __future__ import annotations

import asyncio
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.test import TestCase, TransactionTestCase
from testproject.blog.models import Post, Team

from django_bolt import _core
from django_bolt._green import loop as green_loop
from django_bolt.concurrency import in_worker, run_until_complete, to_worker


def test_the_main_thread_blocks() -> None:
    assert not in_worker()
    assert Post.objects.count() == 3
    with transaction.atomic():
        Team.objects.create(name="x")
        transaction.set_rollback(True)
    assert not Team.objects.filter(name="x").exists()
    assert connection.connection is not None, "stock Django keeps the thread's connection"
    call_command("check", verbosity=0)


@pytest.mark.threads
def test_threads_have_connections_of_their_own() -> None:
    def work(i: int) -> int:
        try:
            with transaction.atomic():
                Team.objects.create(name=f"x {i}")
            return id(connections["default"])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as executor:
        wrappers = list(executor.map(work, range(20)))
    assert id(connections["default"]) not in wrappers
    assert Team.objects.filter(name__startswith="x").count() == 20


@pytest.mark.threads
def test_threads_next_to_a_loop(run: object) -> None:
    """A loop with workers in one thread, blocking code in another, one database."""
    done = threading.Event()

    def block() -> int:
        made = 0
        while not done.is_set():
            Team.objects.create(name=f"thread {made}")
            made += 1
        connection.close()
        return made

    async def main() -> int:
        future = asyncio.get_running_loop().run_in_executor(None, block)
        for i in range(20):
            async with transaction.atomic():
                await Team.objects.acreate(name=f"loop {i}")
        done.set()
        return await future

    made = run(main())  # type: ignore[operator]
    assert Team.objects.filter(name__startswith="thread").count() == made
    assert Team.objects.filter(name__startswith="loop").count() == 20


def test_plain_coroutines_and_callbacks_are_refused() -> None:
    async def main() -> None:
        with pytest.raises(SynchronousOnlyOperation):
            Post.objects.count()
        refused = asyncio.get_running_loop().create_future()

        def callback() -> None:
            try:
                Post.objects.count()
            except SynchronousOnlyOperation as exc:
                refused.set_result(exc)

        asyncio.get_running_loop().call_soon(callback)
        await refused
        with pytest.raises(RuntimeError, match="outside a worker"):
            run_until_complete(asyncio.sleep(0))
        assert await Post.objects.acount() == 3
        assert await to_worker(Post.objects.count) == 3

    asyncio.run(main())


@pytest.mark.threads
def test_asgiref_in_plain_code() -> None:
    async def count() -> int:
        return await Post.objects.acount()

    assert async_to_sync(count)() == 3

    async def main() -> int:
        def work() -> int:
            try:
                return threading.get_ident()
            finally:
                connection.close()

        assert await sync_to_async(work)() != threading.get_ident(), "without a transaction it keeps its thread"
        return await sync_to_async(work, thread_sensitive=False)()

    assert asyncio.run(main()) != threading.get_ident()


class InTransaction(TestCase):
    """Django's TestCase: what its async tests write is rolled back with the test."""

    __test__ = False  # run by test_djangos_test_cases, without this directory's fixtures

    @classmethod
    def setUpTestData(cls) -> None:
        cls.team = Team.objects.create(name="x class")

    async def test_async(self) -> None:
        self.assertTrue(await Team.objects.filter(name="x class").aexists())
        await Team.objects.acreate(name="x test")
        async with transaction.atomic():
            await Team.objects.acreate(name="x nested")
            transaction.set_rollback(True)
        names = [name async for name in Team.objects.filter(name__startswith="x").values_list("name", flat=True)]
        self.assertEqual(sorted(names), ["x class", "x test"])

    async def test_children_and_workers(self) -> None:
        green_loop.enter(asyncio.get_running_loop())

        async def child(i: int) -> int:
            Team.objects.create(name=f"x {i}")
            await asyncio.sleep(0)
            return Team.objects.filter(name="x class").count()

        self.assertEqual(await asyncio.gather(*(asyncio.create_task(child(i)) for i in range(10))), [1] * 10)

    def test_sync(self) -> None:
        with self.assertNumQueries(2):
            Team.objects.create(name="x sync")
            self.assertEqual(Team.objects.filter(name__startswith="x").count(), 2)

    async def test_assert_num_queries(self) -> None:
        green_loop.enter(asyncio.get_running_loop())

        async def counted() -> None:
            with self.assertNumQueries(3):
                await Team.objects.acount()
                Team.objects.count()
                await to_worker(Team.objects.count)

        await asyncio.create_task(counted())

    async def test_on_commit(self) -> None:
        with self.captureOnCommitCallbacks() as callbacks:
            async with transaction.atomic():
                transaction.on_commit(lambda: None)
        self.assertEqual(len(callbacks), 1)


class Flushed(TransactionTestCase):
    __test__ = False

    def _fixture_teardown(self) -> None:
        """The directory's fixtures clean up."""

    async def test_commits(self) -> None:
        async with transaction.atomic():
            await Team.objects.acreate(name="x committed")
        self.assertTrue(await Team.objects.filter(name="x committed").aexists())


@pytest.mark.threads  # asgiref runs an async test in a thread of its own
@pytest.mark.parametrize("case", [InTransaction, Flushed])
def test_djangos_test_cases(case: type[unittest.TestCase]) -> None:
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert result.testsRun == (5 if case is InTransaction else 1)
    assert [trace for _, trace in result.errors + result.failures] == []
    left = set(Team.objects.filter(name__startswith="x").values_list("name", flat=True))
    assert left == (set() if case is InTransaction else {"x committed"})
    _core.drain_workers()
