"""What an event loop needs so that all of its tasks may wait in sync code, and what to give back when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from django_bolt import _core
from django_bolt._green import install
from django_bolt.db.pooled import close_pools

TaskFactory: TypeAlias = Callable[..., asyncio.Future[Any]]


def task_factory(inner: TaskFactory | None = None) -> TaskFactory:
    """A task factory whose tasks step in workers; ``inner`` (the user's own) still makes the task object."""

    def create(loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **kwargs: Any) -> asyncio.Future[Any]:
        driven = _core.drive(coro)
        if inner is None:
            return asyncio.Task(driven, loop=loop, **kwargs)
        return inner(loop, driven, **kwargs)

    return create


def enter(loop: asyncio.AbstractEventLoop) -> None:
    """Apply the hooks into Django and let every task that is created from now on wait in sync code."""
    install()
    loop.set_task_factory(task_factory(loop.get_task_factory()))


def leave(loop: asyncio.AbstractEventLoop) -> None:
    """Close the loop's idle database connections and end this thread's idle workers."""
    close_pools(loop)
    _core.drain_workers()
