"""A pool of physical connections for the tasks of one event loop.

A connection is borrowed for the time a cursor or a transaction is open, so a handler that computes or awaits something
else holds none. Whoever finds the pool exhausted waits in its worker, first come first served, and after ``timeout``
seconds gets an error that names the holders.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from django.db.utils import OperationalError

from django_bolt import _core

C = TypeVar("C")


class Holder(Protocol):
    """Who borrows: describes itself in the error of somebody who waited in vain."""

    def describe_holder(self) -> str: ...


class PoolTimeout(OperationalError):
    """No connection became free in time."""


class Pool(Generic[C]):
    """Physical connections of one database alias on one event loop. Not thread-safe: it belongs to the loop's
    thread."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, alias: str, *, max_size: int, timeout: float, close: Callable[[C], None]
    ) -> None:
        self.loop = loop
        self.thread = threading.get_ident()
        self.closed = False
        self._close = close
        self.alias = alias
        self.max_size = max_size
        self.timeout = timeout
        self.size = 0
        self._idle: list[C] = []
        self._waiters: deque[asyncio.Future[C | None]] = deque()
        self._holders: dict[int, tuple[Holder, float]] = {}

    def acquire(self, holder: Holder, connect: Callable[[], C], is_usable: Callable[[C], bool]) -> C:
        """Borrow a usable connection, or make one, or wait for one. Only in a worker.

        Raises PoolTimeout after ``timeout`` seconds, or whatever ``connect`` raises.
        """
        while True:
            connection = self._take_idle(is_usable)
            if connection is None and self.size < self.max_size:
                connection = self._connect(connect)
            if connection is None:
                connection = self._wait_for_turn()
                if connection is not None and not is_usable(connection):
                    self._forget()
                    connection = None
            if connection is not None:
                self._holders[id(connection)] = holder, time.monotonic()
                return connection

    def release(self, connection: C) -> None:
        """Give a clean connection back."""
        self._holders.pop(id(connection), None)
        if self.closed:
            self._forget()
            self._close(connection)
            return
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._idle.append(connection)

    def discard(self, connection: C) -> None:
        """A borrowed connection is gone: somebody else may make a new one."""
        self._holders.pop(id(connection), None)
        self._forget()

    def close(self) -> None:
        """Close what is idle now, and the others when they are given back."""
        self.closed = True
        while self._idle:
            connection = self._idle.pop()
            self.size -= 1
            self._close(connection)

    def _take_idle(self, is_usable: Callable[[C], bool]) -> C | None:
        while self._idle:
            connection = self._idle.pop()
            if is_usable(connection):
                return connection
            self.size -= 1
        return None

    def _connect(self, connect: Callable[[], C]) -> C:
        self.size += 1
        try:
            return connect()
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        """One connection fewer: the first waiter may connect."""
        self.size -= 1
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _wait_for_turn(self) -> C | None:
        future: asyncio.Future[C | None] = self.loop.create_future()
        self._waiters.append(future)
        handle = self.loop.call_later(self.timeout, self._expire, future)
        try:
            return _core.wait(future)
        except BaseException:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._pass_on(future.result())  # handed over and cancelled in the same turn of the loop
            raise
        finally:
            handle.cancel()

    def _pass_on(self, connection: C | None) -> None:
        if connection is not None:
            self.release(connection)
        else:
            self.size += 1  # undone by _forget, which wakes the next waiter
            self._forget()

    def _expire(self, future: asyncio.Future[C | None]) -> None:
        if not future.done():
            future.set_exception(PoolTimeout(self._describe()))

    def _describe(self) -> str:
        now = time.monotonic()
        holders = ", ".join(
            f"{holder.describe_holder()} for {now - since:.1f} s" for holder, since in self._holders.values()
        )
        return (
            f"no connection to database {self.alias!r} became free within {self.timeout:g} s: all {self.max_size} are"
            f" held by {holders or 'nobody (connecting)'}. Raise OPTIONS['pool']['max_size'], or look for a transaction"
            " or an open iterator that waits for something else"
        )
