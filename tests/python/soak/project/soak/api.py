"""One route for each way a request can live: answered at once, suspended in every manner, refused, failing.

Every answer is a function of the request, so a client can tell a right answer from somebody else's.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import msgspec

from django_bolt import BoltAPI, Request
from django_bolt.exceptions import HTTPException
from django_bolt.responses import HTML
from soak.introspection import remember_server, snapshot


@asynccontextmanager
async def _one_thread(api: BoltAPI) -> AsyncIterator[None]:
    """An executor that is complete after its first use, so that the number of threads says something."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        asyncio.get_running_loop().set_default_executor(executor)
        yield


remember_server()
api = BoltAPI(lifespan=_one_thread)
_children: set[asyncio.Task[int]] = set()
_current: contextvars.ContextVar[int] = contextvars.ContextVar("current")


class Point(msgspec.Struct):
    """A body."""

    x: int
    y: int
    label: str


@api.get("/state")
async def state() -> dict[str, object]:
    return snapshot()


# -- answered at once -----------------------------------------------------------------------------------------------


@api.get("/sync/{n}")
def sync(n: int) -> dict[str, int]:
    return {"n": n}


@api.get("/immediate/{n}")
async def immediate(n: int) -> dict[str, int]:
    return {"n": n}


@api.get("/large/{n}")
async def large(n: int, size: int = 10_000) -> dict[str, object]:
    return {"n": n, "fill": (f"{n:08d}" * (size // 8 + 1))[:size]}


# -- suspended ------------------------------------------------------------------------------------------------------


@api.get("/sleep/{n}")
async def sleep(n: int, ms: int = 1) -> dict[str, int]:
    await asyncio.sleep(ms / 1000)
    return {"n": n}


@api.get("/zero/{n}")
async def zero(n: int) -> dict[str, int]:
    for _ in range(n % 5 + 1):
        await asyncio.sleep(0)
    return {"n": n}


@api.get("/future/{n}")
async def future(n: int) -> dict[str, int]:
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[int] = loop.create_future()
    # Both may be due in one turn of the loop, and then cancellation has marked the future first.
    loop.call_later(0.002, lambda: waiter.done() or waiter.set_result(n))
    return {"n": await waiter}


@api.get("/group/{n}")
async def group(n: int) -> dict[str, int]:
    async def child(value: int) -> int:
        await asyncio.sleep(0.001)
        return value

    async with asyncio.TaskGroup() as tasks:
        children = [tasks.create_task(child(n + i)) for i in range(3)]
    return {"n": sum(task.result() for task in children) - 2 * n - 3}


@api.get("/timeout/{n}")
async def timeout(n: int) -> dict[str, int]:
    try:
        async with asyncio.timeout(0.002):
            await asyncio.Event().wait()
    except TimeoutError:
        return {"n": n}
    raise AssertionError("not reached")


@api.get("/thread/{n}")
async def thread(n: int) -> dict[str, int]:
    return {"n": await asyncio.to_thread(int, str(n))}


@api.get("/context/{n}")
async def context(n: int) -> dict[str, int]:
    _current.set(n)
    await asyncio.sleep(0.001)
    return {"n": _current.get()}


@asynccontextmanager
async def _resource() -> AsyncIterator[None]:
    try:
        yield
    finally:
        await asyncio.sleep(0)


@api.get("/cleanup/{n}")
async def cleanup(n: int) -> dict[str, int]:
    async with _resource():
        await asyncio.sleep(0.001)
    return {"n": n}


# -- with content ---------------------------------------------------------------------------------------------------


@api.post("/body/{n}")
async def body(n: int, point: Point) -> dict[str, object]:
    return {"n": n, "sum": point.x + point.y, "label": point.label}


@api.post("/digest/{n}")
async def digest(request: Request, n: int) -> dict[str, object]:
    before = hashlib.sha256(request.body).hexdigest()
    await asyncio.sleep(0)
    return {"n": n, "sha256": hashlib.sha256(request.body).hexdigest(), "same": before}


# -- refused and failing --------------------------------------------------------------------------------------------


@api.get("/refused/{n}")
async def refused(n: int) -> dict[str, int]:
    raise HTTPException(status_code=418, detail=f"refused {n}")


@api.get("/page/{n}")
async def page(n: int) -> HTML:
    await asyncio.sleep(0)
    return HTML(f"<p>{n}</p>", headers={"x-number": str(n)})


@api.get("/unencodable/{n}")
async def unencodable(n: int) -> dict[str, object]:
    return {"n": n, "object": object()}


@api.get("/kept/{n}")
async def kept(request: Request, n: int) -> dict[str, int]:
    """The request and its task outlive the answer, in a cycle that only the collector can take apart."""
    cycle: dict[str, object] = {"request": request, "task": asyncio.current_task()}
    cycle["self"] = cycle
    request.state["cycle"] = cycle
    return {"n": n}


@api.get("/background/{n}")
async def background(n: int) -> dict[str, int]:
    """A child outlives the request."""
    child = asyncio.create_task(asyncio.sleep(0.002, n))
    _children.add(child)
    child.add_done_callback(_children.discard)
    return {"n": n}


@api.get("/failing/{n}")
async def failing(n: int) -> dict[str, int]:
    await asyncio.sleep(0)
    raise ValueError(n)
