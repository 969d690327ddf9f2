"""A bind that waits half-way (a check, decoder, builder or factory that runs sync code) shares nothing with others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.python.harness import Application, serve, until
from tests.python.harness import run as run_on
from tests.python.support.binding import param, query
from tests.python.support.requests import REQUEST
from tests.python.support.wire import raw_request

from django_bolt import _core
from django_bolt._plan import Container, GroupSpec, Kind, ParamSpec, Source

COUNT = 8


class Gate:
    """Lets ``pass_through`` return in the order the test chooses."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[None]] = []

    def pass_through(self, value: Any) -> Any:
        future = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        _core.wait(future)
        return value


def params_with(position: str, gate: Gate) -> tuple[ParamSpec, ...]:
    """A table whose bind waits at one place, with values to get wrong before and after it."""

    def stop(name: str) -> Callable[[Any], Any] | None:
        return gate.pass_through if name == position else None

    group = GroupSpec((query("g", Kind.INT),), stop("group") or dict)
    decode = stop("decode")
    return (
        REQUEST,
        query("before", Kind.INT),
        param("segment", Source.PATH, capture=0),
        query("list", Kind.INT, container=Container.LIST, check=stop("check")),
        query(
            "absent",
            required=False,
            default_factory=(lambda: gate.pass_through(None)) if position == "factory" else None,
        ),
        query("grouped", group=group),
        ParamSpec("item", Source.BODY, decode=lambda content: decode(content) if decode else content),
        param("after", Source.COOKIE, Kind.INT),
    )


@pytest.mark.parametrize("order", [1, -1], ids=["first in, first out", "last in, first out"])
@pytest.mark.parametrize("position", ["check", "factory", "group", "decode"])
def test_interleaved_binds(position: str, order: int) -> None:
    async def main() -> None:
        gate, app = Gate(), Application()
        received: dict[int, tuple[Any, ...]] = {}

        async def handler(request: _core.Request, before: int, *rest: Any) -> str:
            received[before] = (request.query, request.params, *rest)
            return "ok"

        app.add("/{segment}", handler, *params_with(position, gate), method="POST")
        async with serve(app) as service:
            clients = [await service.connect() for _ in range(COUNT)]
            for n, client in enumerate(clients):
                target = f"/s{n}?before={n}&list={n}&list={n + 1}&g={n}"
                client.writer.write(
                    raw_request(target, method="POST", body=b"%d" % n, headers=(("Cookie", f"after={n}"),))
                )
            await until(lambda: len(gate.waiting) == COUNT)
            assert received == {}
            for future in gate.waiting[::order]:
                future.set_result(None)
            for client in clients:
                assert (await client.receive()).status == 200, app.hooks.exceptions
        assert received == {
            n: (
                {"before": n, "list": [n, n + 1], "g": n},
                {"segment": f"s{n}"},
                f"s{n}",
                [n, n + 1],
                None,
                {"g": n},
                b"%d" % n,
                n,
            )
            for n in range(COUNT)
        }

    run_on(main())
    _core.drain_workers()


def test_the_peer_leaves_meanwhile() -> None:
    """The exchange stays open until its request ends, so the rest of the bind reads intact octets."""

    async def main() -> None:
        gate, app = Gate(), Application()
        received: list[Any] = []

        async def handler(*arguments: Any) -> str:
            received.append(arguments[1:])
            return "ok"

        app.add("/{segment}", handler, *params_with("check", gate), method="POST", cancel_on_disconnect=False)
        async with serve(app) as service:
            client = await service.connect()
            headers = (("Cookie", "after=3"),)
            client.writer.write(raw_request("/s?before=1&list=2&g=4", method="POST", body=b"5", headers=headers))
            await until(lambda: gate.waiting)
            await client.close()
            await until(lambda: service.server.stats()["closed"] == 1)
            gate.waiting[0].set_result(None)
            await until(lambda: received)
        assert received == [(1, "s", [2], None, {"g": 4}, b"5", 3)]

    run_on(main())
    _core.drain_workers()
