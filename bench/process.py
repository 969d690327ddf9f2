"""A server process under test: started on one core, watched through /proc, stopped for certain.

Each server is the leader of its own session, so that its workers are found (and ended) with it whatever it forks.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.peers import HOST

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 60
_STOP_SECONDS = 10
_POLL_SECONDS = 0.05

# Positions in /proc/PID/stat after the command name, proc(5) numbering minus 3.
_SESSION, _UTIME, _CSTIME = 3, 11, 14


class ServerError(Exception):
    """A server did not start, died, or answered wrongly."""


@dataclass(frozen=True)
class Stat:
    """What we use of /proc/PID/stat."""

    session: int
    cpu_seconds: float
    """User and system time of all threads, dead ones too, and of the children already waited for."""


def parse_stat(text: str) -> Stat:
    """Reads the text of a /proc/PID/stat file; the command name may hold spaces and parentheses."""
    fields = text.rpartition(")")[2].split()
    ticks = sum(int(value) for value in fields[_UTIME : _CSTIME + 1])
    return Stat(int(fields[_SESSION]), ticks / _TICKS_PER_SECOND)


def free_port() -> int:
    """A TCP port that nobody uses now.

    The kernel gives it to a socket without SO_REUSEPORT, which fails while any leftover server listens on it.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def require_free(port: int) -> None:
    """Raises ServerError when something listens on the port, even with SO_REUSEPORT."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError as error:
            raise ServerError(f"port {port} is in use, perhaps by a leftover server: {error}") from error


class Server:
    """One running server. Use as a context manager."""

    def __init__(self, command: Sequence[str], *, core: int, port: int, log: Path) -> None:
        self.command = ["taskset", "-c", str(core), *command]
        self.port = port
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, directory: Path, environment: Mapping[str, str]) -> None:
        """Starts the server and returns once it accepts connections.

        Raises ServerError when the port is taken, or the server dies or stays silent for a minute.
        """
        require_free(self.port)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._accepts():
            if self._process.poll() is not None:
                raise ServerError(f"ended with status {self._process.returncode} before it listened")
            if time.monotonic() > deadline:
                raise ServerError(f"did not listen within {_START_SECONDS} s")
            time.sleep(_POLL_SECONDS)

    def _accepts(self) -> bool:
        with suppress(OSError), socket.create_connection((HOST, self.port), timeout=1):
            return True
        return False

    def stop(self) -> None:
        """Ends every process of the server's session and waits for them. Raises ServerError if the port stays taken."""
        process = self._process
        if process is None:
            return
        self._process = None
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            for pid in [pid for pid, _ in _session(process.pid)]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal_number)
            deadline = time.monotonic() + _STOP_SECONDS
            while process.poll() is None or any(_session(process.pid)):
                if time.monotonic() > deadline:
                    break
                time.sleep(_POLL_SECONDS)
            else:
                break
        require_free(self.port)

    def cpu_seconds(self) -> float:
        """CPU time used so far by the server's processes. Raises ServerError when it is not running."""
        return sum(stat.cpu_seconds for _, stat in self._living())

    def resident_bytes(self) -> int:
        """Resident memory of the server's processes, pages they share counted once per process."""
        total = 0
        for pid, _ in self._living():
            with suppress(OSError):
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                total += pages * os.sysconf("SC_PAGE_SIZE")
        return total

    def pids(self) -> list[int]:
        """The server's processes, the first one started first."""
        return [pid for pid, _ in self._living()]

    def log_bytes(self) -> int:
        """Size of what the server has printed so far."""
        return self.log.stat().st_size

    def _living(self) -> list[tuple[int, Stat]]:
        process = self._process
        if process is None or process.poll() is not None:
            raise ServerError("the server has ended")
        return list(_session(process.pid))

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()


def _session(leader: int) -> Iterator[tuple[int, Stat]]:
    """All live processes of a session, lowest process id first."""
    for pid in sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        with suppress(OSError):
            text = Path(f"/proc/{pid}/stat").read_text()
            stat = parse_stat(text)
            if stat.session == leader and text.rpartition(")")[2].split()[0] != "Z":
                yield pid, stat
