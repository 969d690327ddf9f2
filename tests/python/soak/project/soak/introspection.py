"""What the process holds, counted from inside: the numbers a soak compares."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections import Counter
from pathlib import Path

from django_bolt import _core
from django_bolt._worker import Worker

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_servers: list[_core.Server] = []
#: Types whose instances belong to a request and must go with it.
_WATCHED = (
    "RequestTask",
    "Request",
    "Task",
    "coroutine",
    "frame",
    "Context",
    "Timeout",
    "TaskGroup",
    "traceback",
    "Point",
    "HTTPException",
    "RequestValidationError",
)


def remember_server() -> None:
    """Keep the worker's server where ``snapshot()`` finds it: nothing public leads there."""
    make_server = Worker._make_server

    def make_and_remember(self: Worker, loop: asyncio.AbstractEventLoop) -> _core.Server:
        server = make_server(self, loop)
        _servers.append(server)
        return server

    Worker._make_server = make_and_remember  # type: ignore[method-assign]


def snapshot() -> dict[str, object]:
    """Counts after a full collection. ``objects`` leaves out what existed before serving (``gc.freeze()``)."""
    gc.collect()
    gc.collect()
    tracked = gc.get_objects()
    kinds = Counter(type(item).__name__ for item in tracked)
    return {
        "pid": os.getpid(),
        "tasks": len(asyncio.all_tasks()),
        "objects": {name: kinds[name] for name in _WATCHED},
        "tracked": len(tracked),
        "blocks": sys.getallocatedblocks(),
        "fds": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "rss_kib": int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES // 1024,
        "uncollectable": len(gc.garbage),
        "server": _servers[-1].stats(),
    }
