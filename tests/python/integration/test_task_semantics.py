"""A request is an asyncio.Task to everyone who looks, although none is created for it.

Each handler asserts from the inside what asyncio promises to a task; what it raises fails the test. Every handler
is called several times, because the interesting mistakes are a task object that is reused too early and state left
over in it.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import io
import sys
import types
import weakref
from collections.abc import Generator
from typing import Any

import anyio
import pytest
from tests.python.harness import Application, serve, until

from django_bolt import _core

TIMES = 3  # how often `answers` calls a handler
variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def current() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def read_variable() -> str:
    return variable.get()


# ---- identity ---------------------------------------------------------------------------------


def test_current_task_is_the_same_before_and_after_suspensions(answers: Any) -> None:
    async def handler() -> str:
        task = current()
        assert isinstance(task, asyncio.Task)
        assert isinstance(task, _core.RequestTask)
        assert asyncio.isfuture(task)
        await asyncio.sleep(0)
        assert current() is task
        await asyncio.sleep(0.001)
        assert current() is task
        assert not task.done()
        assert not task.cancelled()
        assert task.get_loop() is asyncio.get_running_loop()
        assert task.get_coro().cr_code is handler.__code__
        return "ok"

    assert answers(handler)


def test_introspection(answers: Any) -> None:
    async def handler() -> dict[str, Any]:
        task = current()
        name = task.get_name()
        assert name.startswith("Request-")
        assert f"RequestTask pending name='{name}'" in repr(task)
        assert "handler" in repr(task)
        await asyncio.sleep(0)
        task.set_name("mine")
        assert task.get_name() == "mine"
        waiter = asyncio.get_running_loop().create_future()
        seen: dict[str, bool] = {}

        def look() -> None:
            (frame,) = task.get_stack()
            text = io.StringIO()
            task.print_stack(file=text)
            seen["frame"] = frame.f_code is handler.__code__
            seen["printed"] = "in handler" in text.getvalue()
            seen["waiting"] = "wait_for=<" in repr(task)
            waiter.set_result(None)

        asyncio.get_running_loop().call_soon(look)
        await waiter
        return seen

    assert answers(handler) == [{"frame": True, "printed": True, "waiting": True}] * TIMES


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Task.get_context() is new in 3.12")
def test_get_context_is_the_running_context(answers: Any) -> None:
    async def handler() -> str:
        variable.set("seen from outside")
        context = current().get_context()  # type: ignore[attr-defined]
        assert context[variable] == "seen from outside"
        return "ok"

    assert answers(handler)


def test_a_kept_task_is_finished_and_never_reused(answers: Any) -> None:
    kept: list[asyncio.Task[Any]] = []

    async def handler() -> dict[str, int]:
        task = current()
        assert not any(task is other for other in kept)
        kept.append(task)
        return {"n": len(kept)}

    assert answers(handler) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert [task.result() for task in kept] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert all(task.done() and not task.cancelled() for task in kept)


def test_a_weakly_kept_task_is_never_reused(answers: Any) -> None:
    seen: weakref.WeakKeyDictionary[asyncio.Task[Any], int] = weakref.WeakKeyDictionary()

    async def handler() -> str:
        assert current() not in seen
        seen[current()] = 1
        return "ok"

    assert answers(handler)
    gc.collect()
    assert not seen


def test_a_task_with_attributes_is_never_reused(answers: Any) -> None:
    async def handler() -> str:
        assert not hasattr(current(), "mine")
        current().mine = 1  # type: ignore[attr-defined]
        return "ok"

    assert answers(handler)


def test_an_untouched_task_is_reused(run: Any) -> None:
    async def main() -> None:
        app = Application()

        @app.get("/")
        async def handler() -> dict[str, bool]:
            return {"task": isinstance(asyncio.current_task(), _core.RequestTask)}

        async with serve(app) as service:
            client = await service.connect()
            for _ in range(20):
                assert (await client.request("/")).json() == {"task": True}
            assert service.server.stats()["retired"] == 0
            assert service.server.stats()["promoted"] == 0

    run(main())


def test_current_task_outside_requests_is_untouched(run: Any) -> None:
    async def main() -> None:
        app = Application()
        outside: list[object] = []

        @app.get("/")
        async def handler() -> str:
            asyncio.get_running_loop().call_soon(lambda: outside.append(asyncio.current_task()))
            await asyncio.sleep(0)
            return "ok"

        async with serve(app) as service:
            for _ in range(TIMES):
                await service.get("/")
                assert current().get_coro().cr_code is main.__code__
        assert outside == [None] * TIMES

    run(main())


def test_pending_requests_are_in_all_tasks(run: Any) -> None:
    async def main() -> None:
        app = Application()
        gate = asyncio.get_running_loop().create_future()

        @app.get("/")
        async def handler() -> dict[str, bool]:
            await gate
            return {"listed": current() in asyncio.all_tasks()}

        async with serve(app) as service:
            client = await service.connect()
            client.send("/")
            await until(service.server.pending)
            (task,) = service.server.pending()
            assert task in asyncio.all_tasks()
            gate.set_result(None)
            assert (await client.receive()).json() == {"listed": True}
            assert task not in asyncio.all_tasks()

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are new in 3.12")
def test_eager_task_factory(run: Any) -> None:
    def factory(loop: Any, coro: Any, *, name: Any = None, context: Any = None, **ignored: Any) -> Any:
        return asyncio.Task(coro, loop=loop, name=name, context=context, eager_start=True)  # type: ignore[call-arg]

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(factory)
        app = Application()

        @app.get("/")
        async def handler() -> dict[str, bool]:
            before = current()
            child = asyncio.create_task(read_variable())
            assert child.done()
            assert current() is before
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(0.001))
            return {"same": current() is before}

        async with serve(app) as service:
            for _ in range(TIMES):
                assert (await service.get("/")).json() == {"same": True}

    run(main())


# ---- contextvars ------------------------------------------------------------------------------


def test_every_request_has_its_own_context(answers: Any) -> None:
    async def handler() -> str:
        assert variable.get() == "unset"
        variable.set("A")
        await asyncio.sleep(0)
        assert variable.get() == "A"
        await asyncio.sleep(0.001)
        assert variable.get() == "A"
        assert await asyncio.create_task(read_variable()) == "A"
        variable.set("B")
        return "ok"

    assert answers(handler)


def test_a_request_that_never_suspends_leaks_no_context(answers: Any) -> None:
    async def handler() -> str:
        assert variable.get() == "unset"
        variable.set("leaked")
        return "ok"

    assert answers(handler)


def test_sync_handlers_have_their_own_context_and_a_task(answers: Any) -> None:
    kept = []

    def handler() -> str:
        assert variable.get() == "unset"
        variable.set("leaked")
        assert isinstance(current(), _core.RequestTask)
        assert "RequestTask pending" in repr(current())
        kept.append(current())
        return "ok"

    assert answers(handler)
    assert all("RequestTask finished" in repr(task) for task in kept)


def test_requests_start_from_the_context_of_the_server(run: Any) -> None:
    async def main() -> None:
        variable.set("application")
        app = Application()

        @app.get("/")
        async def handler() -> str:
            return variable.get()

        async with serve(app) as service:
            variable.set("changed later")
            assert (await service.get("/")).content == b"application"

    run(main())


# ---- waiting ----------------------------------------------------------------------------------


def test_timeout_entered_before_the_first_suspension(answers: Any) -> None:
    async def handler() -> str:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.005):
                await asyncio.sleep(5)
        assert current().cancelling() == 0
        return "ok"

    assert answers(handler)


def test_wait_for(answers: Any) -> None:
    async def handler() -> str:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.sleep(5), 0.005)
        return await asyncio.wait_for(read_variable(), 5)

    assert answers(handler)


def test_task_group(answers: Any) -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError

    async def handler() -> dict[str, Any]:
        with pytest.raises(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())
                await asyncio.sleep(5)
        assert current().cancelling() == 0
        async with asyncio.TaskGroup() as group:
            child = group.create_task(read_variable())
        return {"child": child.result()}

    assert answers(handler) == [{"child": "unset"}] * TIMES


def test_gather(answers: Any) -> None:
    async def handler() -> list[str]:
        return await asyncio.gather(read_variable(), read_variable())

    assert answers(handler) == [["unset", "unset"]] * TIMES


def test_shield(answers: Any) -> None:
    async def handler() -> dict[str, int]:
        return {"result": await asyncio.shield(asyncio.create_task(asyncio.sleep(0.001, 7)))}

    assert answers(handler) == [{"result": 7}] * TIMES


def test_anyio_scopes(answers: Any) -> None:
    async def handler() -> dict[str, bool]:
        with anyio.move_on_after(0.005) as scope:
            await anyio.sleep(5)
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0.001)
        await anyio.lowlevel.checkpoint()
        return {"caught": scope.cancelled_caught}

    assert answers(handler) == [{"caught": True}] * TIMES


def test_exception_of_an_awaited_future(answers: Any) -> None:
    async def handler() -> str:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.set_exception, KeyError("x"))
        with pytest.raises(KeyError):
            await future
        return "ok"

    assert answers(handler)


def test_a_finished_future_does_not_suspend(run: Any) -> None:
    async def main() -> None:
        app = Application()

        @app.get("/")
        async def handler() -> dict[str, int]:
            future = asyncio.get_running_loop().create_future()
            future.set_result(3)
            return {"result": await future}

        async with serve(app) as service:
            assert (await service.get("/")).json() == {"result": 3}
            assert service.server.stats()["promoted"] == 0

    run(main())


def test_sleep_zero_lets_everything_scheduled_before_run_first(answers: Any) -> None:
    async def handler() -> dict[str, list[str]]:
        order: list[str] = []

        async def child() -> None:
            order.append("child")

        loop = asyncio.get_running_loop()
        loop.call_soon(order.append, "callback")
        task = loop.create_task(child())
        await asyncio.sleep(0)
        order.append("handler")
        await task
        return {"order": order}

    assert answers(handler) == [{"order": ["callback", "child", "handler"]}] * TIMES


def test_requests_of_one_batch_that_sleep_zero_keep_that_order(run: Any) -> None:
    async def main() -> None:
        app = Application()

        @app.get("/")
        async def handler() -> dict[str, bool]:
            started = False

            async def child() -> None:
                nonlocal started
                started = True

            task = asyncio.create_task(child())
            await asyncio.sleep(0)
            seen = started
            await task
            return {"started": seen}

        async with serve(app) as service:
            clients = [await service.connect() for _ in range(20)]
            for client in clients:
                client.send("/")
            for client in clients:
                assert (await client.receive()).json() == {"started": True}

    run(main())


@types.coroutine
def yield_value(value: object) -> Generator[object, Any, Any]:
    return (yield value)


def test_bad_yields_are_thrown_into_the_handler(answers: Any) -> None:
    async def handler() -> str:
        with pytest.raises(RuntimeError, match="bad yield: 5"):
            await yield_value(5)
        with pytest.raises(RuntimeError, match="yield was used instead of yield from"):
            await yield_value(asyncio.get_running_loop().create_future())
        with pytest.raises(RuntimeError, match="cannot await on itself"):
            await current()
        with pytest.raises(RuntimeError, match="attached to a different loop"):
            other = asyncio.new_event_loop()
            try:
                await other.create_future()
            finally:
                other.close()
        assert await yield_value(None) is None
        return "ok"

    assert answers(handler)


def test_many_suspensions_of_many_requests(run: Any) -> None:
    async def main() -> None:
        app = Application()

        @app.get("/")
        async def handler() -> dict[str, int]:
            for _ in range(5):
                await asyncio.sleep(0)
            await asyncio.gather(*(asyncio.sleep(0) for _ in range(3)))
            return {"task": id(current())}

        async with serve(app) as service:
            responses = await asyncio.gather(*(service.get("/") for _ in range(50)))
            assert [response.status for response in responses] == [200] * 50
            assert service.server.stats()["promoted"] == 50
            assert service.server.pending() == []

    run(main())
