"""Finds code that blocks the event loop and says where it was.

A timer on the loop notes the time; a daemon thread looks whether it still moves. While it does not, the thread takes
the stack of the loop's thread, so the report shows the line that blocks, not the one after it. The report is logged
when the loop turns again, with the time it took and the task that ran.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable

logger = logging.getLogger("django_bolt.watchdog")

DEFAULT_THRESHOLD_S = 0.1
_OWN_FRAMES = 12

Describe = Callable[[], str]


class Watchdog:
    """Watches one loop. Make and start it in the loop's thread."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        threshold_s: float = DEFAULT_THRESHOLD_S,
        describe: Describe | None = None,
    ) -> None:
        """``describe`` names what the loop is running, for instance the handler; called in the watching thread.
        Without it, it is the task."""
        self._loop = loop
        self._threshold_s = threshold_s
        self._describe = describe or self._describe_task
        self._loop_thread = threading.get_ident()
        self._last_turn = time.monotonic()
        self._stop = threading.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._watch, name="django-bolt-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._turn()
        self._thread.start()

    def stop(self) -> None:
        """End watching and the thread."""
        self._stop.set()
        if self._timer is not None:
            self._timer.cancel()
        self._thread.join()

    def _turn(self) -> None:
        self._last_turn = time.monotonic()
        self._timer = self._loop.call_later(self._threshold_s / 2, self._turn)

    def _watch(self) -> None:
        while not self._stop.wait(self._threshold_s / 4):
            turn = self._last_turn
            if time.monotonic() - turn < self._threshold_s * 1.5:  # the timer itself takes half a threshold
                continue
            report = f"{self._describe()}\n{self._stack()}"
            while self._last_turn == turn and not self._stop.wait(self._threshold_s / 4):
                pass
            blocked_s = self._last_turn - turn
            if blocked_s > 0:
                logger.warning("the event loop was blocked for %.0f ms by %s", blocked_s * 1000, report)

    def _describe_task(self) -> str:
        task = asyncio.current_task(self._loop)
        if task is None:
            return "a callback"
        return f"task {task.get_name()!r} ({getattr(task.get_coro(), '__qualname__', task.get_coro())})"

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)
        return "" if frame is None else "".join(traceback.format_stack(frame)[-_OWN_FRAMES:])
