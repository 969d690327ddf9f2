"""Databases of the scenarios: the same tables, rows and settings for every peer.

SQLite: each peer has its own copy of one file (WAL mode), so that no peer reads another's log; connections set
`synchronous=NORMAL`. PostgreSQL: one database for all; the server is the one that PGHOST names, else a private cluster.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol

from tools import pg_cluster
from tools.private_server import ServerError

from bench import dataset
from bench.venvs import BENCH, SetupError

CACHE = BENCH / ".cache"
_CLUSTER_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "log_min_messages": "fatal",
}
"""All else is PostgreSQL's default: fsync, synchronous_commit and full_page_writes are on."""

_POSTGRESQL_FACTS = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "max_connections",
    "jit",
)


class Database(Protocol):
    """What the measurement needs of a database."""

    name: str

    def environment(self, peer: str) -> Mapping[str, str]:
        """Variables that lead the peer's server to its data."""
        ...

    def reset(self, peer: str) -> None:
        """Removes the rows that write scenarios added."""
        ...

    def connections(self, peer: str) -> int | None:
        """How many connections the peer's server holds; None when nobody can tell."""
        ...

    def facts(self) -> Mapping[str, str]:
        """Version and the settings that matter for speed and durability."""
        ...

    def close(self) -> None:
        """Removes what was created. Idempotent."""
        ...


class SQLite:
    """One file per peer under bench/.cache/, copied from a template."""

    name = "sqlite"

    def __init__(self) -> None:
        self._directory = CACHE / f"sqlite-{os.getpid()}"
        self._directory.mkdir(parents=True)
        self._template = self._directory / "template.sqlite3"
        with closing(sqlite3.connect(self._template)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(dataset.script(dataset.SQLITE))

    def environment(self, peer: str) -> Mapping[str, str]:
        path = self._path(peer)
        if not path.exists():
            shutil.copy(self._template, path)
        return {"BENCH_SQLITE_PATH": str(path)}

    def reset(self, peer: str) -> None:
        with closing(sqlite3.connect(self._path(peer), timeout=20)) as connection:
            connection.execute("DELETE FROM entry")
            connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def connections(self, peer: str) -> int | None:
        return None

    def facts(self) -> Mapping[str, str]:
        with closing(sqlite3.connect(self._template)) as connection:
            journal = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
        return {"journal_mode": journal, "synchronous": "normal"}

    def close(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)

    def _path(self, peer: str) -> Path:
        return self._directory / f"{peer}.sqlite3"


class PostgreSQL:
    """A database of its own, on the server that PGHOST names or on a private cluster with durable commits."""

    name = "postgresql"

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._database = f"bolt_bench_{os.getpid()}"
        with ExitStack() as failed:
            failed.callback(self._stack.close)
            self._server = {} if "PGHOST" in os.environ else self._start_cluster()
            if shutil.which("psql") is None:
                raise SetupError("psql is missing; run: sudo apt-get install postgresql")
            self._psql("postgres", f'CREATE DATABASE "{self._database}"')
            self._stack.callback(self._psql, "postgres", f'DROP DATABASE "{self._database}" WITH (FORCE)')
            self._psql(self._database, dataset.script(dataset.POSTGRESQL))
            failed.pop_all()

    def _start_cluster(self) -> Mapping[str, str]:
        """Variables that lead libpq to a new cluster. It shares the harness's cores."""
        try:
            conninfo = self._stack.enter_context(pg_cluster.cluster(_CLUSTER_SETTINGS))
        except ServerError as error:
            raise SetupError(str(error)) from error
        pairs = dict(item.split("=", 1) for item in conninfo.split())
        return {"PGHOST": pairs["host"], "PGPORT": pairs["port"], "PGUSER": pairs["user"]}

    def environment(self, peer: str) -> Mapping[str, str]:
        return {**self._server, "PGDATABASE": self._database, "PGAPPNAME": peer}

    def reset(self, peer: str) -> None:
        self._psql(self._database, "TRUNCATE entry")

    def connections(self, peer: str) -> int | None:
        count = "SELECT count(*) FROM pg_stat_activity"
        where = f"datname = '{self._database}' AND application_name = '{peer}'"
        return int(self._psql(self._database, f"{count} WHERE {where}"))

    def facts(self) -> Mapping[str, str]:
        shown = {name: self._psql(self._database, f"SHOW {name}").strip() for name in _POSTGRESQL_FACTS}
        return {"server": "private cluster" if self._server else "PGHOST", **shown}

    def close(self) -> None:
        self._stack.close()

    def _psql(self, database: str, sql: str) -> str:
        """Runs SQL, returns bare rows. Raises SetupError with the server's message when it fails."""
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database]
        environment = {**os.environ, **self._server}
        done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False, env=environment)
        if done.returncode != 0:
            raise SetupError(f"PostgreSQL: {done.stderr.strip()}")
        return done.stdout


BY_NAME: Mapping[str, Callable[[], Database]] = {SQLite.name: SQLite, PostgreSQL.name: PostgreSQL}
