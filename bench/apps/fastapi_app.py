"""The FastAPI peer: pydantic models and return annotations, as its documentation shows them."""

from __future__ import annotations

from typing import Annotated

import payload
from fastapi import FastAPI
from pydantic import BaseModel, Field

app = FastAPI()


class OrderLine(BaseModel):
    sku: Annotated[str, Field(min_length=1, max_length=20)]
    quantity: Annotated[int, Field(ge=1, le=1000)]
    price_cents: Annotated[int, Field(ge=0)]


class Order(BaseModel):
    customer: Annotated[str, Field(min_length=1, max_length=100)]
    email: str
    lines: list[OrderLine]
    express: bool = False
    note: str | None = None


class OrderSummary(BaseModel):
    customer: str
    lines: int
    total_cents: int
    express: bool


@app.get("/")
async def hello() -> dict[str, str]:
    return payload.HELLO


@app.get("/items/{item_id}")
async def typed(item_id: int, q: str = "") -> dict[str, int | str]:
    return {"item_id": item_id, "q": q}


@app.get("/catalogue")
async def catalogue() -> dict[str, list[dict[str, object]]]:
    return payload.CATALOGUE


@app.post("/orders")
async def create_order(order: Order) -> OrderSummary:
    total_cents = sum(line.quantity * line.price_cents for line in order.lines)
    return OrderSummary(customer=order.customer, lines=len(order.lines), total_cents=total_cents, express=order.express)
