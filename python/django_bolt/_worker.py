"""One serving process: an event loop, the APIs' lifespans, the C server, and an orderly end.

Runs either in a child of the supervisor (``role`` given) or as the whole of ``runbolt``. The difference is who is in
charge of the end: under a supervisor a repeated SIGTERM changes nothing (process managers signal the whole group)
and the supervisor kills what hangs; so does the parent of ``--dev``. Alone, the kernel does it: the first signal arms
the default action for the second one, and an alarm for the kill timeout, neither of which a blocked event loop can
hold up.

The end, in order: stop accepting, finish requests in flight (until the kill timeout), cancel the rest, leave the
lifespans last-in first-out, close the loop.
"""

from __future__ import annotations

import asyncio
import enum
import gc
import importlib.util
import os
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType

from django_bolt import _core
from django_bolt._application import Application
from django_bolt._green import loop as green_loop
from django_bolt._options import ServeOptions
from django_bolt._reload import report_modules
from django_bolt._serve import lifespans
from django_bolt._supervisor import WorkerRole

#: How often a draining worker looks whether the last connection is gone.
_DRAIN_POLL_S = 0.01
#: What cancelled requests get to clean up, and a process told to stop at once to be gone.
_CANCEL_GRACE_S = 1.0
_STANDARD_ERROR_FD = 2


class StopMode(enum.IntEnum):
    """How to end; a higher one overrides a lower one."""

    DRAIN = 1
    AT_ONCE = 2


class Worker:
    """Serves ``application`` on ``listener`` until told to stop."""

    def __init__(
        self,
        application: Application,
        listener: socket.socket,
        options: ServeOptions,
        *,
        log: Callable[[str], None],
        role: WorkerRole | None = None,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._application = application
        self._listener = listener
        self._options = options
        self._log = log
        self._role = role
        self._on_ready = on_ready
        self._mode: StopMode | None = None
        self._deadline = float("inf")
        self._serving = False
        self._alone = role is None and not options.dev
        self._main_task: asyncio.Task[int] | None = None
        self._stop = asyncio.Event()

    def run(self) -> int:
        """Serve in the main thread; returns the exit code: 0 after an orderly end, 1 when requests had to be cut off.

        Raises what a lifespan or the server's set-up raises.
        """
        if self._role is not None:
            os.environ["DJANGO_BOLT_PROCESS_ID"] = str(self._role.index)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            self._install_signals()
            try:
                return runner.run(self._main())
            except asyncio.CancelledError:  # stopped before it served
                return 0

    # -- signals -------------------------------------------------------------------------------------------------

    def _install_signals(self) -> None:
        """Plain handlers, not ``loop.add_signal_handler``: they also run while a handler blocks the loop."""
        signal.signal(signal.SIGTERM, self._on_signal)
        if self._role is None:
            signal.signal(signal.SIGINT, self._on_signal)
        else:
            signal.signal(signal.SIGQUIT, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        mode = StopMode.DRAIN if number == signal.SIGTERM else StopMode.AT_ONCE
        if self._alone:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            grace_s = self._options.kill_timeout_s if mode is StopMode.DRAIN else 0.0
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, grace_s + 2 * _CANCEL_GRACE_S)
        if self._main_task is None:
            self._mode = max(mode, self._mode or mode)  # _main() looks before it begins
        else:
            self._main_task.get_loop().call_soon_threadsafe(self.stop, mode)

    def stop(self, mode: StopMode) -> None:
        """Begin the end, or hasten it. On the loop's thread."""
        if self._mode is None:
            self._deadline = time.monotonic() + self._options.kill_timeout_s
        self._mode = max(mode, self._mode or mode)
        self._stop.set()
        if not self._serving and self._main_task is not None:
            self._main_task.cancel()

    # -- serving -------------------------------------------------------------------------------------------------

    async def _main(self) -> int:
        loop = asyncio.get_running_loop()
        self._main_task = asyncio.current_task()
        if self._mode is not None:
            return 0
        green_loop.enter(loop)
        try:
            return await _core.drive(self._serve(loop))  # lifespans may wait in sync code, too
        finally:
            green_loop.leave(loop)

    async def _serve(self, loop: asyncio.AbstractEventLoop) -> int:
        async with lifespans(self._application.apis):
            server = self._make_server(loop)
            try:
                server.add_listener(self._listener.fileno())
                server.start()
                # What exists now lives as long as the process: keep the collector from walking it again and again.
                gc.collect()
                gc.freeze()
                self._serving = True
                self._report_ready(loop)
                await self._stop.wait()
                return await self._end(server)
            finally:
                server.close()
        return 0  # a lifespan swallowed the exception that ended serving

    def _make_server(self, loop: asyncio.AbstractEventLoop) -> _core.Server:
        options = self._options
        return _core.Server(
            self._application.app,
            loop,
            header_bytes=options.header_bytes,
            content_bytes=options.content_bytes,
            access_log_fd=_STANDARD_ERROR_FD if options.access_log else -1,
            idle_timeout_ms=max(1, round(options.keep_alive_s * 1000)),
        )

    def _report_ready(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._role is not None:
            os.write(self._role.ready_fd, b"+")
            os.close(self._role.ready_fd)
            loop.add_reader(self._role.lifeline_fd, self._on_supervisor_gone, loop, self._role.lifeline_fd)
        if self._options.dev:
            report_modules(loop)
        self._on_ready()

    def _on_supervisor_gone(self, loop: asyncio.AbstractEventLoop, lifeline_fd: int) -> None:
        loop.remove_reader(lifeline_fd)
        self._log(f"worker {os.getpid()}: the supervisor is gone, draining")
        self.stop(StopMode.DRAIN)

    async def _end(self, server: _core.Server) -> int:
        """Drain, or stop at once. Returns the exit code."""
        server.drain()
        # The kernel refuses connections once every copy is closed; a replacement keeps its own.
        self._listener.close()
        if self._alone and self._mode is StopMode.DRAIN:
            self._log(f"draining (at most {self._options.kill_timeout_s:g} s)")
        while self._mode is StopMode.DRAIN and not server.is_drained() and time.monotonic() < self._deadline:
            await asyncio.sleep(_DRAIN_POLL_S)
        cut_off = server.pending()
        server.close()
        if cut_off:
            await asyncio.wait(cut_off, timeout=_CANCEL_GRACE_S)
        return 1 if cut_off and self._mode is StopMode.DRAIN else 0


def has_uvloop() -> bool:
    """Whether workers run on uvloop (when it is installed) or on asyncio's own loop."""
    return importlib.util.find_spec("uvloop") is not None


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Makes the worker's event loop. Imports uvloop only here: the supervisor never touches a loop."""
    if not has_uvloop():
        return asyncio.new_event_loop
    import uvloop  # noqa: PLC0415  (optional, and only in workers)

    return uvloop.new_event_loop
