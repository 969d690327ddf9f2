"""Every sample of the guide answers, exactly, over a real socket, on SQLite and PostgreSQL."""

from __future__ import annotations

import html.parser
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

MANAGE = [sys.executable, "manage.py"]
PROJECT = Path(__file__).parents[3] / "examples" / "guide"

NAMES = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory", "oscar"]
ACTIVE = [name for name in NAMES if name not in ("dave", "ivan")]
POSTS = [
    ("alice", "Why the event loop matters"),
    ("bob", "A first handler"),
    ("alice", "Querysets, lazily"),
    ("frank", "Counting without loading"),
    ("judy", "Transactions that nest"),
    ("bob", "Reading the query plan"),
    ("alice", "Joins in one query"),
    ("frank", "A page at a time"),
    ("judy", "What to index"),
    ("alice", "Signals, sparingly"),
]
FULL_NAMES = {"alice": "Alice Archer", "bob": "Bob Baker", "frank": "Frank Fisher", "judy": "Judy Joiner"}
GROUPS = {
    "alice": ["authors", "editors"],
    "bob": ["authors"],
    "carol": ["readers"],
    "erin": ["editors", "readers"],
    "frank": ["authors"],
    "grace": ["readers"],
    "ivan": ["readers"],
    "judy": ["authors", "readers"],
}


def user(name: str) -> dict[str, Any]:
    return {"id": NAMES.index(name) + 1, "username": name, "email": f"{name}@example.com"}


def users(names: list[str]) -> list[dict[str, Any]]:
    return [user(name) for name in names]


def page(names: list[str], number: int, size: int, pages: int) -> dict[str, Any]:
    return {"items": users(names), "total": 12, "page": number, "page_size": size, "total_pages": pages}


def string_error(text: str) -> dict[str, str]:
    return {"detail": text}


#: method and path, status, JSON
ANSWERS: list[tuple[str, int, Any]] = [
    (
        "POST /single-objects/run",
        200,
        {
            "created_by_update_or_create": False,
            "email": "new@example.com",
            "first": "alice",
            "last_is_john": True,
            "earliest": "alice",
            "latest_is_john": True,
        },
    ),
    (
        "POST /bulk/run",
        200,
        {
            "created": 100,
            "updated": 100,
            "renamed": 100,
            "in_bulk": {"1": "alice", "2": "bob", "3": "carol", "4": "dave", "5": "erin"},
            "deleted": 100,
        },
    ),
    (
        "POST /queries/run",
        200,
        {
            "total": 13,
            "active": 11,
            "exists": False,
            "contains": True,
            "updated_count": 2,
            "deleted_count": 1,
            "stats": {"total": 12, "avg_age": 37.25},
            "explained": True,
        },
    ),
    ("GET /iteration/users", 200, ACTIVE),
    ("GET /iteration/chunks", 200, NAMES),
    (
        "GET /iteration/values",
        200,
        [{"id": number, "username": name} for number, name in enumerate(NAMES, 1)]
        + NAMES
        + [f"{number}: {name}" for number, name in enumerate(NAMES, 1)],
    ),
    ("POST /instances/save", 200, {"saved": {"username": "john", "email": "new@example.com"}, "left": 0}),
    ("GET /instances/refresh", 200, {"email": "alice@example.com"}),
    ("POST /related/run", 200, {"groups_after_clear": 0}),
    ("GET /related/groups", 200, ["authors", "editors"]),
    ("GET /related/groups?username=judy", 200, ["authors", "readers"]),
    ("GET /related/groups?username=nobody", 404, string_error("User matching query does not exist.")),
    ("GET /pagination/users", 200, page(NAMES, 1, 20, 1)),
    ("GET /pagination/users?page=2&page_size=5", 200, page(NAMES[5:10], 2, 5, 3)),
    ("GET /pagination/users?page=3&page_size=5", 200, page(NAMES[10:], 3, 5, 3)),
    ("GET /pagination/users?page=4&page_size=5", 200, page([], 4, 5, 3)),
    (
        "GET /pagination/users?page=two",
        422,
        string_error("Query parameter 'page': Invalid integer 'two': invalid digit found in string"),
    ),
    ("GET /filtering/users/search?q=AR", 200, {"results": users(["carol", "oscar"]), "count": 2}),
    ("GET /filtering/users/search?q=%C3%A9", 200, {"results": [], "count": 0}),
    ("GET /filtering/users/search", 422, string_error("Missing required query parameter: q")),
    (
        "GET /aggregation/users/stats",
        200,
        {
            "total_users": 12,
            "active_users": 10,
            "avg_age": 37.25,
            "newest_user": "2024-01-26T09:30:00Z",
            "oldest_user": "2024-01-15T09:30:00Z",
        },
    ),
    (
        "POST /authentication/login?username=alice&password=guide-password",
        200,
        {"success": True, "user_id": 1, "username": "alice"},
    ),
    (
        "POST /authentication/login?username=alice&password=wrong",
        200,
        {"success": False, "error": "Invalid credentials"},
    ),
    (
        "POST /authentication/login?username=dave&password=guide-password",
        200,
        {"success": False, "error": "Invalid credentials"},
    ),
    ("GET /querysets/users", 200, users(NAMES[:10])),
    ("POST /transactions/transfer?from_user_id=1&to_user_id=2&amount=12.5", 200, {"success": True}),
    ("POST /transactions/transfer?from_user_id=2&to_user_id=1&amount=12.5", 200, {"success": True}),
    (
        "POST /transactions/transfer?from_user_id=1&to_user_id=0&amount=1",
        404,
        string_error("User matching query does not exist."),
    ),
    (
        "GET /prefetch/posts",
        200,
        {"posts": [{"id": n, "title": title, "author": author} for n, (author, title) in enumerate(POSTS, 1)]},
    ),
    ("GET /blocking/external-data", 200, {"path": "/data"}),
    ("GET /external/data", 200, {"service": "external", "values": [1, 2, 3]}),
    (
        "GET /what-works/sorting",
        200,
        {"oldest": ["ivan", "erin", "oscar"], "groups": ["authors", "editors", "readers"]},
    ),
    ("GET /what-works/only", 200, {"only": ["alice", "bob"], "defer": ["alice", "bob"]}),
    ("GET /what-works/cache?value=%E2%9C%85", 200, {"found": "✅", "after_delete": None}),
    (
        "GET /what-works/forms?email=alice@example.com&age=34",
        200,
        {"valid": True, "cleaned": {"email": "alice@example.com", "age": 34}},
    ),
    (
        "GET /what-works/forms?email=alice&age=7",
        200,
        {
            "valid": False,
            "errors": {
                "email": [{"message": "Enter a valid email address.", "code": "invalid"}],
                "age": [{"message": "Ensure this value is greater than or equal to 18.", "code": "min_value"}],
            },
        },
    ),
    ("GET /best-practices/get", 200, {"username": "alice"}),
    ("GET /best-practices/iterate", 200, NAMES),
    (
        "GET /best-practices/join",
        200,
        [FULL_NAMES[author] for author in [*(author for author, _ in POSTS), "bob", "judy"]],
    ),
    ("GET /best-practices/users", 200, users(NAMES[:10])),
    ("GET /best-practices/sync-to-async", 200, 12),
    ("POST /best-practices/bulk-create", 200, 5),
    (
        "GET /best-practices/aggregate",
        200,
        {"stats": {"total": 12, "active": 10}, "total": 12, "active": 10},
    ),
    ("GET /best-practices/slice", 200, {"sliced": NAMES, "broken_off": NAMES}),
]


