"""The green runtime: sync code that waits in a worker while the event loop goes on."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
import types
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from django_bolt import _core

Runner = Callable[[Coroutine[Any, Any, Any]], Any]
variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Runner:
    factory = asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop

    def run(coro: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=factory, debug=False) as runner:
            try:
                return runner.run(coro)
            finally:
                _core.drain_workers()

    return run


def later(value: object) -> asyncio.Future[object]:
    """A future of the running loop that is done two turns of the loop from now."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_soon(loop.call_soon, lambda: future.done() or future.set_result(value))
    return future


def test_spawn_returns_what_the_function_returns(run: Runner) -> None:
    def function(a: int, *, b: int) -> tuple[int, int, bool]:
        return a, b, _core.in_worker()

    async def main() -> None:
        assert not _core.in_worker()
        assert await _core.spawn(function, 1, b=2) == (1, 2, True)
        assert not _core.in_worker()

    run(main())


def test_spawn_waits_and_the_loop_goes_on(run: Runner) -> None:
    order: list[str] = []

    def function() -> object:
        order.append("before")
        value = _core.wait(later(7))
        order.append("after")
        return value

    async def other() -> None:
        await asyncio.sleep(0)
        order.append("other")

    async def main() -> None:
        task = asyncio.create_task(other())
        assert await _core.spawn(function) == 7
        await task

    run(main())
    assert order == ["before", "other", "after"]


def test_wait_on_a_done_future_does_not_switch(run: Runner) -> None:
    async def main() -> None:
        future = asyncio.get_running_loop().create_future()
        future.set_result(3)
        assert await _core.spawn(_core.wait, future) == 3

    run(main())


def test_wait_raises_the_futures_exception(run: Runner) -> None:
    def function() -> str:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.set_exception, KeyError("x"))
        try:
            _core.wait(future)
        except KeyError:
            return "caught"
        return "missed"

    async def main() -> None:
        assert await _core.spawn(function) == "caught"

    run(main())


def test_exceptions_come_out_with_their_traceback(run: Runner) -> None:
    def function() -> None:
        _core.wait(later(1))
        raise ValueError("boom")

    async def main() -> None:
        with pytest.raises(ValueError, match="boom") as caught:
            await _core.spawn(function)
        assert [entry.name for entry in caught.traceback][-1] == "function"

    run(main())


