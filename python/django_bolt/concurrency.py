"""Sync code that waits without blocking the event loop, for code outside handlers.

Handlers need none of this: they run in a *worker* already, so the ORM's sync methods wait without blocking. Code that
the loop calls in other ways (a plain callback, a third-party task) enters a worker with `to_worker`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from django_bolt import _core

__all__ = ["in_worker", "run_until_complete", "to_worker"]

P = ParamSpec("P")
T = TypeVar("T")


def in_worker() -> bool:
    """May the running code wait (use the sync ORM, `run_until_complete`) without blocking the event loop?"""
    return _core.in_worker()


def to_worker(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """Await a sync function on the event loop's own thread; like ``asyncio.to_thread``, without the thread.

    Whatever waits through Django's ORM inside ``function`` lets the loop go on; code that blocks by itself
    (``time.sleep``, a blocking HTTP client) still blocks it and belongs in ``asyncio.to_thread``. Contextvars, the
    current task and cancellation are the caller's.

        count = await to_worker(lambda: Author.objects.filter(active=True).count())
    """
    return _core.spawn(function, *args, **kwargs)


def run_until_complete(awaitable: Awaitable[T]) -> T:
    """Run an awaitable to its end from sync code in a worker and return its result.

    The loop goes on meanwhile. Raises RuntimeError outside a worker: there, ``await`` it.
    """
    return _core.await_(awaitable)