@pytest.mark.parametrize(("request_line", "status", "expected"), ANSWERS, ids=[answer[0] for answer in ANSWERS])
def test_answers(client: httpx.Client, request_line: str, status: int, expected: Any) -> None:
    method, _, path = request_line.partition(" ")
    response = client.request(method, path)
    assert (response.status_code, response.json()) == (status, expected)
    assert response.headers["content-type"] == "application/json"
    assert int(response.headers["content-length"]) == len(response.content)


def test_prefetched_groups(client: httpx.Client) -> None:
    """The guide leaves the order of a user's groups to the database."""
    answer = client.get("/prefetch/users-with-groups").json()
    for entry in answer["users"]:
        entry["groups"].sort()
    expected = [{"id": n, "username": name, "groups": GROUPS.get(name, [])} for n, name in enumerate(NAMES[:10], 1)]
    assert answer == {"users": expected}


def test_a_transfer_moves_money_and_a_failed_one_does_not(client: httpx.Client, environment: dict[str, str]) -> None:
    def balances() -> list[str]:
        code = "from users.models import User; print(*User.objects.values_list('balance', flat=True)[:2])"
        command = [*MANAGE, "shell", "--no-startup", "--verbosity", "0", "-c", code]
        shell = subprocess.run(command, cwd=PROJECT, env=os.environ | environment, capture_output=True, check=True)
        return shell.stdout.decode().split()

    assert balances() == ["1000.0", "250.5"]
    client.post("/transactions/transfer?from_user_id=1&to_user_id=2&amount=100.25")
    assert balances() == ["899.75", "350.75"]
    assert client.post("/transactions/transfer?from_user_id=1&to_user_id=0&amount=5").status_code == 404
    assert balances() == ["899.75", "350.75"]
    client.post("/transactions/transfer?from_user_id=2&to_user_id=1&amount=100.25")
    assert balances() == ["1000.0", "250.5"]


def test_seeding_again_changes_nothing(client: httpx.Client, environment: dict[str, str]) -> None:
    before = client.get("/pagination/users").content, client.get("/prefetch/posts").content
    command = [*MANAGE, "seed"]
    seeded = subprocess.run(command, cwd=PROJECT, env=os.environ | environment, capture_output=True, check=True)
    assert seeded.stdout == b"12 users, 12 posts. The password is 'guide-password'.\n"
    assert (client.get("/pagination/users").content, client.get("/prefetch/posts").content) == before


class Links(html.parser.HTMLParser):
    """The requests a page offers, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.offered: list[tuple[str, str]] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and not values["href"].startswith("#"):
            self.offered.append(("GET", values["href"]))
        elif tag == "form":
            self.offered.append((values["method"].upper(), values["action"]))
        elif tag in ("script", "img", "link", "iframe"):
            self.loaded += [value for name, value in values.items() if name in ("src", "href")]


def test_the_landing_page_offers_every_handler_and_loads_nothing(client: httpx.Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    links = Links(response.text)
    assert links.loaded == ["data:,"]
    for method, path in links.offered:
        assert client.request(method, path).status_code == 200, path
    offered = {f"{method} {path.partition('?')[0]}" for method, path in links.offered}
    tested = {line.partition("?")[0] for line, status, _ in ANSWERS if status == 200}
    assert offered == tested - {"GET /external/data"} | {"GET /prefetch/users-with-groups"}
