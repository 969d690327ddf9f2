"""The generated tables and rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from bench import dataset


def test_data_set_is_complete() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(dataset.script(dataset.SQLITE))
        tables = ("author", "article", "entry")
        counts = [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
        assert counts == [dataset.AUTHORS, dataset.ARTICLES, 0]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def test_rows_are_the_same_every_time() -> None:
    assert dataset.articles() == dataset.articles()
    assert dataset.articles()[41] == dataset.Article(
        id=42,
        author_id=43,
        title="Python from scratch, part 42",
        slug="python-from-scratch-42",
        words=1754,
        rating=3.5,
        published=True,
        created="2025-07-15T18:42:00",
    )


def test_texts_fit_their_columns_and_need_no_quoting() -> None:
    for article in dataset.articles():
        assert len(article.slug) <= 50
        assert "'" not in article.title + article.slug
