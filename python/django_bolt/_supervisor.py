"""The process that owns the listening sockets and keeps the workers alive.

Mental model. A *slot* is one listener and the worker that serves it. The listener stays open in the supervisor for
the whole run, so a replacement inherits it: closing a listener would reset the connections queued on it. A slot is::

    empty --fork--> starting --ready--> serving --exit--> empty (respawn after a back-off)
                                        serving --recycle--> a successor starts beside it; once that is
                                                             ready the old worker drains and exits

Recycling (SIGHUP, ``--max-rss``, ``--workers-lifetime``) takes one slot at a time, and a successor that does not
come up leaves the old worker serving.

Invariants
 1. Nothing here starts a thread, an event loop or a database connection: the process is safe to fork at any time.
 2. ``run()`` returns, like fork() itself, once in the supervisor (the exit code) and once in every child (its role).
 3. Signals are only noted by the handler (wake-up pipe) and acted upon in the loop.
 4. A worker sees end-of-file on its lifeline when the supervisor dies, however it dies.

Signals: SIGTERM drains, a second one kills; SIGINT stops at once; SIGHUP recycles every worker. The workers take
SIGTERM (drain) and SIGQUIT (stop at once) from here and ignore a terminal's SIGINT and SIGHUP.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from django_bolt._listeners import Listeners
from django_bolt._options import ServeOptions
from django_bolt._proc import rss_bytes

#: A worker's exit code when it never came to serve (its lifespan or set-up raised).
EXIT_START_FAILED = 3

_FIRST_BACKOFF_S = 0.1
_MAX_BACKOFF_S = 30.0
#: A worker that lived this long was healthy: its death starts the back-off afresh.
_HEALTHY_AFTER_S = 10.0
#: Workers end themselves at the kill timeout; past this grace the supervisor does it.
_KILL_GRACE_S = 2.0
_RSS_INTERVAL_S = 1.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@dataclass(frozen=True, slots=True)
class WorkerRole:
    """What a child is: its slot, its listener, and the pipes to the supervisor."""

    index: int
    listener: socket.socket
    ready_fd: int
    lifeline_fd: int


class _ForkedChild(BaseException):
    """Carries the role from the fork up to ``run()``, past the supervisor's own frames."""

    def __init__(self, role: WorkerRole) -> None:
        super().__init__()
        self.role = role


@dataclass(slots=True, eq=False)
class _Child:
    pid: int
    slot: _Slot
    ready_fd: int
    started: float
    ready: bool = False
    kill_at: float = math.inf


@dataclass(slots=True, eq=False)
class _Slot:
    index: int
    listener: socket.socket
    serving: _Child | None = None
    successor: _Child | None = None
    deaths: int = 0
    respawn_at: float = math.inf
    recycle_at: float = math.inf
    no_recycle_before: float = 0.0


@dataclass(slots=True)
class _State:
    children: dict[int, _Child] = field(default_factory=dict)
    recycle: deque[_Slot] = field(default_factory=deque)
    announced: bool = False
    stopping: bool = False
    exit_code: int = 0
    next_rss_check: float = math.inf


