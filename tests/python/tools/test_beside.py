"""Private servers: usable by the command, gone after it, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BESIDE = [sys.executable, "-m", "tools.beside"]
#: Connects, prints where, then waits for the end of its input.
CLIENTS = {
    "postgresql": """
import os, psycopg, sys
conninfo = os.environ["BOLT_TEST_PG"]
with psycopg.connect(conninfo) as connection:
    connection.execute("select 1")
    print(psycopg.conninfo.conninfo_to_dict(conninfo)["host"], flush=True)
    sys.stdin.read()
sys.exit(7)
""",
    "mariadb": """
import os, pymysql, sys
path = os.environ["BOLT_TEST_MARIADB"]
with pymysql.connect(unix_socket=path, user="root") as connection:
    connection.cursor().execute("select 1")
    print(os.path.dirname(path), flush=True)
    sys.stdin.read()
sys.exit(7)
""",
}


@pytest.fixture(params=list(CLIENTS))
def client(request: pytest.FixtureRequest) -> list[str]:
    """The command line; where there is no such server there is nothing to start."""
    request.getfixturevalue({"postgresql": "postgresql_conninfo", "mariadb": "mariadb_socket"}[request.param])
    return [*BESIDE, request.param, "--", sys.executable, "-c", CLIENTS[request.param]]


def start(command: list[str]) -> tuple[subprocess.Popen[str], Path]:
    """The running tool, and its server's directory once the client is connected."""
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_the_command_gets_a_server_and_its_exit_code_is_passed_on(client: list[str]) -> None:
    process, directory = start(client)
    assert directory.name.startswith("bolt-")
    process.communicate()
    assert process.returncode == 7
    assert not directory.exists()


def test_the_server_is_stopped_on_sigterm(client: list[str]) -> None:
    process, directory = start(client)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert not directory.exists()


@pytest.mark.parametrize("arguments", [[], ["postgresql"], ["postgresql", "--"], ["oracle", "--", "true"]])
def test_usage(arguments: list[str]) -> None:
    done = subprocess.run([*BESIDE, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m tools.beside [postgresql | mariadb]... -- COMMAND...")


def test_the_command_needs_no_server() -> None:
    assert subprocess.run([*BESIDE, "--", "sh", "-c", "exit 5"], cwd=ROOT).returncode == 5
