"""The types for annotations work at run time."""

from __future__ import annotations

from typing import Any

from apis import call

from django_bolt import BoltAPI
from django_bolt.types import AuthContext, Request, TimingState, UserType


def test_subscripted_request_is_injected() -> None:
    api = BoltAPI()

    @api.get("/")
    async def handler(current: Request[UserType, AuthContext, TimingState]) -> dict[str, Any]:
        current.state["request_id"] = "r"
        return {"method": current.method, "state": current.state}

    assert call(api, "/").json() == {"method": "GET", "state": {"request_id": "r"}}
