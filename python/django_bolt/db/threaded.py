"""Backends that are not ours, in workers: each wrapper's driver calls run in a thread of its own.

Drivers like mysqlclient block inside C. In a worker their calls are made by one thread per wrapper, in order, while the
worker waits; the loop goes on. ORM code, signal receivers and ``execute_wrapper`` functions stay on the loop's thread.

    get_new_connection() starts the thread
    cursors              are proxies: every method call is one trip to the thread
    commit, rollback ... one trip each
    _close()             ends connection and thread

Outside workers (plain threads, WSGI, commands) the wrapper calls its driver directly, as in stock Django.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper

from django_bolt import _core
from django_bolt.db.task_wrapper import TaskWrapper

T = TypeVar("T")

ROWS_PER_TRIP = 100


class DriverThread:
    """One thread that executes calls in the order they are made.

    Not a ThreadPoolExecutor: its submit() takes a lock, and finalisers post calls. One that runs because the collector
    strikes inside another submit() would wait for its own thread. SimpleQueue.put() is reentrant.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[Any] | None, Callable[[], Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (item := self._calls.get()) is not None:
            pending, function = item
            if pending is None:
                with contextlib.suppress(Exception):  # posted: of no interest to anybody
                    function()
            elif pending.set_running_or_notify_cancel():
                _execute(pending, function)
            del item, pending, function  # may be the last references to a cursor

    def is_current(self) -> bool:
        """Is the caller running in this thread?"""
        return self._thread.ident == threading.get_ident()

    def call(self, function: Callable[..., T], *args: Any, abandoned: Callable[[T], object] | None = None) -> T:
        """Call in the thread and wait: in a worker for the loop's sake, elsewhere by blocking.

        A cancelled caller leaves at once; the call goes on, and what is called next comes after it. ``abandoned`` then
        gets the result nobody waits for, in the thread.
        """
        if self.is_current():
            return function(*args)
        pending: Future[T] = Future()
        self._calls.put((pending, functools.partial(function, *args)))
        if not _core.in_worker():
            return pending.result()
        try:
            return _core.wait(asyncio.wrap_future(pending))
        except BaseException:
            if abandoned is not None and not pending.done():
                pending.add_done_callback(functools.partial(_hand_over, abandoned))
            raise

    def post(self, function: Callable[..., object], *args: Any) -> None:
        """Call in the thread without waiting; after stop() nothing happens. Safe in finalisers."""
        self._calls.put((None, functools.partial(function, *args)))

    def stop(self) -> None:
        """The thread ends after what it has been given so far."""
        self._calls.put(None)


def _execute(pending: Future[Any], function: Callable[[], Any]) -> None:
    try:
        result = function()
    except BaseException as exc:
        pending.set_exception(exc)
    else:
        pending.set_result(result)


def _hand_over(abandoned: Callable[[T], object], pending: Future[T]) -> None:
    if not pending.cancelled() and pending.exception() is None:
        abandoned(pending.result())


class CursorProxy:
    """A driver's cursor whose methods run in the wrapper's thread."""

    _cursor: Any
    _thread: DriverThread

    def __init__(self, cursor: Any, thread: DriverThread) -> None:
        self.__dict__["_cursor"] = cursor
        self.__dict__["_thread"] = thread

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._cursor, name)
        if not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            result = self._thread.call(functools.partial(value, *args, **kwargs))
            return self if result is self._cursor else result

        return call

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._cursor, name, value)

    def __iter__(self) -> Iterator[Any]:
        while rows := self._thread.call(self._cursor.fetchmany, ROWS_PER_TRIP):
            yield from rows

    def __enter__(self) -> CursorProxy:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._thread.call(self._cursor.close)

    def __del__(self) -> None:
        # Some drivers read the rest of the result when a cursor is closed or dropped: that is the thread's work.
        cursor = self.__dict__.pop("_cursor", None)
        if cursor is not None:
            self._thread.post(cursor.close)


class ThreadedWrapper(TaskWrapper):
    """Mixed into any backend's DatabaseWrapper by `threaded`."""

    _driver_thread: DriverThread | None = None  # set while the connection was made in a worker

    @property
    def shared_by_tasks(self) -> bool:  # type: ignore[override]
        """True for Django's own SQLite backend on an in-memory database."""
        return self.vendor == "sqlite" and bool(self.is_in_memory_db())

    def get_new_connection(self, conn_params: Any) -> Any:
        if not _core.in_worker() or self.shared_by_tasks:
            return super().get_new_connection(conn_params)
        thread = DriverThread(f"django-bolt-{self.alias}")
        try:
            connection = thread.call(
                super().get_new_connection, conn_params, abandoned=lambda connection: connection.close()
            )
        except BaseException:
            thread.stop()
            raise
        self._driver_thread = thread
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = self._in_thread(super().create_cursor, name)
        thread = self._driver_thread
        return cursor if thread is None or thread.is_current() else CursorProxy(cursor, thread)

    def _in_thread(self, function: Callable[..., T], *args: Any) -> T:
        thread = self._driver_thread
        return function(*args) if thread is None else thread.call(function, *args)

    def _commit(self) -> Any:
        return self._in_thread(super()._commit)

    def _rollback(self) -> Any:
        return self._in_thread(super()._rollback)

    def _set_autocommit(self, autocommit: bool) -> None:
        self._in_thread(super()._set_autocommit, autocommit)

    def is_usable(self) -> bool:
        return bool(self._in_thread(super().is_usable))

    def _close(self) -> None:
        thread = self._driver_thread
        if thread is None:
            super()._close()
            return
        self._driver_thread = None
        try:
            thread.call(super()._close)
        finally:
            thread.stop()

    def validate_thread_sharing(self) -> None:
        if self._driver_thread is None or not self._driver_thread.is_current():
            super().validate_thread_sharing()

    def reset_for_reuse(self) -> None:
        """Keeps a clean connection for the next task as long as CONN_MAX_AGE lets it."""
        abandoned = self.in_atomic_block or not self.autocommit or self.errors_occurred
        expired = self.close_at is not None and time.monotonic() >= self.close_at
        if abandoned or expired:
            self.drop_connection()
        self.forget_state()

    def drop_connection(self) -> None:
        connection, thread = self.connection, self._driver_thread
        if connection is None:
            return
        self.connection = None
        self._driver_thread = None
        if thread is None:
            connection.close()
        else:
            thread.post(connection.close)
            thread.stop()


@functools.cache
def threaded(wrapper_class: type[BaseDatabaseWrapper]) -> type[BaseDatabaseWrapper]:
    """A subclass of a backend's DatabaseWrapper that works in workers."""
    return type(
        wrapper_class.__name__,
        (ThreadedWrapper, wrapper_class),
        {"__module__": wrapper_class.__module__, "__qualname__": wrapper_class.__qualname__},
    )
