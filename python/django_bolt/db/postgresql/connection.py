"""A psycopg connection that waits in workers.

psycopg separates protocol from waiting: every operation is a generator that yields "readable" or "writable" and is sent
what became ready. Here the event loop's reader callback drives that generator directly, and the worker that asked is
woken once, when the generator is done.
"""

from __future__ import annotations

import asyncio
import ipaddress
import select
import socket
from collections import deque
from collections.abc import Callable, Generator
from typing import Any

import psycopg
from psycopg import capabilities, errors, waiting
from psycopg.pq import ConnStatus, TransactionStatus

from django_bolt import _core

CANCEL_TIMEOUT_S = 5.0
FIRST_CANCEL_PATIENCE_S = 0.05

_stock_wait_conn = waiting.wait_conn


class _Readiness:
    """Waits for a changing file descriptor: connecting, and sending a cancel request."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def wait(self, fd: int, events: int, deadline: float | None) -> int:
        """Which events are ready; _WaitTimeout after the deadline. Only in a worker."""
        future: asyncio.Future[int | None] = self.loop.create_future()

        def ready(mask: int | None) -> None:
            if not future.done():
                future.set_result(mask)

        handle = self.loop.call_at(deadline, ready, None) if deadline is not None else None
        if events & waiting.WAIT_R:
            self.loop.add_reader(fd, ready, waiting.READY_R)
        if events & waiting.WAIT_W:
            self.loop.add_writer(fd, ready, waiting.READY_W)
        try:
            mask = _core.wait(future)
        finally:
            if events & waiting.WAIT_R:
                self.loop.remove_reader(fd)
            if events & waiting.WAIT_W:
                self.loop.remove_writer(fd)
            if handle is not None:
                handle.cancel()
        if mask is None:
            raise errors._WaitTimeout("wait timeout expired")
        return mask


def _wait_conn(gen: Generator[Any, Any, Any], interval: float = 0.0, timeout: float | None = None) -> Any:
    """Replaces ``psycopg.waiting.wait_conn``: waits in the worker when there is one."""
    if not _core.in_worker():
        return _stock_wait_conn(gen, interval, timeout)
    loop = asyncio.get_running_loop()
    readiness = _Readiness(loop)
    deadline = loop.time() + timeout if timeout else None
    try:
        fd, events = next(gen)
        while True:
            fd, events = gen.send(readiness.wait(fd, events, deadline))
    except StopIteration as stop:
        return stop.value


waiting.wait_conn = _wait_conn


def resolve_host(params: dict[str, Any]) -> None:
    """Look up ``host`` without blocking and pass the addresses to libpq as ``hostaddr``. Only in a worker.

    Left to libpq: UNIX sockets, literal addresses, host lists, services, and names the resolver does not know
    (libpq's error text is the familiar one).
    """
    host = params.get("host")
    if not host or "hostaddr" in params or host.startswith(("/", "@")) or "," in host:
        return
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return
    loop = asyncio.get_running_loop()
    try:
        infos = _core.await_(loop.getaddrinfo(host, params.get("port") or 5432, type=socket.SOCK_STREAM))
    except socket.gaierror:
        return
    addresses = list(dict.fromkeys(str(info[4][0]) for info in infos))
    params["hostaddr"] = ",".join(addresses)
    params["host"] = ",".join([host] * len(addresses))
    if params.get("port"):
        params["port"] = ",".join([str(params["port"])] * len(addresses))


class WorkerConnection(psycopg.Connection[Any]):
    """Belongs to one event loop; operations wait in the worker that calls them.

    ``stale`` connections are never reused: the server closed them, or a cancel request may still be under way.
    """

    stale = False
    #: time zone a wrapper asked for last, and how the server spells it
    session_zone: tuple[str | None, bytes | None] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fd = -1
        self._poll: select.poll | None = None
        self._writing = False
        self._operation: Generator[Any, Any, Any] | None = None
        self._done: asyncio.Future[Any] | None = None
        self._deferred: deque[Generator[Any, Any, Any]] = deque()
        if _core.in_worker():
            self.lock = _core.Lock()

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        if not _core.in_worker():
            self._unwatch()
            return super().wait(gen, interval, timeout)
        try:
            while self._deferred and self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                self._wait_in_worker(self._deferred.popleft(), None)
            return self._wait_in_worker(gen, timeout)
        except BaseException as exc:
            if not isinstance(exc, Exception) and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self._cancel_and_drain(gen)
            raise

    def close(self) -> None:
        self._unwatch()
        super().close()

    def defer(self, gen: Generator[Any, Any, Any]) -> None:
        """Run an operation of little interest before the next one, or when the connection is given back.

        Cursors are closed by finalisers, which run anywhere: in another task, in the middle of an operation, outside
        workers. They must not wait.
        """
        self._deferred.append(gen)

    def settle(self, then: Callable[[], None]) -> None:
        """The user is done: run what was deferred, on the loop, then call ``then``."""
        if not self._deferred or self.stale or self.closed:
            self._deferred.clear()
            then()
            return
        gen = self._deferred.popleft()
        try:
            events = next(gen)
        except StopIteration:
            self.settle(then)
            return
        except Exception:
            self.stale = True
            self.settle(then)
            return
        loop = self._watch()
        done = loop.create_future()
        done.add_done_callback(lambda done: self._settled(done, then))
        self._operation, self._done = gen, done
        self._want_write(bool(events & waiting.WAIT_W))

    def _settled(self, done: asyncio.Future[Any], then: Callable[[], None]) -> None:
        if done.cancelled() or done.exception() is not None:
            self.stale = True
        self.settle(then)

    def is_lendable(self) -> bool:
        """Idle, open, outside a transaction, nothing in flight."""
        return self.is_settled() and not self._deferred

    def is_usable(self) -> bool:
        """`is_lendable`, asking the socket whether the server has closed the connection since."""
        if self.is_lendable() and self._poll is not None and self._poll.poll(0):
            self._unexpected_input()
        return self.is_lendable()

    def is_settled(self) -> bool:
        """Like `is_lendable`, but `settle` may have something to do."""
        return (
            not self.stale
            and not self.closed
            and self._operation is None
            and self.pgconn.status == ConnStatus.OK
            and self.pgconn.transaction_status == TransactionStatus.IDLE
        )

    def _wait_in_worker(self, gen: Any, timeout: float | None, *, again: bool = False) -> Any:
        """``again``: an operation that was waited for before; what the server sent since may have been read."""
        try:
            events = gen.send(waiting.READY_R) if again else next(gen)
        except StopIteration as stop:
            return stop.value
        loop = self._watch()
        future: asyncio.Future[Any] = loop.create_future()
        self._operation, self._done = gen, future
        self._want_write(bool(events & waiting.WAIT_W))
        handle = loop.call_later(timeout, self._expire, future) if timeout is not None else None
        try:
            return _core.wait(future)
        finally:
            if handle is not None:
                handle.cancel()
            if self._operation is gen:
                self._operation = None
                self._want_write(False)

    def _cancel_and_drain(self, gen: Any) -> None:
        """The worker was interrupted in mid-query: stop the query in the server and read what is left of it."""
        try:
            was_cancelled, requests = self._cancel_until_drained(gen)
        except BaseException:  # cancelled again, or the server does not answer: the connection is of no more use
            self._unwatch()
            self.pgconn.finish()
            return
        if not was_cancelled or requests > 1:
            self.stale = True  # a request may still arrive and hit the next statement

    def _cancel_until_drained(self, gen: Any) -> tuple[bool, int]:
        """Whether the query ended by cancellation, and after how many requests.

        The server ignores a request that overtakes the query, so it is repeated. Raises _WaitTimeout.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + CANCEL_TIMEOUT_S
        patience_s, requests = FIRST_CANCEL_PATIENCE_S, 0
        while True:
            requests += 1
            self._request_cancel()
            try:
                self._wait_in_worker(gen, patience_s, again=True)
                return False, requests
            except errors.QueryCanceled:
                return True, requests
            except errors._WaitTimeout:
                if loop.time() > deadline:
                    raise
            patience_s *= 2

    def _request_cancel(self) -> None:
        """libpq 17 sends the request without blocking; older ones need a thread for it."""
        if capabilities.has_cancel_safe():
            self.cancel_safe(timeout=CANCEL_TIMEOUT_S)
        else:
            _core.wait(asyncio.get_running_loop().run_in_executor(None, self.pgconn.get_cancel().cancel))

    # -- the event loop's side ----------------------------------------------------------------

    def _watch(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._fd = self.pgconn.socket
            self._loop.add_reader(self._fd, self._step, waiting.READY_R)
            self._poll = select.poll()
            self._poll.register(self._fd, select.POLLIN)
        return self._loop

    def _unwatch(self) -> None:
        loop, self._loop, self._poll = self._loop, None, None
        if loop is not None and not loop.is_closed():
            loop.remove_reader(self._fd)
            if self._writing:
                loop.remove_writer(self._fd)
        self._writing = False

    def _want_write(self, wanted: bool) -> None:
        if wanted == self._writing or self._loop is None:
            return
        self._writing = wanted
        if wanted:
            self._loop.add_writer(self._fd, self._step, waiting.READY_W)
        else:
            self._loop.remove_writer(self._fd)

    def _step(self, ready: int) -> None:
        gen, done = self._operation, self._done
        if gen is None or done is None:
            self._unexpected_input()
            return
        try:
            events = gen.send(ready)
        except StopIteration as stop:
            self._finish(done.set_result, stop.value)
        except BaseException as exc:
            self._finish(done.set_exception, exc)
        else:
            self._want_write(bool(events & waiting.WAIT_W))

    def _finish(self, settle: Any, value: Any) -> None:
        done = self._done
        self._operation = self._done = None
        self._want_write(False)
        if done is not None and not done.done():
            settle(value)
        if self.pgconn.status != ConnStatus.OK:
            self._unwatch()

    def _expire(self, future: asyncio.Future[Any]) -> None:
        if not future.done():
            future.set_exception(errors._WaitTimeout("wait timeout expired"))

    def _unexpected_input(self) -> None:
        """Nobody asked: a notification, a parameter change, or the server closes the connection."""
        try:
            self.pgconn.consume_input()
            alive = self.pgconn.status == ConnStatus.OK
        except errors.OperationalError:
            alive = False
        if not alive:
            self.stale = True
            self._unwatch()
