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
from contextlib import closing
from pathlib import Path
from typing import Protocol

from bench import dataset
from bench.venvs import BENCH, SetupError

CACHE = BENCH / ".cache"
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

    def facts(self) -> Mapping[str, str]:
        with closing(sqlite3.connect(self._template)) as connection:
            journal = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
        return {"journal_mode": journal, "synchronous": "normal"}

    def close(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)

    def _path(self, peer: str) -> Path:
        return self._directory / f"{peer}.sqlite3"


class PostgreSQL:
    """One database of its own on a server that somebody else runs."""

    name = "postgresql"

    def __init__(self) -> None:
        if shutil.which("psql") is None:
            raise SetupError("psql is missing; run: sudo apt-get install postgresql")
        self._database = f"bolt_bench_{os.getpid()}"
        self._psql("postgres", f'CREATE DATABASE "{self._database}"')
        try:
            self._psql(self._database, dataset.script(dataset.POSTGRESQL))
        except SetupError:
            self.close()
            raise

    def environment(self, peer: str) -> Mapping[str, str]:
        return {"PGDATABASE": self._database}

    def reset(self, peer: str) -> None:
        self._psql(self._database, "TRUNCATE entry")

    def facts(self) -> Mapping[str, str]:
        return {name: self._psql(self._database, f"SHOW {name}").strip() for name in _POSTGRESQL_FACTS}

    def close(self) -> None:
        self._psql("postgres", f'DROP DATABASE IF EXISTS "{self._database}" WITH (FORCE)')

    def _psql(self, database: str, sql: str) -> str:
        """Runs SQL, returns bare rows. Raises SetupError with the server's message when it fails."""
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database]
        done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SetupError(f"PostgreSQL: {done.stderr.strip()}")
        return done.stdout


BY_NAME: Mapping[str, Callable[[], Database]] = {SQLite.name: SQLite, PostgreSQL.name: PostgreSQL}
