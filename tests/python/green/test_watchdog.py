"""The watchdog reports code that blocks the loop, and nothing else."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from django_bolt._green.watchdog import Watchdog

pytestmark = pytest.mark.threads


async def culprit() -> None:
    time.sleep(0.4)


async def test_blocking_code_is_named(caplog: pytest.LogCaptureFixture) -> None:
    dog = Watchdog(asyncio.get_running_loop(), threshold_s=0.1)
    dog.start()
    try:
        with caplog.at_level(logging.WARNING, "django_bolt.watchdog"):
            await asyncio.create_task(culprit(), name="the culprit")
            async with asyncio.timeout(10):
                while not caplog.records:
                    await asyncio.sleep(0.01)
    finally:
        dog.stop()
    text = caplog.records[0].getMessage()
    assert "'the culprit'" in text and "culprit" in text
    assert "time.sleep(0.4)" in text, "the stack shows the blocking line"
    assert "was blocked for" in text


async def test_the_caller_may_describe_what_runs(caplog: pytest.LogCaptureFixture) -> None:
    dog = Watchdog(asyncio.get_running_loop(), threshold_s=0.1, describe=lambda: "GET /slow (views.slow)")
    dog.start()
    try:
        await culprit()
        async with asyncio.timeout(10):
            while not caplog.records:
                await asyncio.sleep(0.01)
    finally:
        dog.stop()
    assert "by GET /slow (views.slow)" in caplog.records[0].getMessage()


async def test_a_turning_loop_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    dog = Watchdog(asyncio.get_running_loop(), threshold_s=5.0)
    dog.start()
    for _ in range(20):
        await asyncio.sleep(0.001)
    dog.stop()
    assert not caplog.records
