"""The example project as a running server, on each database."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from program import program
from runbolt import Runbolt

PROJECT = Path(__file__).parents[3] / "examples" / "guide"
MANAGE = [sys.executable, "manage.py"]


class External(http.server.BaseHTTPRequestHandler):
    """The service that the guide's requests sample fetches from."""

    def do_GET(self) -> None:
        content = b'{"path": "%s"}' % self.path.encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test's output is not its log."""


@pytest.fixture(scope="session")
def external_url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), External) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/data"
        server.shutdown()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment variables that select an empty database."""
    if request.param == "sqlite":
        yield {"GUIDE_DB": "sqlite", "GUIDE_SQLITE_PATH": str(tmp_path_factory.mktemp("guide") / "db.sqlite3")}
        return
    conninfo = request.getfixturevalue("postgresql_conninfo")
    name = f"guide_{os.getpid()}"
    server = psycopg.conninfo.conninfo_to_dict(conninfo)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield {
            "GUIDE_DB": "postgresql",
            "PGHOST": str(server["host"]),
            "PGPORT": str(server["port"]),
            "PGUSER": str(server["user"]),
            "PGDATABASE": name,
        }
        connection.execute(f"DROP DATABASE {name}".encode())


@pytest.fixture(scope="session")
def environment(database: dict[str, str], external_url: str) -> dict[str, str]:
    """Everything the example reads from its environment; the database is migrated and seeded."""
    own = {"DJANGO_SETTINGS_MODULE": "guide.settings", "GUIDE_EXTERNAL_URL": external_url, "NO_COLOR": "1"}
    variables = own | database
    for command in (["migrate", "--verbosity", "0"], ["seed"]):
        subprocess.run([*MANAGE, *command], cwd=PROJECT, env=os.environ | variables, check=True, capture_output=True)
    return variables


@pytest.fixture(scope="session")
def client(environment: dict[str, str]) -> Iterator[httpx.Client]:
    command = [*MANAGE, "runbolt", "--host", "127.0.0.1", "--port", "0"]
    with program(command, cwd=PROJECT, environment=environment) as run:
        server = Runbolt(run.process)
        server.wait_ready()
        with httpx.Client(base_url=server.url, timeout=30) as client:
            yield client
        run.process.terminate()
        assert run.end() == 0
        assert "Traceback" not in run.rest()
