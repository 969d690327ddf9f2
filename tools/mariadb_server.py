"""A private MariaDB server, which keeps nothing: the tests' example of a database whose driver blocks."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

from tools.private_server import ServerError, initialise, running, scratch_directory, unprivileged_user

#: The variable that tells tests the path of the server's socket; user root, no password.
ENVIRONMENT_NAME = "BOLT_TEST_MARIADB"
_SETTINGS = (
    "--skip-networking",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
    "--performance-schema=OFF",
)


def _find(name: str) -> str:
    """A program of the server, which Debian keeps out of users' PATH. Raises ServerError."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise ServerError(
            "MariaDB's server programs are missing. Run: apt-get install mariadb-server-core mariadb-client-core"
        )
    return found


@contextlib.contextmanager
def server() -> Iterator[str]:
    """A running server; yields the path of its socket. Raises ServerError when it does not start."""
    install, mariadbd = _find("mariadb-install-db"), _find("mariadbd")
    user = unprivileged_user("mysql", "nobody")
    with scratch_directory("bolt-my-", user) as directory:
        data, path = directory / "data", directory / "mariadb.sock"
        initialise(
            [
                install,
                "--no-defaults",
                f"--datadir={data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            user,
            directory,
        )
        command = [mariadbd, "--no-defaults", f"--datadir={data}", f"--socket={path}", "--pid-file=pid", *_SETTINGS]
        with running(command, user, directory, is_ready=lambda: _accepts(path), stop_signal=signal.SIGTERM):
            yield str(path)


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0