def test_cancellation_is_delivered_where_the_code_waits(run: Runner) -> None:
    seen: list[str] = []

    def function() -> None:
        try:
            _core.wait(asyncio.get_running_loop().create_future())
        except asyncio.CancelledError:
            seen.append("cancelled")
            _core.wait(later(1))  # cleaning up may wait again
            seen.append("cleaned")
            raise

    async def main() -> None:
        task = asyncio.create_task(wrap(_core.spawn(function)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    run(main())
    assert seen == ["cancelled", "cleaned"]


async def wrap(awaitable: Any) -> Any:
    return await awaitable


def test_timeout_interrupts_a_wait(run: Runner) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await _core.spawn(lambda: _core.wait(asyncio.get_running_loop().create_future()))
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    run(main())


def test_contextvars_and_current_task_are_the_callers(run: Runner) -> None:
    def function() -> tuple[str, Any]:
        seen = variable.get()
        _core.wait(later(1))
        variable.set("changed")
        return seen, asyncio.current_task()

    async def main() -> None:
        variable.set("mine")
        seen, task = await _core.spawn(function)
        assert seen == "mine"
        assert task is asyncio.current_task()
        assert variable.get() == "changed"

    run(main())


def test_many_workers_interleave_without_threads(run: Runner) -> None:
    threads = threading.active_count()

    def function(n: int) -> int:
        assert variable.get() == "unset"
        variable.set(str(n))
        for _ in range(5):
            _core.wait(later(n))
            assert variable.get() == str(n)
        return n

    async def main() -> None:
        tasks = [asyncio.create_task(wrap(_core.spawn(function, n))) for n in range(300)]
        assert await asyncio.gather(*tasks) == list(range(300))
        assert threading.active_count() == threads

    run(main())


def test_await_runs_a_coroutine_from_sync_code(run: Runner) -> None:
    async def inner(n: int) -> int:
        await asyncio.sleep(0)
        await later(1)
        async with asyncio.timeout(5):
            return n + 1

    @types.coroutine
    def old_style() -> Any:
        yield from later(5).__await__()
        return 6

    def function() -> tuple[int, object, object]:
        return _core.await_(inner(1)), _core.await_(later(9)), _core.await_(old_style())

    async def main() -> None:
        assert await _core.spawn(function) == (2, 9, 6)
        with pytest.raises(TypeError, match="can't be awaited"):
            await _core.spawn(_core.await_, 5)

    run(main())


def test_await_passes_exceptions_into_the_coroutine(run: Runner) -> None:
    async def inner() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            return "stopped"
        return "missed"

    async def main() -> None:
        task = asyncio.create_task(wrap(_core.spawn(_core.await_, inner())))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        assert await task == "stopped"

    run(main())


def test_nested_spawn_is_a_plain_call(run: Runner) -> None:
    async def inner() -> str:
        return await _core.spawn(lambda: _core.wait(later("deep")))

    async def main() -> None:
        assert await _core.spawn(lambda: _core.await_(inner())) == "deep"

    run(main())


def test_waiting_outside_a_worker_says_what_to_do() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="outside a worker"):
            _core.wait(asyncio.get_running_loop().create_future())
        with pytest.raises(RuntimeError, match="outside a worker"):
            _core.yield_()

    asyncio.run(main())


def test_driven_tasks_may_wait_in_sync_code(run: Runner) -> None:
    def factory(loop: asyncio.AbstractEventLoop, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        return asyncio.Task(_core.drive(coro), loop=loop, **kwargs)

    async def child(n: int) -> object:
        first = _core.wait(later(n))
        await asyncio.sleep(0)
        assert asyncio.current_task() is not None
        return first, _core.wait(later(n + 1))

    async def failing() -> None:
        _core.wait(later(0))
        raise LookupError

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(factory)
        assert await asyncio.gather(child(1), child(10)) == [(1, 2), (10, 11)]
        with pytest.raises(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                task = group.create_task(child(5))
                group.create_task(failing())
        assert task.done()
        task = asyncio.create_task(child(1))
        assert task.get_coro().__name__ == "child"
        await task

    run(main())


def test_a_driven_task_is_cancelled_in_its_sync_wait(run: Runner) -> None:
    async def child() -> str:
        try:
            _core.wait(asyncio.get_running_loop().create_future())
        except asyncio.CancelledError:
            return "cancelled"
        return "missed"

    async def main() -> None:
        task = asyncio.create_task(_core.drive(child()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        assert await task == "cancelled"

    run(main())


def test_close_ends_code_that_waits(run: Runner) -> None:
    ended: list[str] = []

    def function() -> None:
        try:
            _core.wait(asyncio.get_running_loop().create_future())
        finally:
            ended.append("finally")

    async def main() -> None:
        spawned = _core.spawn(function)
        spawned.send(None)
        spawned.close()
        assert ended == ["finally"]
        with pytest.raises(RuntimeError, match="already awaited"):
            spawned.send(None)

    run(main())


def test_a_dropped_awaitable_ends_its_worker(run: Runner) -> None:
    ended: list[str] = []

    class Witness:
        pass

    refs: list[weakref.ref[Witness]] = []

    def function() -> None:
        witness = Witness()
        refs.append(weakref.ref(witness))
        try:
            _core.wait(asyncio.get_running_loop().create_future())
        except BaseException as exc:
            ended.append(type(exc).__name__)
            raise

    async def main() -> None:
        spawned = _core.spawn(function)
        spawned.send(None)
        del spawned
        gc.collect()

    run(main())
    assert ended == ["GreenletExit"]
    assert refs[0]() is None


def test_yield_lets_ready_callbacks_run(run: Runner) -> None:
    async def main() -> None:
        seen: list[int] = []
        asyncio.get_running_loop().call_soon(seen.append, 1)

        def function() -> list[int]:
            _core.yield_()
            return list(seen)

        assert await _core.spawn(function) == [1]

    run(main())


def test_lock_is_first_in_first_out(run: Runner) -> None:
    order: list[int] = []
    lock = _core.Lock()

    def function(n: int) -> None:
        with lock:
            assert lock.locked()
            _core.wait(later(n))
            order.append(n)

    async def main() -> None:
        await asyncio.gather(*(wrap(_core.spawn(function, n)) for n in range(20)))
        assert order == list(range(20))
        assert not lock.locked()

    run(main())


def test_a_cancelled_waiter_leaves_the_queue(run: Runner) -> None:
    lock = _core.Lock()
    held: list[int] = []

    def function(n: int, gate: asyncio.Future[None]) -> None:
        with lock:
            held.append(n)
            _core.wait(gate)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        gates = [loop.create_future() for _ in range(3)]
        tasks = [asyncio.create_task(wrap(_core.spawn(function, n, gates[n]))) for n in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks[1].cancel()
        gates[0].set_result(None)
        gates[2].set_result(None)
        await tasks[2]
        with pytest.raises(asyncio.CancelledError):
            await tasks[1]
        assert held == [0, 2]
        assert not lock.locked()

    run(main())


def test_a_waiter_cancelled_after_the_hand_over_passes_the_lock_on(run: Runner) -> None:
    lock = _core.Lock()
    held: list[str] = []
    tasks: dict[str, asyncio.Task[None]] = {}

    def hold(gate: asyncio.Future[None]) -> None:
        with lock:
            _core.wait(gate)
        tasks["second"].cancel()  # it owns the lock now, but has not run yet

    def take(name: str) -> None:
        with lock:
            held.append(name)

    async def main() -> None:
        gate = asyncio.get_running_loop().create_future()
        first = asyncio.create_task(wrap(_core.spawn(hold, gate)))
        await asyncio.sleep(0)
        for name in ("second", "third"):
            tasks[name] = asyncio.create_task(wrap(_core.spawn(take, name)))
        await asyncio.sleep(0)
        gate.set_result(None)
        await first
        await tasks["third"]
        with pytest.raises(asyncio.CancelledError):
            await tasks["second"]
        assert held == ["third"]

    run(main())


def test_lock_refuses_reentry_and_foreign_code() -> None:
    lock = _core.Lock()
    with lock, pytest.raises(RuntimeError, match="not reentrant"):
        lock.acquire()
    with pytest.raises(RuntimeError, match="unlocked"):
        lock.release()


def test_each_thread_has_its_own_workers() -> None:
    results: list[object] = []

    def thread() -> None:
        async def main() -> object:
            return await _core.spawn(lambda: _core.wait(later(threading.get_ident())))

        results.append(asyncio.run(main()) == threading.get_ident())

    for _ in range(2):
        threads = [threading.Thread(target=thread) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    assert results == [True] * 16


def test_nothing_is_leaked(run: Runner) -> None:
    def waits() -> object:
        return _core.wait(later(1))

    async def main() -> None:
        async def round_trip(n: int) -> None:
            for _ in range(n):
                await _core.spawn(waits)
                await asyncio.create_task(_core.drive(wrap(_core.spawn(waits))))

        await round_trip(50)
        gc.collect()
        before = len(gc.get_objects())
        await round_trip(500)
        gc.collect()
        assert abs(len(gc.get_objects()) - before) < 50

    run(main())
