"""Every allocation of a request fails once: the client gets an answer, the next request works.

The window in which an allocation fails opens while the arguments are bound and closes in the first Python code that
runs after the handler. It must not reach a greenlet switch: greenlet ends the process when it cannot save a stack.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.python.harness import Application, Hooks, Service, run, serve

from django_bolt import _core
from django_bolt._plan import Kind, ParamSpec, Source

testcapi = pytest.importorskip("_testcapi")
ALLOCATIONS = 120


class Window:
    """Where the allocation `number` fails."""

    def __init__(self) -> None:
        self.number = sys.maxsize

    def open(self) -> int:
        """The default factory of a parameter."""
        if self.number < sys.maxsize:
            testcapi.set_nomemory(self.number, self.number + 1)
        return 0

    def close(self) -> None:
        testcapi.remove_mem_hooks()


window = Window()
OPENING = ParamSpec("opening", Source.QUERY, "opening", Kind.INT, required=False, default_factory=window.open)
NAME = ParamSpec("name", Source.QUERY, "name")
REQUEST = ParamSpec("request", Source.REQUEST)


class Closing(Hooks):
    """Closes the window before anything else."""

    def handle_exception(self, exc: BaseException, request: _core.Request, meta: Any) -> Any:
        window.close()
        return 500, [("x-error", type(exc).__name__)], b"answered"

    def finalize(self, result: Any, request: _core.Request, meta: Any) -> Any:
        window.close()
        return 200, [], b"finalized"

    def encode_fallback(self, value: Any) -> Any:
        window.close()
        return "encoded"


def application() -> Application:
    app = Application(Closing())

    @app.get("/json", OPENING, NAME, REQUEST)
    async def json(opening: int, name: str, request: _core.Request) -> dict[str, object]:
        return {"value": object(), "name": name}

    @app.get("/finalize", OPENING, NAME)
    def finalize(opening: int, name: str) -> object:
        return object()

    @app.get("/suspend", OPENING, NAME)
    async def suspend(opening: int, name: str) -> str:
        await asyncio.sleep(0)
        return "resumed"

    return app


def closing_before_call_soon() -> Callable[..., Any]:
    """loop.call_soon that closes the window: the loop's own allocations are not ours to fail."""
    call_soon = asyncio.get_running_loop().call_soon

    def call(*args: Any, **kwargs: Any) -> Any:
        window.close()
        return call_soon(*args, **kwargs)

    return call


@pytest.mark.parametrize("path", ["/json?name=x", "/finalize?name=x", "/suspend?name=x"])
def test_every_allocation_fails_once(path: str) -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon = closing_before_call_soon()  # type: ignore[method-assign]
        async with serve(application()) as service:
            await every_allocation(service)

    async def every_allocation(service: Service) -> None:
        client = await service.connect()
        good = (await client.request(path)).content
        contents = []
        for number in range(ALLOCATIONS):
            window.number = number
            response = await client.request(path)
            window.number = sys.maxsize
            assert response.status == 200 or response.headers["x-error"] == "MemoryError"
            contents.append(response.content)
            assert service.server.pending() == []
            assert (await client.request(path)).content == good
        assert b"answered" in contents
        assert contents[-1] == good

    run(main())
