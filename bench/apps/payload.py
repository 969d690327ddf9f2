"""Answers that every application under test gives, defined once so that they cannot drift apart."""

from __future__ import annotations

HELLO: dict[str, str] = {"message": "Hello, World!"}

# Encodes to about 10 KB of compact JSON: integers, floats, short strings, lists, booleans and nulls.
CATALOGUE: dict[str, list[dict[str, object]]] = {
    "items": [
        {
            "id": number,
            "name": f"item number {number}",
            "price": number * 1.25,
            "tags": ["alpha", "beta", "gamma"],
            "active": number % 2 == 0,
            "note": None,
        }
        for number in range(97)
    ]
}

PAGE_SIZE = 10
