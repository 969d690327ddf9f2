"""A task factory: every task of the loop steps in workers, so ``gather`` children may use the sync ORM."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from django_bolt import _core

T = TypeVar("T")
Factory = Callable[..., "asyncio.Future[Any]"]


class WorkerTaskFactory:
    """Wraps each task's coroutine in ``_core.drive`` and leaves making the task to the factory that was there."""

    def __init__(self, inner: Factory | None) -> None:
        self._inner = inner

    def __call__(
        self, loop: asyncio.AbstractEventLoop, coro: Generator[Any, None, T] | Coroutine[Any, Any, T], /, **kwargs: Any
    ) -> asyncio.Future[T]:
        driven = _core.drive(coro) if asyncio.iscoroutine(coro) else coro
        if self._inner is not None:
            return self._inner(loop, driven, **kwargs)
        return asyncio.Task(driven, loop=loop, **kwargs)


def install_task_factory(loop: asyncio.AbstractEventLoop) -> None:
    """Make the tasks of ``loop`` step in workers. Idempotent; keeps what the user's factory does."""
    current = loop.get_task_factory()
    if not isinstance(current, WorkerTaskFactory):
        loop.set_task_factory(WorkerTaskFactory(current))
