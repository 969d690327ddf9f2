"""Expected answers against the data set they are derived from."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from bench import dataset, scenarios
from bench.scenarios import BY_NAME


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(dataset.script(dataset.SQLITE))
        yield connection


@pytest.mark.parametrize("name", [s.name for s in scenarios.ALL if s.fixed_answer])
def test_a_fixed_answer_passes_its_own_check(name: str) -> None:
    scenario = BY_NAME[name]
    assert scenario.fixed_answer is not None
    answer = json.loads(scenario.fixed_answer)
    assert scenario.check(answer)
    assert not scenario.check(None)
    assert not scenario.check({**answer, "extra": 1})


def test_the_large_answer_is_about_ten_kilobytes() -> None:
    answer = BY_NAME["json10k"].fixed_answer
    assert answer is not None
    assert 10_000 <= len(answer) <= 10_500


def test_stats_match_sql(database: sqlite3.Connection) -> None:
    row = database.execute("SELECT count(*), sum(words), max(words) FROM article WHERE published").fetchone()
    assert BY_NAME["aggregate"].check(dict(zip(("articles", "total_words", "longest"), row, strict=True)))


def test_search_matches_sql(database: sqlite3.Connection) -> None:
    database.row_factory = sqlite3.Row
    where = "FROM article WHERE published AND title LIKE ?"
    pattern = f"%{scenarios.SEARCH_TEXT}%"
    total = database.execute(f"SELECT count(*) {where}", [pattern]).fetchone()[0]
    found = database.execute(
        f"SELECT id, title, slug, words, rating, published, created {where} ORDER BY id LIMIT 10 OFFSET 10", [pattern]
    )
    items = [
        {**row, "published": bool(row["published"]), "created": row["created"].replace(" ", "T") + "Z"}
        for row in map(dict, found)
    ]
    assert BY_NAME["search"].check({"total": total, "items": items})


def test_a_new_entry_needs_a_number_and_what_was_sent() -> None:
    check = BY_NAME["insert"].check
    assert check({"id": 1, **scenarios.ENTRY})
    assert not check({"id": 0, **scenarios.ENTRY})
    assert not check({"id": 1, **scenarios.ENTRY, "text": "other"})
    assert not check([])
