"""The Request protocol and the object that implements it."""

from __future__ import annotations

from typing import Any

from apis import call

from django_bolt import BoltAPI, Request, is_request


def test_is_request() -> None:
    api = BoltAPI()

    @api.get("/")
    async def handler(request: Request) -> dict[str, Any]:
        return {"request": is_request(request), "dict": is_request({})}

    assert call(api, "/").json() == {"request": True, "dict": False}


def test_the_object_has_every_declared_member() -> None:
    api = BoltAPI()
    members = [name for name in vars(Request) if not name.startswith("_")] + list(Request.__annotations__)

    @api.get("/{id}")
    async def handler(request: Request) -> dict[str, bool]:
        return {name: hasattr(request, name) for name in members}

    found = call(api, "/5").json()
    assert {"method", "META", "get_full_path", "user"} <= set(found)
    assert all(found.values()), found


def test_values_of_a_request() -> None:
    api = BoltAPI()

    @api.post("/users/{user_id}")
    async def handler(user_id: int, q: int, other: Request) -> dict[str, Any]:
        return {
            "method": other.method,
            "path": other.path,
            "full": other.get_full_path(),
            "uri": other.build_absolute_uri(),
            "params": other.params,
            "query": other.query,
            "header": other.headers["x-thing"],
            "meta": other.META["HTTP_X_THING"],
            "cookies": other.raw_cookies,
            "body": other.body,
            "state": other.state,
            "item": other["method"],
            "get": other.get("nothing", 5),
        }

    response = call(api, "/users/7?q=3&z=a", "POST", ["x-thing: v", "cookie: a=b"], b"{}")
    assert response.json() == {
        "method": "POST",
        "path": "/users/7",
        "full": "/users/7?q=3&z=a",
        "uri": "http://test/users/7?q=3&z=a",
        "params": {"user_id": 7},
        "query": {"q": 3, "z": "a"},
        "header": "v",
        "meta": "v",
        "cookies": {"a": "b"},
        "body": "e30=",
        "state": {},
        "item": "POST",
        "get": 5,
    }
