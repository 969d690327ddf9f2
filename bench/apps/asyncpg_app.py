"""The hand-written peer for PostgreSQL: raw ASGI, SQL by hand through asyncpg, JSON by msgspec.

This is what a careful programmer gets without any framework or ORM. The pool has a fixed size of
BENCH_POOL_SIZE connections; asyncpg prepares and caches each statement.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import asyncpg
import msgspec
import payload

# ASGI messages and scopes are dictionaries whose value types depend on the key.
Message = dict[str, Any]
Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Query = Mapping[str, list[str]]

ROW_COLUMNS = "id, title, slug, words, rating, published, created"
MATCH = "published AND (title ILIKE $1 OR slug ILIKE $1)"
HEADERS = [(b"content-type", b"application/json")]
encode = msgspec.json.Encoder().encode


class EntryIn(msgspec.Struct):
    author_id: int
    text: str


entry_decoder = msgspec.json.Decoder(EntryIn)
pool: asyncpg.Pool


async def rows(query: Query, body: bytes) -> object:
    found = await pool.fetch(f"SELECT {ROW_COLUMNS} FROM article WHERE published ORDER BY id LIMIT {payload.PAGE_SIZE}")
    return [dict(row) for row in found]


async def related(article_id: int) -> object:
    row = await pool.fetchrow(
        "SELECT a.id, a.title, a.words, a.created, u.id AS author_id, u.name, u.email"
        " FROM article a JOIN author u ON u.id = a.author_id WHERE a.id = $1",
        article_id,
    )
    return {
        "id": row["id"],
        "title": row["title"],
        "words": row["words"],
        "created": row["created"],
        "author": {"id": row["author_id"], "name": row["name"], "email": row["email"]},
    }


async def search(query: Query, body: bytes) -> object:
    pattern = "%" + query["q"][-1] + "%"
    first = (int(query.get("page", ["1"])[-1]) - 1) * payload.PAGE_SIZE
    async with pool.acquire() as connection:
        total = await connection.fetchval(f"SELECT count(*) FROM article WHERE {MATCH}", pattern)
        found = await connection.fetch(
            f"SELECT {ROW_COLUMNS} FROM article WHERE {MATCH} ORDER BY id LIMIT {payload.PAGE_SIZE} OFFSET $2",
            pattern,
            first,
        )
    return {"total": total, "items": [dict(row) for row in found]}


async def stats(query: Query, body: bytes) -> object:
    row = await pool.fetchrow(
        "SELECT count(id) AS articles, sum(words) AS total_words, max(words) AS longest FROM article WHERE published"
    )
    return dict(row)


async def insert(query: Query, body: bytes) -> object:
    entry = entry_decoder.decode(body)
    row = await pool.fetchrow(
        "INSERT INTO entry (author_id, text) VALUES ($1, $2) RETURNING id, author_id, text",
        entry.author_id,
        entry.text,
    )
    return dict(row)


ROUTES: dict[tuple[str, str], Callable[[Query, bytes], Awaitable[object]]] = {
    ("GET", "/articles"): rows,
    ("GET", "/search"): search,
    ("GET", "/stats"): stats,
    ("POST", "/entries"): insert,
}


async def answer(scope: Scope, receive: Receive) -> object:
    """The JSON value for a request; None when nothing matches."""
    path = scope["path"]
    if path.startswith("/articles/"):
        return await related(int(path.removeprefix("/articles/")))
    handler = ROUTES.get((scope["method"], path))
    if handler is None:
        return None
    body = b""
    more = scope["method"] == "POST"
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return await handler(parse_qs(scope["query_string"].decode()), body)


async def lifespan(receive: Receive, send: Send) -> None:
    """Opens the pool before the first request and closes it after the last."""
    global pool
    size = int(os.environ["BENCH_POOL_SIZE"])
    await receive()
    name = {"application_name": os.environ["PGAPPNAME"]}
    pool = await asyncpg.create_pool(min_size=size, max_size=size, server_settings=name)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await pool.close()
    await send({"type": "lifespan.shutdown.complete"})


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI entry point."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    value = await answer(scope, receive)
    status = 404 if value is None else 200
    await send({"type": "http.response.start", "status": status, "headers": HEADERS})
    await send({"type": "http.response.body", "body": encode(value)})
