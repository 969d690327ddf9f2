"""Which backend serves which ENGINE, wrappers that exist already, and databases in memory."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from django.test.utils import override_settings

from django_bolt._green.engines import engine_for

pytestmark = pytest.mark.threads  # subprocess.communicate() reads both pipes


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        ("django.db.backends.sqlite3", "django_bolt.db.sqlite3"),
        ("django.db.backends.postgresql", "django_bolt.db.postgresql"),
        ("django.db.backends.postgresql_psycopg2", "django_bolt.db.postgresql"),
        ("django_bolt.db.sqlite3", "django_bolt.db.sqlite3"),
        ("django.db.backends.mysql", "django.db.backends.mysql"),
        ("django.contrib.gis.db.backends.postgis", "django.contrib.gis.db.backends.postgis"),
    ],
)
def test_engine_for(engine: str, expected: str) -> None:
    assert engine_for(engine) == expected
    with override_settings(BOLT_NATIVE_DATABASES=False):
        assert engine_for(engine) == engine


SETUP = """
import asyncio, os, sys, threading
import django
from django.conf import settings
settings.configure(
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": {name!r}}}}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    BOLT_NATIVE_DATABASES={native},
)
django.setup()
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection, connections, transaction
from django_bolt import _core, _green
from django_bolt._green import loop as green_loop

def run(coro):
    async def main():
        green_loop.enter(asyncio.get_running_loop())
        await asyncio.create_task(coro)
        green_loop.leave(asyncio.get_running_loop())
    asyncio.run(main())
"""


def python(script: str, name: str, native: bool = True) -> str:
    source = SETUP.format(name=name, native=native) + textwrap.dedent(script)
    command = [sys.executable, "-W", "error", "-c", source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


SHARED = """
    async def child(i):
        async with transaction.atomic():
            await Group.objects.acreate(name=f"g {i}")
            await asyncio.sleep(0)
            assert Group.objects.filter(name=f"g {i}").exists()
            if i % 2:
                transaction.set_rollback(True)

    async def main():
        await asyncio.gather(*(child(i) for i in range(20)))
        assert await Group.objects.acount() == 10
        assert Group.objects.count() == 10

    run(main())
    assert Group.objects.count() == 10
    print("ok")
"""


@pytest.mark.parametrize("native", [True, False])
def test_a_database_in_memory_is_shared_by_all_tasks(native: bool) -> None:
    script = "_green.install()\ncall_command('migrate', verbosity=0)\n" + textwrap.dedent(SHARED)
    assert python(script, ":memory:", native) == "ok\n"


@pytest.mark.parametrize("name", [":memory:", "file"])
def test_wrappers_that_exist_already_keep_working(name: str, tmp_path: object) -> None:
    script = """
        call_command("migrate", verbosity=0)
        stock = connections["default"]
        _green.install()
        assert connections["default"] is stock
    """
    script = textwrap.dedent(script) + textwrap.dedent(SHARED)
    assert python(script, name if name == ":memory:" else f"{tmp_path}/db.sqlite3") == "ok\n"


def test_switched_off_djangos_backend_runs_in_threads(tmp_path: object) -> None:
    script = """
        _green.install()
        call_command("migrate", verbosity=0)
        connection.close()

        async def main():
            from django_bolt.db.threaded import ThreadedWrapper
            await Group.objects.acreate(name="a")
            with transaction.atomic():
                Group.objects.create(name="b")
                await asyncio.sleep(0)
            assert [group.name async for group in Group.objects.order_by("pk")] == ["a", "b"]
            assert isinstance(connections["default"], ThreadedWrapper)
            assert type(connections["default"].connection).__module__ == "sqlite3"
            assert any(thread.name.startswith("django-bolt-default") for thread in threading.enumerate())

        run(main())
        assert Group.objects.count() == 2
        print("ok")
    """
    assert python(script, f"{tmp_path}/db.sqlite3", native=False) == "ok\n"
