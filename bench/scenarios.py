"""What is asked of the servers and what they must answer.

A scenario is one HTTP request, repeated; its expected answer is computed here from bench/dataset.py, never taken from a
peer, so that all peers are held to the same value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from bench import dataset
from bench.apps import payload

Check = Callable[[object], bool]

ARTICLE_ID = 42
SEARCH_TEXT = "python"
SEARCH_PAGE = 2
ENTRY = {"author_id": 7, "text": "A short note about an article, long enough to be worth keeping."}
ORDER = {
    "customer": "Ada Lovelace",
    "email": "ada@example.com",
    "lines": [
        {"sku": "ENGINE-1", "quantity": 2, "price_cents": 129900},
        {"sku": "CARD-9", "quantity": 100, "price_cents": 25},
        {"sku": "OIL", "quantity": 3, "price_cents": 1250},
    ],
    "express": True,
    "note": None,
}


@dataclass(frozen=True)
class Scenario:
    """One request and its expected answer."""

    name: str
    title: str
    target: str
    check: Check
    body: str | None = None
    uses_database: bool = False
    fixed_answer: bytes | None = None
    """The exact JSON when it never changes: what the ceiling server sends."""

    @property
    def method(self) -> str:
        """A scenario with a body is a POST."""
        return "GET" if self.body is None else "POST"

    @property
    def writes(self) -> bool:
        """True when each request adds a row."""
        return self.uses_database and self.body is not None


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _static(name: str, title: str, target: str, expected: object, body: object = None) -> Scenario:
    """A scenario without a database; its answer is the same for every request."""
    return Scenario(
        name,
        title,
        target,
        check=lambda value: value == expected,
        body=None if body is None else json.dumps(body),
        fixed_answer=_compact(expected),
    )


def _read(name: str, title: str, target: str, expected: object) -> Scenario:
    """A database scenario that changes nothing."""
    return Scenario(name, title, target, check=lambda value: value == expected, uses_database=True)


def _row(article: dataset.Article) -> dict[str, object]:
    row = asdict(article)
    del row["author_id"]
    return row | {"created": article.created + "Z"}


def _expected_detail() -> dict[str, object]:
    article = dataset.articles()[ARTICLE_ID - 1]
    author = dataset.authors()[article.author_id - 1]
    row = _row(article)
    return {key: row[key] for key in ("id", "title", "words", "created")} | {"author": asdict(author)}


def _expected_search() -> dict[str, object]:
    found = [_row(a) for a in dataset.articles() if a.published and SEARCH_TEXT in a.slug]
    first = (SEARCH_PAGE - 1) * payload.PAGE_SIZE
    return {"total": len(found), "items": found[first : first + payload.PAGE_SIZE]}


def _expected_stats() -> dict[str, int]:
    words = [a.words for a in dataset.articles() if a.published]
    return {"articles": len(words), "total_words": sum(words), "longest": max(words)}


def _expected_rows() -> list[dict[str, object]]:
    return [_row(a) for a in dataset.articles() if a.published][: payload.PAGE_SIZE]


def _is_new_entry(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    answer = dict(value)
    number = answer.pop("id", None)
    return isinstance(number, int) and number > 0 and answer == ENTRY


ORDER_TOTAL_CENTS = 2 * 129900 + 100 * 25 + 3 * 1250

ALL: tuple[Scenario, ...] = (
    _static("hello", "hello JSON", "/", payload.HELLO),
    _static("typed", "typed path + query", "/items/42?q=shoes", {"item_id": 42, "q": "shoes"}),
    _static("json10k", "10 KB JSON", "/catalogue", payload.CATALOGUE),
    _static(
        "validate",
        "validate JSON body",
        "/orders",
        {"customer": "Ada Lovelace", "lines": 3, "total_cents": ORDER_TOTAL_CENTS, "express": True},
        body=ORDER,
    ),
    _read("rows10", "10 rows of a queryset", "/articles", _expected_rows()),
    _read("related", "one row with select_related", f"/articles/{ARTICLE_ID}", _expected_detail()),
    _read("search", "search with count", f"/search?q={SEARCH_TEXT}&page={SEARCH_PAGE}", _expected_search()),
    _read("aggregate", "aggregate", "/stats", _expected_stats()),
    Scenario("insert", "insert one row", "/entries", _is_new_entry, body=json.dumps(ENTRY), uses_database=True),
)

BY_NAME: dict[str, Scenario] = {scenario.name: scenario for scenario in ALL}
