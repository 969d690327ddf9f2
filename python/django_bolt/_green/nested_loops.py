"""``asyncio.run()`` in a worker: code that is sync on purpose often calls it, and asyncio's own error does not help it.

A worker runs on the event loop's thread, where no second loop can run. What works there is `run_until_complete` of
`django_bolt.concurrency`, which waits on the loop that runs already.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from typing import Any

from django_bolt import _core

_stock_run = asyncio.run


@functools.wraps(_stock_run)
def _run(main: Any, **kwargs: Any) -> Any:
    if not _core.in_worker():
        return _stock_run(main, **kwargs)
    if inspect.iscoroutine(main):
        main.close()
    raise RuntimeError(
        "asyncio.run() cannot start a second event loop here: this code runs on the thread of one that is running."
        " Use django_bolt.concurrency.run_until_complete(...), or async_to_sync(...)"
    )


def install() -> None:
    asyncio.run = _run
    asyncio.runners.run = _run
