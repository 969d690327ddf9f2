"""What Linux's /proc tells about processes: who listens on a port, how much memory a worker holds (proc(5))."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def rss_bytes(pid: int) -> int:
    """Resident memory of a process; 0 when it is gone."""
    try:
        resident_pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return resident_pages * _PAGE_BYTES


def holder_of_port(port: int) -> str | None:
    """The process that listens on ``port`` as "process 12 (python manage.py ...)", as far as /proc lets us see."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for pid in (entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        if wanted and wanted & _fd_targets(pid):
            command = _command_line(pid)
            return f"process {pid}" + (f" ({command})" if command else "")
    return None


def _listening_inodes(port: int) -> Iterable[str]:
    """Inodes of the sockets in LISTEN state on ``port``, from the kernel's tables (proc_pid_net(5))."""
    listen_state = "0A"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == listen_state and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _fd_targets(pid: str) -> set[str]:
    targets = set()
    with contextlib.suppress(OSError):  # gone meanwhile, or another user's
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                targets.add(os.readlink(fd))
    return targets


def _command_line(pid: str) -> str:
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    text = raw.rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
    return text if len(text) <= 80 else text[:77] + "..."
