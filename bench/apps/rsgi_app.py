"""The granian peer: a bare RSGI application, the fastest interface that server offers, with msgspec for JSON."""

from __future__ import annotations

from typing import Annotated, Protocol
from urllib.parse import parse_qs

import msgspec
import payload


class Scope(Protocol):
    """What this application reads of granian's RSGI scope."""

    method: str
    path: str
    query_string: str


class Exchange(Protocol):
    """What this application calls of granian's RSGI HTTP protocol object."""

    async def __call__(self) -> bytes: ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class OrderLine(msgspec.Struct):
    sku: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    price_cents: Annotated[int, msgspec.Meta(ge=0)]


class Order(msgspec.Struct):
    customer: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    email: str
    lines: list[OrderLine]
    express: bool = False
    note: str | None = None


HEADERS = [("content-type", "application/json")]
encode = msgspec.json.Encoder().encode
order_decoder = msgspec.json.Decoder(Order)


async def answer(scope: Scope, exchange: Exchange) -> object:
    """The JSON value for a request; None when nothing matches."""
    path = scope.path
    if path == "/":
        return payload.HELLO
    if path.startswith("/items/"):
        q = parse_qs(scope.query_string).get("q", [""])[-1]
        return {"item_id": int(path.removeprefix("/items/")), "q": q}
    if path == "/catalogue":
        return payload.CATALOGUE
    if path == "/orders" and scope.method == "POST":
        order = order_decoder.decode(await exchange())
        total_cents = sum(line.quantity * line.price_cents for line in order.lines)
        return {
            "customer": order.customer,
            "lines": len(order.lines),
            "total_cents": total_cents,
            "express": order.express,
        }
    return None


async def app(scope: Scope, exchange: Exchange) -> None:
    """RSGI entry point."""
    value = await answer(scope, exchange)
    exchange.response_bytes(404 if value is None else 200, HEADERS, encode(value))
