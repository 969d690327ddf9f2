#!/usr/bin/env python3
"""Runs a command beside a private PostgreSQL cluster: ``tools/pg_cluster.py run -- COMMAND...``

The cluster lives in a temporary directory, listens on a UNIX socket there only (no port to collide on), keeps nothing
(fsync off) and is stopped whatever happens: when the command ends, on SIGTERM and SIGINT, and by the kernel when this
process dies of anything else. PostgreSQL refuses to run as root, so as root it runs as ``postgres`` or ``nobody``.

The command finds it through the environment: BOLT_TEST_PG holds a libpq connection string of a superuser.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

ENVIRONMENT_NAME = "BOLT_TEST_PG"
_PORT = 5432  # part of the socket's file name only
_START_TIMEOUT_S = 30.0
_PR_SET_PDEATHSIG = 1
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


class ClusterError(Exception):
    """PostgreSQL is missing or did not start; the text says what to do."""


def find_bin_directory() -> Path:
    """The directory of initdb and postgres: the newest Debian one, else PATH. Raises ClusterError."""
    debian = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: float(Path(path).parts[4]))
    found = debian[-1] if debian else shutil.which("initdb")
    if found is None:
        raise ClusterError("PostgreSQL's server programs are missing. Run: apt-get install postgresql")
    return Path(found).resolve().parent


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Whom to run as when we are root; None when we need not change."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ClusterError("Neither user postgres nor nobody exists, and PostgreSQL refuses to run as root.")


def _popen(arguments: list[str], user: pwd.struct_passwd | None, cwd: Path, log: int) -> subprocess.Popen[bytes]:
    libc = ctypes.CDLL(None)

    def end_with_parent() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)

    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"}
    return subprocess.Popen(
        arguments,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # a terminal's Ctrl-C must not end it before the command
        preexec_fn=end_with_parent,
        user=None if user is None else user.pw_uid,
        group=None if user is None else user.pw_gid,
        extra_groups=None if user is None else [],
    )


@contextlib.contextmanager
def cluster(settings: Mapping[str, str] = _SETTINGS) -> Iterator[str]:
    """A running cluster; yields its connection string. Raises ClusterError, with the server's log, when it fails.

    `settings` go to the server's command line, in place of those of a test run.
    """
    binaries = find_bin_directory()
    user = _unprivileged_user()
    directory = Path(tempfile.mkdtemp(prefix="bolt-pg-", dir="/tmp"))  # a socket's path has 107 octets at most
    try:
        if user is not None:
            os.chown(directory, user.pw_uid, user.pw_gid)
        directory.chmod(0o755)
        with (directory / "log").open("wb") as log:
            _initialise(binaries, directory, user, log.fileno())
            options = [item for name, value in settings.items() for item in ("-c", f"{name}={value}")]
            command = [
                str(binaries / "postgres"),
                "-D",
                str(directory / "data"),
                "-k",
                str(directory),
                "-p",
                str(_PORT),
            ]
            server = _popen(command + options, user, directory, log.fileno())
        try:
            _wait_until_ready(binaries, directory, server)
            yield f"host={directory} port={_PORT} user=postgres dbname=postgres"
        finally:
            _stop(server)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _initialise(binaries: Path, directory: Path, user: pwd.struct_passwd | None, log: int) -> None:
    command = [str(binaries / "initdb"), "-D", str(directory / "data"), "-U", "postgres", "-A", "trust"]
    command += ["--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C"]
    if _popen(command, user, directory, log).wait() != 0:
        raise ClusterError("initdb failed:\n" + (directory / "log").read_text())


def _wait_until_ready(binaries: Path, directory: Path, server: subprocess.Popen[bytes]) -> None:
    probe = [str(binaries / "pg_isready"), "-q", "-h", str(directory), "-p", str(_PORT)]
    deadline = time.monotonic() + _START_TIMEOUT_S
    while subprocess.run(probe, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            raise ClusterError("PostgreSQL did not start:\n" + (directory / "log").read_text())
        time.sleep(0.02)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)  # fast shutdown: roll back and disconnect everybody
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait()


def _run(command: list[str]) -> int:
    """The command's exit code, with the cluster up; SIGTERM and SIGINT are passed on to the command."""
    with cluster() as conninfo, subprocess.Popen(command, env=os.environ | {ENVIRONMENT_NAME: conninfo}) as child:

        def forward(number: int, frame: FrameType | None) -> None:
            child.send_signal(number)

        signal.signal(signal.SIGTERM, forward)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the command itself
        code = child.wait()
        return code if code >= 0 else 128 - code


def main() -> int:
    parser = argparse.ArgumentParser(description="Run a command beside a private PostgreSQL cluster.")
    commands = parser.add_subparsers(dest="action", required=True)
    run = commands.add_parser("run", help=f"export {ENVIRONMENT_NAME} and run COMMAND")
    run.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    command = [word for index, word in enumerate(arguments.command) if index or word != "--"]
    if not command:
        run.error("a command is required")
    # Until the command runs, a signal must unwind the cluster rather than end us on the spot.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return _run(command)
    except ClusterError as exc:
        print(f"pg_cluster: {exc}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
