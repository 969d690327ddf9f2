"""The private cluster: usable by the command, gone after it, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

TOOL = Path(__file__).parents[3] / "tools" / "pg_cluster.py"
#: Prints its connection string once it is connected, then waits for the end of its input.
CLIENT = """
import os, psycopg, sys
conninfo = os.environ["BOLT_TEST_PG"]
with psycopg.connect(conninfo) as connection:
    connection.execute("select 1")
    print(conninfo, flush=True)
    sys.stdin.read()
sys.exit(7)
"""


@pytest.fixture(autouse=True)
def _needs_postgresql(postgresql_conninfo: str) -> None:
    """Where there is no PostgreSQL there is nothing to start."""


def start_client() -> subprocess.Popen[str]:
    command = [sys.executable, str(TOOL), "run", "--", sys.executable, "-c", CLIENT]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def assert_gone(conninfo: str) -> None:
    directory = Path(psycopg.conninfo.conninfo_to_dict(conninfo)["host"])  # type: ignore[arg-type]
    assert not directory.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(conninfo)


def test_command_gets_a_cluster_and_its_exit_code_is_passed_on() -> None:
    with start_client() as runner:
        assert runner.stdout is not None
        conninfo = runner.stdout.readline().strip()
        assert "host=/tmp/bolt-pg-" in conninfo
        runner.communicate()
        assert runner.returncode == 7
    assert_gone(conninfo)


def test_cluster_is_stopped_on_sigterm() -> None:
    with start_client() as runner:
        assert runner.stdout is not None
        conninfo = runner.stdout.readline().strip()
        runner.send_signal(signal.SIGTERM)
        runner.communicate()
        assert runner.returncode == 128 + signal.SIGTERM
    assert_gone(conninfo)
