"""``runbolt --dev``: a parent that restarts the serving child whenever a source file changes.

The parent keeps the listening socket, so a browser that reloads during a restart waits instead of being refused, and
it never imports what it watches: a syntax error ends the child only, and the next change starts another.

The child tells over a pipe which module files it has imported, also those imported later; the parent watches these
besides the project's directories. Each comes with the time it was last modified, so that a change made before the
parent watches is noticed as well (``TIME:PATH``, NUL after each). Descriptors are handed down by environment variables.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import FrameType

from django_bolt._watch import Watcher

_LISTENER_ENV = "DJANGO_BOLT_DEV_LISTENER_FD"
_REPORT_ENV = "DJANGO_BOLT_DEV_REPORT_FD"
#: Editors write in several steps; a restart waits until nothing changed for this long.
_QUIET_S = 0.05
#: ... but no longer than this, should something write all the time.
_MAX_SETTLE_S = 1.0
_STOP_TIMEOUT_S = 5.0
_REPORT_INTERVAL_S = 1.0


# -- the child's side ------------------------------------------------------------------------------------------------


def inherited_listener() -> socket.socket | None:
    """In a child of ``--dev``: the parent's listening socket. None in any other process."""
    fd = os.environ.get(_LISTENER_ENV)
    return None if fd is None else socket.socket(fileno=int(fd))


def report_modules(loop: asyncio.AbstractEventLoop) -> None:
    """In a child of ``--dev``: tell the parent the imported files, now and as more are imported."""
    fd = int(os.environ[_REPORT_ENV])
    reported: set[str] = set()

    def report() -> None:
        files = {path for path in map(_module_file, list(sys.modules.values())) if path is not None} - reported
        reported.update(files)
        with contextlib.suppress(BrokenPipeError):
            _write_all(fd, b"".join(_entry(path) for path in sorted(files)))
        loop.call_later(_REPORT_INTERVAL_S, report)

    report()


def _entry(path: str) -> bytes:
    return b"%d:%s\0" % (_modified_ns(path), os.fsencode(path))


def _modified_ns(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _module_file(module: object) -> str | None:
    path = getattr(getattr(module, "__spec__", None), "origin", None)
    return path if isinstance(path, str) and path.endswith(".py") else None


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


# -- the parent's side -----------------------------------------------------------------------------------------------


def loaded_files() -> set[Path]:
    """The module files of this very process: what is watched until the child has told more."""
    return {Path(path) for path in map(_module_file, list(sys.modules.values())) if path is not None}


class Reloader:
    """Runs ``command`` as a child on ``listener``, and again after every change the watcher reports."""

    def __init__(
        self, command: Sequence[str], listener: socket.socket, watcher: Watcher, *, log: Callable[[str], None]
    ) -> None:
        self._command = list(command)
        self._listener = listener
        self._watcher = watcher
        self._log = log
        self._stopping = False
        self._wakeup_r, self._wakeup_w = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._report_r, self._report_w = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._report_r, False)
        self._half_entry = b""

    def run(self) -> int:
        """Until SIGINT or SIGTERM; returns the exit code 0."""
        signal.set_wakeup_fd(self._wakeup_w, warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)
        while not self._stopping:
            with self._start() as child:
                try:
                    changed = self._wait(child)
                    if changed:
                        names = ", ".join(sorted(_shown(path) for path in changed))
                        self._log(f"{names} changed, restarting")
                finally:
                    self._end(child)
        return 0

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _start(self) -> subprocess.Popen[bytes]:
        self._reported()  # what the last child may have left there
        handed_down = (self._listener.fileno(), self._report_w)
        environment = os.environ | {_LISTENER_ENV: str(handed_down[0]), _REPORT_ENV: str(handed_down[1])}
        return subprocess.Popen(self._command, env=environment, pass_fds=handed_down)

    def _wait(self, child: subprocess.Popen[bytes]) -> set[Path]:
        """Until something changed (returned) or a signal came (nothing is). A child that ends is not replaced yet."""
        changed: set[Path] = set()
        child_fd = os.pidfd_open(child.pid)
        try:
            alive = True
            while not self._stopping and not changed:
                ready = self._poll([child_fd] if alive else [])
                if child_fd in ready:
                    alive = False
                    self._log(f"the server exited with code {child.wait()}; waiting for a change")
                changed = self._collect()
        finally:
            os.close(child_fd)
        settled_at = time.monotonic() + _MAX_SETTLE_S
        while changed and not self._stopping and time.monotonic() < settled_at:
            self._poll([], timeout_s=_QUIET_S)
            more = self._collect()
            if not more:
                break
            changed |= more
        return changed

    def _poll(self, extra: Iterable[int], timeout_s: float | None = None) -> set[int]:
        poller = select.poll()
        watcher_fd = self._watcher.fileno()
        for fd in (self._wakeup_r, self._report_r, watcher_fd, *extra):
            if fd is not None:
                poller.register(fd, select.POLLIN)
        timeout_s = timeout_s if timeout_s is not None else self._watcher.interval_s
        ready = {fd for fd, _ in poller.poll(None if timeout_s is None else timeout_s * 1000)}
        if self._wakeup_r in ready:
            os.read(self._wakeup_r, 512)
        return ready

    def _collect(self) -> set[Path]:
        reported = self._reported()
        self._watcher.add_files(map(Path, reported))
        missed = {Path(path) for path, modified_ns in reported.items() if _modified_ns(path) != modified_ns}
        return self._watcher.changes() | missed

    def _reported(self) -> dict[str, int]:
        data = self._half_entry
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._report_r, 65536):
                data += chunk
        *entries, self._half_entry = data.split(b"\0")
        pairs = (entry.split(b":", 1) for entry in entries)
        return {os.fsdecode(path): int(modified_ns) for modified_ns, path in pairs}

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        """A terminal's Ctrl-C reaches the child as well; it takes repeated signals in its stride."""
        child.terminate()
        try:
            child.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._log("killing the server: it did not stop in time")
            child.kill()
            child.wait()


def _shown(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)
