"""ATOMIC_REQUESTS and the housekeeping around a request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from django.core.cache import caches
from django.db import connection, connections, transaction
from django.test.utils import override_settings
from testproject.blog.models import Team

from django_bolt._green.requests import atomic_request, begin_request, end_request
from django_bolt.concurrency import to_worker


@pytest.fixture
def atomic_requests() -> Iterator[None]:
    connections.settings["default"]["ATOMIC_REQUESTS"] = True
    yield
    connections.settings["default"]["ATOMIC_REQUESTS"] = False


async def insert(fail: bool) -> bool:
    await Team.objects.acreate(name=f"x {fail}")
    await asyncio.sleep(0)
    if fail:
        raise KeyError("handler")
    return connection.in_atomic_block


def insert_sync(fail: bool) -> bool:
    Team.objects.create(name=f"x {fail}")
    if fail:
        raise KeyError("handler")
    return connection.in_atomic_block


async def test_atomic_requests(atomic_requests: None) -> None:
    assert await atomic_request(insert)(False)
    with pytest.raises(KeyError):
        await atomic_request(insert)(True)
    assert await to_worker(atomic_request(insert_sync), False)
    with pytest.raises(KeyError):
        await to_worker(atomic_request(insert_sync), True)
    assert await Team.objects.filter(name="x False").acount() == 2
    assert not await Team.objects.filter(name="x True").aexists()


async def test_exempt_handlers_and_other_settings(atomic_requests: None) -> None:
    exempt = transaction.non_atomic_requests(insert_sync)
    try:
        assert atomic_request(exempt) is exempt
    finally:
        del insert_sync._non_atomic_requests  # type: ignore[attr-defined]
    connections.settings["default"]["ATOMIC_REQUESTS"] = False
    assert atomic_request(insert) is insert


async def test_queries_start_empty() -> None:
    with override_settings(DEBUG=True):
        await Team.objects.acount()
        assert len(connection.queries) == 1
        begin_request()
        assert connection.queries == []


async def test_used_caches_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr(type(caches["default"]), "close", lambda self, **kwargs: closed.append("default"))
    await caches["default"].aset("a", 1)
    end_request()
    assert closed == ["default"]
