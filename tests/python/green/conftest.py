"""Tests of Django on the event loop. ``async def`` tests run on both loops, as tasks made by the worker task factory.

Everything runs on the default database, SQLite or PostgreSQL (test_on_postgresql.py repeats the directory there). After
each test nothing may be borrowed from a pool, and no test may have started a thread unless it is marked ``threads``.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, connections
from testproject.blog.models import Person, Post, Profile, Team
from testproject.settings import DATABASE

from django_bolt import _core, _green
from django_bolt._green import loop as green_loop
from django_bolt.db import pooled

Runner = Callable[[Coroutine[Any, Any, Any]], Any]
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}

collect_ignore = ["test_on_postgresql.py"] if DATABASE == "postgresql" else ["test_postgresql.py"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "threads: this test starts threads on purpose")


def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> None:
    if name.startswith("test") and inspect.iscoroutinefunction(obj):
        pytest.mark.usefixtures("run")(obj)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    pyfuncitem.funcargs["run"](pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(scope="session", autouse=True)
def database() -> Iterator[None]:
    _green.install()
    original = connection.settings_dict["NAME"]
    test = connection.settings_dict["TEST"]
    shared_name = test["NAME"]
    test["NAME"] = f"{shared_name}_green"  # other directories of the same run have a database, too
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    test["NAME"] = shared_name
    call_command("createcachetable", verbosity=0)
    connection.close()
    yield
    connection.creation.destroy_test_db(original, verbosity=0)


@pytest.fixture(autouse=True)
def rows(database: None) -> Iterator[None]:
    """ann wrote "one" and "two", bob "three"; ann is in both teams."""
    ann = Person.objects.create(username="ann", email="ann@x.org", age=30)
    bob = Person.objects.create(username="bob", email="bob@x.org", is_active=False)
    ann.teams.set([Team.objects.create(name="core"), Team.objects.create(name="docs")])
    Profile.objects.create(person=ann, bio="first")
    Post.objects.create(title="one", author=ann)
    Post.objects.create(title="two", author=ann, editor=bob)
    Post.objects.create(title="three", author=bob)
    connection.close()
    yield
    for model in (Post, Profile, Person, Team, User):
        model.objects.all().delete()
    connections.close_all()


@pytest.fixture(autouse=True)
def no_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    started: list[str] = []
    start = threading.Thread.start

    def record(self: threading.Thread) -> None:
        started.append(self.name)
        start(self)

    monkeypatch.setattr(threading.Thread, "start", record)
    yield
    if request.node.get_closest_marker("threads") is None:
        assert started == []


def check_pools() -> None:
    """Everything that was borrowed has been given back, clean."""
    for pool in pooled._pools.values():
        assert not pool._holders, pool._describe()
        assert pool.size == len(pool._idle) <= pool.max_size
        for physical in pool._idle:
            if connection.vendor == "postgresql":
                assert physical.is_lendable()
            else:
                assert not physical.in_transaction


@pytest.fixture(params=list(LOOPS))
def run(request: pytest.FixtureRequest) -> Iterator[Runner]:
    """Runs a coroutine on a new loop whose tasks may wait in sync code."""
    failures: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
        loop = runner.get_loop()
        loop.set_exception_handler(lambda loop, context: failures.append(context))
        green_loop.enter(loop)

        async def settle() -> None:
            """Give the callbacks of finished tasks their turn."""
            await asyncio.sleep(0)
            async with asyncio.timeout(5):
                while any(pool._holders for pool in pooled._pools.values()):
                    await asyncio.sleep(0)

        yield runner.run
        runner.run(settle())
        check_pools()
        green_loop.leave(loop)
    assert failures == []
    assert not _core.in_worker()


@pytest.fixture
def pool_options() -> Iterator[dict[str, Any]]:
    """OPTIONS["pool"] of the default database, to be filled by the test."""
    options = connections.settings["default"]["OPTIONS"]
    options["pool"] = {}
    yield options["pool"]
    del options["pool"]
