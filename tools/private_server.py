"""Database servers of our own beside a command: what pg_cluster.py and mariadb_server.py have in common.

A server lives in a temporary directory, listens on a UNIX socket there only (no port to collide on) and is stopped
whatever happens: when its block ends, and by the kernel when this process dies of anything else. As root it runs as
an unprivileged user.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

_START_TIMEOUT_S = 30.0
_PR_SET_PDEATHSIG = 1


class ServerError(Exception):
    """A server is missing or did not start; the text says what to do."""


def unprivileged_user(*names: str) -> pwd.struct_passwd | None:
    """Whom to run as when we are root: the first of ``names`` there is. None when we need not change."""
    if os.geteuid() != 0:
        return None
    for name in names:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerError(f"None of the users {', '.join(names)} exists, and a database server must not run as root.")


@contextlib.contextmanager
def scratch_directory(prefix: str, user: pwd.struct_passwd | None) -> Iterator[Path]:
    """A directory that ``user`` owns, removed at the end. Below /tmp: a socket's path has 107 octets at most."""
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    try:
        if user is not None:
            os.chown(directory, user.pw_uid, user.pw_gid)
        directory.chmod(0o755)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def start(arguments: Sequence[str], user: pwd.struct_passwd | None, directory: Path) -> subprocess.Popen[bytes]:
    """Start a program of the server in ``directory``; its output is appended to the file ``log`` there."""
    libc = ctypes.CDLL(None)

    def end_with_parent() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)

    with (directory / "log").open("ab") as log:
        return subprocess.Popen(
            arguments,
            cwd=directory,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a terminal's Ctrl-C must not end it before the command
            preexec_fn=end_with_parent,
            user=None if user is None else user.pw_uid,
            group=None if user is None else user.pw_gid,
            extra_groups=None if user is None else [],
        )


def initialise(arguments: Sequence[str], user: pwd.struct_passwd | None, directory: Path) -> None:
    """Run the program that makes an empty data directory. Raises ServerError with its log when it fails."""
    if start(arguments, user, directory).wait() != 0:
        raise ServerError(f"{arguments[0]} failed:\n" + (directory / "log").read_text())


@contextlib.contextmanager
def running(
    arguments: Sequence[str],
    user: pwd.struct_passwd | None,
    directory: Path,
    *,
    is_ready: Callable[[], bool],
    stop_signal: signal.Signals,
) -> Iterator[None]:
    """The server, once it answers; stopped at the end. Raises ServerError with its log when it does not come up."""
    server = start(arguments, user, directory)
    try:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not is_ready():
            if server.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"{arguments[0]} did not start:\n" + (directory / "log").read_text())
            time.sleep(0.02)
        yield
    finally:
        server.send_signal(stop_signal)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
