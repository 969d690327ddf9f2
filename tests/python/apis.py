"""BoltAPI objects over a real server: the same compilation and the same bytes as ``runbolt``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections
from harness import Response, Service, run, serve

from django_bolt import BoltAPI, _core
from django_bolt._serve import build_app


@dataclass
class Compiled:
    """What ``harness.serve`` takes."""

    core: _core.App


def call(api: BoltAPI, path: str, method: str = "GET", headers: Sequence[str] = (), content: bytes = b"") -> Response:
    """One request to an API of its own server, and the response."""
    return calls(api, [(path, method, headers, content)])[0]


def calls(api: BoltAPI, requests: Sequence[tuple[str, str, Sequence[str], bytes]]) -> list[Response]:
    """Several requests, one connection each, to one server."""

    async def main() -> list[Response]:
        async with serve(Compiled(build_app([api]))) as service:  # type: ignore[arg-type]
            try:
                return [await _one(service, *request) for request in requests]
            finally:
                await sync_to_async(connections.close_all)()

    result: list[Response] = run(main())
    return result


async def _one(service: Service, path: str, method: str, headers: Sequence[str], content: bytes) -> Response:
    options: dict[str, Any] = {"method": method, "headers": headers, "content": content}
    return await service.get(path, **options)
