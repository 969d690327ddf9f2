"""Databases of the scenarios on real servers."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from bench import databases, dataset
from bench.venvs import SetupError

INSERT = "INSERT INTO entry (author_id, text) VALUES (1, 'x')"
COUNT = "SELECT (SELECT count(*) FROM article), (SELECT count(*) FROM entry)"


def test_sqlite_gives_each_peer_its_own_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "CACHE", tmp_path)
    database = databases.SQLite()
    paths = [Path(database.environment(peer)["BENCH_SQLITE_PATH"]) for peer in ("a", "b")]
    with closing(sqlite3.connect(paths[0])) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.execute(INSERT)
        connection.commit()
        assert connection.execute(COUNT).fetchone() == (dataset.ARTICLES, 1)
        database.reset("a")
        assert connection.execute(COUNT).fetchone() == (dataset.ARTICLES, 0)
    with closing(sqlite3.connect(paths[1])) as connection:
        assert connection.execute(COUNT).fetchone() == (dataset.ARTICLES, 0)
    database.close()
    database.close()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def server(postgresql_conninfo: str, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """Points libpq at the private cluster of the test run."""
    pairs = psycopg.conninfo.conninfo_to_dict(postgresql_conninfo)
    variables = {"PGHOST": str(pairs["host"]), "PGPORT": str(pairs["port"]), "PGUSER": str(pairs["user"])}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


def test_postgresql_database_is_filled_emptied_and_dropped(server: Mapping[str, str]) -> None:
    database = databases.PostgreSQL()
    name = database.environment("any")["PGDATABASE"]
    with psycopg.connect(dbname=name, autocommit=True) as connection:
        connection.execute(INSERT)
        database.reset("any")
        assert connection.execute(COUNT).fetchone() == (dataset.ARTICLES, 0)
        assert database.connections("any") == 0
        with psycopg.connect(dbname=name, application_name=database.environment("any")["PGAPPNAME"]):
            assert database.connections("any") == 1
    assert database.facts()["server"] == "PGHOST"
    database.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(dbname=name)


@pytest.mark.usefixtures("server")
def test_a_failure_leaves_no_database_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "script", lambda dialect: "SELECT * FROM nowhere")
    with pytest.raises(SetupError, match="nowhere"):
        databases.PostgreSQL()
    with psycopg.connect(dbname="postgres") as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'bolt_bench_%'").fetchall()
    assert left == []
