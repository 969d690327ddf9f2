"""A private PostgreSQL cluster, which keeps nothing (fsync off)."""

from __future__ import annotations

import contextlib
import glob
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.private_server import ServerError, initialise, running, scratch_directory, unprivileged_user

#: The variable that tells tests the connection string.
ENVIRONMENT_NAME = "BOLT_TEST_PG"
_PORT = 5432  # part of the socket's file name only
#: Nothing survives a test run, so nothing needs to reach the disk; a small machine is assumed.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "log_min_messages": "fatal",
}


def find_bin_directory() -> Path:
    """The directory of initdb and postgres: the newest Debian one, else PATH. Raises ServerError."""
    debian = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: float(Path(path).parts[4]))
    found = debian[-1] if debian else shutil.which("initdb")
    if found is None:
        raise ServerError("PostgreSQL's server programs are missing. Run: apt-get install postgresql")
    return Path(found).resolve().parent


@contextlib.contextmanager
def cluster(settings: Mapping[str, str] = _SETTINGS) -> Iterator[str]:
    """A running cluster; yields a superuser's libpq connection string. Raises ServerError when it does not start.

    ``settings`` go to the server's command line, in place of those of a test run.
    """
    binaries = find_bin_directory()
    user = unprivileged_user("postgres", "nobody")
    with scratch_directory("bolt-pg-", user) as directory:
        data = str(directory / "data")
        initdb = [str(binaries / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]
        initialise([*initdb, "--no-instructions", "--encoding=UTF8", "--locale=C"], user, directory)
        options = [item for name, value in settings.items() for item in ("-c", f"{name}={value}")]
        server = [str(binaries / "postgres"), "-D", data, "-k", str(directory), "-p", str(_PORT), *options]
        probe = [str(binaries / "pg_isready"), "-q", "-h", str(directory), "-p", str(_PORT)]

        def is_ready() -> bool:
            return subprocess.run(probe, check=False).returncode == 0

        # SIGINT is the fast shutdown: roll back and disconnect everybody.
        with running(server, user, directory, is_ready=is_ready, stop_signal=signal.SIGINT):
            yield f"host={directory} port={_PORT} user=postgres dbname=postgres"
