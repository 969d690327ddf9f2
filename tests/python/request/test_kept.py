"""A request that outlives its response keeps its own copy of what it had borrowed from the connection."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest
from tests.python.harness import RawResponse
from tests.python.support.binding import bound, param, query, route
from tests.python.support.requests import REQUEST, kept_request
from tests.python.support.wire import ErrorHooks, raw_request, serve

from django_bolt import _core
from django_bolt._plan import Kind, Source

NAMES = ["method", "path", "query", "params", "headers", "cookies", "raw_cookies", "body", "META"]


def test_the_input_buffer_may_be_reused() -> None:
    """Requests of one connection, pipelined and one after the other, each of another size."""
    params = (param("n", Source.PATH, Kind.INT, capture=0), query("q"))
    with bound(REQUEST, *params, path="/{n}", method="POST") as binding:
        wire = binding.wire
        bodies = [bytes([65 + n]) * (n * 37 % 200) for n in range(20)]
        raw = [
            raw_request(f"/{n}?q={n}", method="POST", body=body, headers=(("X-N", str(n)),))
            for n, body in enumerate(bodies)
        ]

        async def exchange() -> None:
            client = await wire.service.connect()
            client.writer.write(b"".join(raw[:10]))
            for _ in range(10):
                assert (await client.receive()).status == 204
            for one in raw[10:]:
                client.writer.write(one)
                assert (await client.receive()).status == 204

        wire.loop.run_until_complete(exchange())
        kept = [arguments[0] for arguments, _ in binding.received]
    for n, request in enumerate(kept):
        assert request.query == {"q": str(n)}
        assert request.params == {"n": n}
        assert request.headers["x-n"] == str(n)
        assert request.body == bodies[n]
        assert request.get_full_path() == f"/{n}?q={n}"


def test_attributes_built_before_and_after_are_the_same_object() -> None:
    with bound(REQUEST, query("q", Kind.DATE)) as binding:
        request = binding.call("/?q=2024-02-29")[0][0]
        assert request.query == {"q": datetime.date(2024, 2, 29)}
        assert request.query is request.query


def test_it_outlives_server_and_application() -> None:
    request = kept_request(query("q", Kind.INT), path="/{x}", target="/a?q=7&r=8", headers=(("Cookie", "c=d"),))
    assert (request.query, request.params, request.cookies) == ({"q": 7, "r": "8"}, {"x": "a"}, {"c": "d"})


def test_kept_by_a_background_task() -> None:
    """The handler has returned and the response is out before the task looks."""
    tasks: list[asyncio.Task[list[Any]]] = []

    async def handler(request: _core.Request) -> None:
        release = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(release.set_result, None)
        tasks.append(asyncio.create_task(later(request, release)))

    async def later(request: _core.Request, release: asyncio.Future[None]) -> list[Any]:
        await release
        return [getattr(request, name) for name in NAMES]

    with serve(route(REQUEST, handler=handler)) as wire:
        assert wire.request(raw_request("/?a=b")).status == 204
        seen = wire.loop.run_until_complete(tasks[0])
    assert seen[:3] == ["GET", "/", {"a": "b"}]


def test_kept_by_the_exception_hook() -> None:
    """The request of a bind that failed half-way."""
    kept: list[_core.Request] = []

    class KeepingHooks(ErrorHooks):
        def handle_exception(self, exc: BaseException, request: _core.Request, meta: Any) -> RawResponse:
            kept.append(request)
            return super().handle_exception(exc, request, meta)

    with bound(REQUEST, query("a"), query("b", Kind.INT), method="POST", hooks=KeepingHooks()) as binding:
        detail = binding.detail("/?a=1&b=x", method="POST", body=b"content")
        assert detail == "Query parameter 'b': Invalid integer 'x': invalid digit found in string"
    assert (kept[0].query, kept[0].body) == ({"a": "1", "b": "x"}, b"content")


@pytest.mark.parametrize("count", [0, 1, 60, 97])
def test_any_number_of_fields(count: int) -> None:
    headers = tuple((f"X-{n}", "v" * (n % 50)) for n in range(count))
    request = kept_request(headers=headers)
    assert request.headers == {"host": "testserver"} | {f"x-{n}": "v" * (n % 50) for n in range(count)}