class Supervisor:
    """Forks one worker per slot, replaces the dead and the recycled, and stops them all in the end."""

    def __init__(
        self,
        listeners: Listeners,
        options: ServeOptions,
        *,
        on_ready: Callable[[list[int]], None],
        log: Callable[[str], None],
        before_fork: Callable[[], None],
    ) -> None:
        """``on_ready`` gets the workers' pids once, when all of them serve. ``before_fork`` drops what a child must
        not inherit (database connections)."""
        self._listeners = listeners
        self._options = options
        self._on_ready = on_ready
        self._log = log
        self._before_fork = before_fork
        self._slots = [_Slot(index, listeners.for_slot(index)) for index in range(options.processes)]
        self._state = _State()
        self._wakeup_r, self._wakeup_w = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._lifeline_r, self._lifeline_w = os.pipe2(os.O_CLOEXEC)

    def run(self) -> WorkerRole | int:
        """Serve until stopped. Returns the exit code in the supervisor, and its role in every forked child."""
        for number in _SIGNALS:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._wakeup_w, warn_on_full_buffer=False)
        if self._options.max_rss_bytes is not None:
            self._state.next_rss_check = time.monotonic() + _RSS_INTERVAL_S
        try:
            for slot in self._slots:
                slot.serving = self._fork(slot)
            while self._state.children or not self._state.stopping:
                self._turn()
        except _ForkedChild as child:
            return child.role
        self._listeners.close()
        return self._state.exit_code

    # -- the loop ------------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Wait for a signal, a ready worker or a deadline, and act on all there is."""
        poller = select.poll()
        poller.register(self._wakeup_r, select.POLLIN)
        starting = {child.ready_fd: child for child in self._state.children.values() if child.ready_fd >= 0}
        for fd in starting:
            poller.register(fd, select.POLLIN)
        wait_s = self._next_deadline() - time.monotonic()
        ready = {fd for fd, _ in poller.poll(None if math.isinf(wait_s) else max(0, math.ceil(wait_s * 1000)))}
        for fd in ready & starting.keys():
            self._note_ready(starting[fd])
        signals = self._take_signals()
        # Stop requests first: a worker that ended because of the same request must not be replaced.
        for number in sorted(signals, key=lambda number: number == signal.SIGCHLD):
            self._on_signal(number)
        self._meet_deadlines(time.monotonic())

    def _next_deadline(self) -> float:
        deadlines = [self._state.next_rss_check]
        deadlines += [min(slot.respawn_at, max(slot.recycle_at, slot.no_recycle_before)) for slot in self._slots]
        deadlines += [child.kill_at for child in self._state.children.values()]
        return min(deadlines)

    def _take_signals(self) -> set[int]:
        noted: set[int] = set()
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._wakeup_r, 512):
                noted.update(chunk)
        return noted

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGTERM:
            if self._state.stopping:
                self._kill_all()
            else:
                self._log(f"draining (at most {self._options.kill_timeout_s:g} s)")
                self._stop(signal.SIGTERM, self._options.kill_timeout_s + _KILL_GRACE_S)
        elif number == signal.SIGINT:
            self._stop(signal.SIGQUIT, _KILL_GRACE_S)
        elif number == signal.SIGHUP and not self._state.stopping:
            self._log("restarting the workers one by one")
            self._state.recycle = deque(self._slots)
        elif number == signal.SIGCHLD:
            self._reap()

    def _meet_deadlines(self, now: float) -> None:
        for child in list(self._state.children.values()):
            if child.kill_at <= now:
                child.kill_at = math.inf
                self._log(f"killing worker {child.slot.index} (pid {child.pid}): it did not stop in time")
                os.kill(child.pid, signal.SIGKILL)
        if self._state.stopping:
            return
        if self._state.next_rss_check <= now:
            self._state.next_rss_check = now + _RSS_INTERVAL_S
            self._check_rss()
        for slot in self._slots:
            if slot.respawn_at <= now:
                slot.respawn_at = math.inf
                slot.serving = self._fork(slot)
            if slot.recycle_at <= now and slot.no_recycle_before <= now:
                slot.recycle_at = math.inf
                self._recycle_later(slot, "it reached its lifetime")
        self._recycle_next()

    # -- children ------------------------------------------------------------------------------------------------

    def _fork(self, slot: _Slot) -> _Child:
        """Fork a worker for ``slot``. Returns in the supervisor only; raises _ForkedChild in the child."""
        self._before_fork()
        ready_r, ready_w = os.pipe2(os.O_CLOEXEC)
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal between fork and the reset of the handlers would be noted in the supervisor's pipe.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if pid == 0:
            role = WorkerRole(slot.index, slot.listener, ready_w, self._lifeline_r)
            os.close(ready_r)
            self._become_child(role)
            raise _ForkedChild(role)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(ready_w)
        child = _Child(pid, slot, ready_r, time.monotonic())
        self._state.children[pid] = child
        return child

    def _become_child(self, role: WorkerRole) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        self._listeners.close_others(role.listener)
        inherited = [child.ready_fd for child in self._state.children.values() if child.ready_fd >= 0]
        for fd in (self._wakeup_r, self._wakeup_w, self._lifeline_w, *inherited):
            os.close(fd)

    def _note_ready(self, child: _Child) -> None:
        """One octet means the worker serves; end-of-file that it died first, which SIGCHLD reports as well."""
        child.ready = os.read(child.ready_fd, 1) != b""
        os.close(child.ready_fd)
        child.ready_fd = -1
        if not child.ready or self._state.stopping:
            return
        slot = child.slot
        if self._options.lifetime_s is not None:
            # Spread over a tenth, so that workers started together do not all end together.
            slot.recycle_at = child.started + self._options.lifetime_s * (1 + slot.index / self._options.processes / 10)
        if child is slot.successor:
            retired, slot.serving, slot.successor = slot.serving, child, None
            self._log(f"worker {slot.index} (pid {child.pid}) took over")
            if retired is not None:
                self._end(retired, signal.SIGTERM, self._options.kill_timeout_s + _KILL_GRACE_S)
        if self._state.announced:
            return
        if all(slot.serving is not None and slot.serving.ready for slot in self._slots):
            self._state.announced = True
            self._on_ready([slot.serving.pid for slot in self._slots if slot.serving is not None])

    def _reap(self) -> None:
        while self._state.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self._state.children.pop(pid, None)
            if child is not None:  # else not ours: user code may have forked before us
                self._on_exit(child, os.waitstatus_to_exitcode(status))

    def _on_exit(self, child: _Child, code: int) -> None:
        if child.ready_fd >= 0:
            os.close(child.ready_fd)
        slot = child.slot
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        if self._state.stopping:
            # A worker that had not come up yet dies of the signal itself.
            if code not in (0, -signal.SIGTERM) and self._state.exit_code == 0:
                self._state.exit_code = 1
        elif child is slot.successor:
            slot.successor = None
            self._state.recycle.clear()
            slot.no_recycle_before = time.monotonic() + _MAX_BACKOFF_S
            self._log(f"the replacement of worker {slot.index} {how} before it served: keeping the old worker")
            if slot.serving is None:
                self._respawn_later(slot, child)
        elif child is slot.serving:
            slot.serving = None
            if not self._state.announced:
                self._log(f"worker {slot.index} (pid {child.pid}) {how} before it served: giving up")
                self._state.exit_code = EXIT_START_FAILED
                self._stop(signal.SIGTERM, _KILL_GRACE_S)
            else:
                self._log(f"worker {slot.index} (pid {child.pid}) {how}: replacing it")
                if slot.successor is None:
                    self._respawn_later(slot, child)

    def _respawn_later(self, slot: _Slot, dead: _Child) -> None:
        now = time.monotonic()
        slot.deaths = 0 if now - dead.started >= _HEALTHY_AFTER_S else slot.deaths
        slot.respawn_at = now + min(_FIRST_BACKOFF_S * 2.0**slot.deaths, _MAX_BACKOFF_S)
        slot.recycle_at = math.inf
        slot.deaths += 1

    # -- recycling and stopping ----------------------------------------------------------------------------------

    def _check_rss(self) -> None:
        limit = self._options.max_rss_bytes
        now = time.monotonic()
        for slot in self._slots:
            may = slot.successor is None and now >= slot.no_recycle_before
            if may and limit is not None and slot.serving is not None:
                held = rss_bytes(slot.serving.pid)
                if held > limit:
                    self._recycle_later(slot, f"it holds {held >> 20} MiB of memory")

    def _recycle_later(self, slot: _Slot, why: str) -> None:
        if slot not in self._state.recycle:
            self._log(f"recycling worker {slot.index}: {why}")
            self._state.recycle.append(slot)

    def _recycle_next(self) -> None:
        """Start the next successor, when none is on its way."""
        if any(slot.successor is not None for slot in self._slots):
            return
        while self._state.recycle:
            slot = self._state.recycle.popleft()
            if slot.serving is not None and slot.serving.ready:  # an empty slot gets a fresh worker anyway
                slot.successor = self._fork(slot)
                return

    def _stop(self, number: signal.Signals, timeout_s: float) -> None:
        self._state.stopping = True
        # Our copies first: the workers close theirs, and from then on the kernel refuses connections.
        self._listeners.close()
        for child in self._state.children.values():
            self._end(child, number, timeout_s)

    def _end(self, child: _Child, number: signal.Signals, timeout_s: float) -> None:
        child.kill_at = time.monotonic() + timeout_s
        # A worker that has not set up its handlers yet just ends.
        os.kill(child.pid, number if child.ready else signal.SIGTERM)

    def _kill_all(self) -> None:
        self._log("killing the workers")
        self._state.exit_code = 1
        for child in self._state.children.values():
            child.kill_at = math.inf
            os.kill(child.pid, signal.SIGKILL)
