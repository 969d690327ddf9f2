"""Which DatabaseWrapper does ``connections[alias]`` mean right now?

Stock Django answers "the thread's"; on an event loop many tasks share one thread, so here it is "the task's":

- inside a task: the task's own wrapper, made or reused on first use and given back when the task is done;
- in a task that was created inside an open transaction: that transaction's wrapper, so children take part in it;
- when the thread's own wrapper has a transaction open (an ordinary TestCase that runs the loop): that one;
- without a task (plain threads, WSGI, commands): the thread's, as in stock Django.

A wrapper is light: the physical connection behind it is borrowed from a pool only while a cursor or transaction is
open.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import TransactionManagementError
from django.db.utils import ConnectionHandler

from django_bolt import _core
from django_bolt.db.task_wrapper import TaskWrapper


class Turns:
    """Lets one task at a time open a nested ``atomic`` block in a shared transaction.

    Savepoints are a stack per connection, so siblings take turns, first come first served. Unlike ``_core.Lock`` it
    has no owner: an ``async with`` may leave in another worker than it entered.
    """

    __slots__ = ("_taken", "_waiters")

    TIMEOUT_S = 30.0

    def __init__(self) -> None:
        self._taken = False
        self._waiters: deque[asyncio.Future[None]] = deque()

    def take(self) -> None:
        """Wait for the turn. TransactionManagementError when a sibling keeps it for too long or waiting is
        impossible."""
        if not self._taken:
            self._taken = True
            return
        if not _core.in_worker():
            raise TransactionManagementError(_NESTED_BUSY)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiters.append(future)
        handle = loop.call_later(self.TIMEOUT_S, _expire_turn, future)
        try:
            _core.wait(future)
        except BaseException:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.give()  # it was our turn, and we were cancelled before we knew
            raise
        finally:
            handle.cancel()

    def give(self) -> None:
        """End the turn; the first waiter is next."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._taken = False


_NESTED_BUSY = (
    "another task that shares this transaction has a nested atomic() block open, and savepoints of one connection"
    " cannot interleave. Finish one block before the other begins, or open the outer transaction inside each task"
)


def _expire_turn(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(TransactionManagementError(_NESTED_BUSY))


class Transaction:
    """One open ``atomic`` level of a wrapper, as the children of its task see it. ``turns`` orders the levels inside
    it."""

    __slots__ = ("active", "turns", "wrapper")

    def __init__(self, wrapper: BaseDatabaseWrapper) -> None:
        self.wrapper = wrapper
        self.active = True
        self.turns = Turns()


class Scope:
    """What one task sees. Immutable but for ``wrappers``: entering a transaction makes a new Scope, so that tasks
    created before it do not inherit it."""

    __slots__ = ("task", "transactions", "wrappers")

    def __init__(
        self,
        task: asyncio.Task[Any],
        wrappers: dict[str, BaseDatabaseWrapper],
        transactions: dict[str, Transaction],
    ) -> None:
        self.task = task
        self.wrappers = wrappers
        self.transactions = transactions

    def with_transaction(self, alias: str, transaction: Transaction | None) -> Scope:
        transactions = dict(self.transactions)
        if transaction is None:
            transactions.pop(alias, None)
        else:
            transactions[alias] = transaction
        return Scope(self.task, self.wrappers, transactions)


_scope: contextvars.ContextVar[Scope | None] = contextvars.ContextVar("django_bolt.db.scope", default=None)


#: wrappers of the thread that waits in async_to_sync for this context's code
_waiting_thread: contextvars.ContextVar[Mapping[str, BaseDatabaseWrapper]] = contextvars.ContextVar(
    "django_bolt.db.waiting_thread", default=MappingProxyType({})
)


@contextlib.contextmanager
def lend_to_loop() -> Iterator[None]:
    """While this thread waits for a coroutine that runs in another one, its transactions include that coroutine.

    This is what makes an async test of a TestCase see the test's transaction: asgiref runs it in a thread of its own.
    """
    storage = connections.__dict__.get("_connections")
    if not isinstance(storage, Storage) or current_task() is not None:
        yield
        return
    lent = dict(storage._thread.wrappers)
    for wrapper in lent.values():
        wrapper.inc_thread_sharing()
    token = _waiting_thread.set(lent)
    try:
        yield
    finally:
        _waiting_thread.reset(token)
        for wrapper in lent.values():
            wrapper.dec_thread_sharing()


def current_task() -> asyncio.Task[Any] | None:
    """The running task, or None outside an event loop."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


class _ThreadWrappers(threading.local):
    def __init__(self) -> None:
        self.wrappers: dict[str, BaseDatabaseWrapper] = {}


class Storage:
    """Replaces ``connections._connections``: an object whose attributes are the wrappers by alias."""

    def __init__(self) -> None:
        self.__dict__["_thread"] = _ThreadWrappers()
        self.__dict__["_free"] = {}

    def __getattr__(self, alias: str) -> BaseDatabaseWrapper:
        task = current_task()
        thread: dict[str, BaseDatabaseWrapper] = self._thread.wrappers
        if task is None:
            return _lookup(thread, alias)
        scope = _scope.get()
        if scope is not None:
            if scope.task is task and alias in scope.wrappers:
                return scope.wrappers[alias]
            inherited = scope.transactions.get(alias)
            if inherited is not None and inherited.active:
                return inherited.wrapper
        root = thread.get(alias) or _waiting_thread.get().get(alias)
        if root is not None and (root.in_atomic_block or is_shared(root)):
            return root
        raise AttributeError(alias)

    def __setattr__(self, alias: str, wrapper: BaseDatabaseWrapper) -> None:
        task = current_task()
        if task is None or is_shared(wrapper):
            self._thread.wrappers[alias] = wrapper
        else:
            self._own(task, alias, wrapper)

    def __delattr__(self, alias: str) -> None:
        task = current_task()
        scope = _scope.get()
        if task is not None and scope is not None and scope.task is task and alias in scope.wrappers:
            del scope.wrappers[alias]
        elif alias in self._thread.wrappers:
            del self._thread.wrappers[alias]
        else:
            raise AttributeError(alias)

    def _own(self, task: asyncio.Task[Any], alias: str, wrapper: BaseDatabaseWrapper) -> None:
        scope = _scope.get()
        if scope is None or scope.task is not task:
            inherited = {} if scope is None else {a: t for a, t in scope.transactions.items() if t.active}
            scope = Scope(task, {}, inherited)
            _scope.set(scope)
            task.add_done_callback(lambda _task, scope=scope: self._close(scope))
        wrapper._thread_ident = threading.get_ident()
        scope.wrappers[alias] = wrapper

    def _close(self, scope: Scope) -> None:
        wrappers = dict(scope.wrappers)
        scope.wrappers.clear()
        for alias, wrapper in wrappers.items():
            if isinstance(wrapper, TaskWrapper):
                wrapper.reset_for_reuse()
                self._free.setdefault(alias, []).append(wrapper)
            else:
                wrapper.close()  # put there by somebody else


def is_shared(wrapper: BaseDatabaseWrapper) -> bool:
    """Does every task of the thread use this wrapper? In-memory databases exist once per connection."""
    if isinstance(wrapper, TaskWrapper):
        return bool(wrapper.shared_by_tasks)
    return wrapper.vendor == "sqlite" and bool(wrapper.is_in_memory_db())


def _lookup(wrappers: dict[str, BaseDatabaseWrapper], alias: str) -> BaseDatabaseWrapper:
    try:
        return wrappers[alias]
    except KeyError:
        raise AttributeError(alias) from None


def take_free(handler: ConnectionHandler, alias: str) -> BaseDatabaseWrapper | None:
    """A wrapper that an earlier task has left behind, for the running task; None without either."""
    storage = handler.__dict__.get("_connections")
    if not isinstance(storage, Storage) or current_task() is None:
        return None
    free: list[BaseDatabaseWrapper] = storage._free.get(alias, [])
    return free.pop() if free else None


def drop_free(alias: str) -> None:
    """Forget the wrappers that wait for a task, with what they are connected to (their database goes away)."""
    storage = connections.__dict__.get("_connections")
    if isinstance(storage, Storage):
        for wrapper in storage._free.pop(alias, []):
            if isinstance(wrapper, TaskWrapper):
                wrapper.drop_connection()


def install() -> Storage:
    """Make ``django.db.connections`` task-scoped. Wrappers that exist already stay their thread's. Idempotent."""
    storage = connections.__dict__.get("_connections")
    if isinstance(storage, Storage):
        return storage
    existing = {alias: getattr(storage, alias) for alias in connections.settings if hasattr(storage, alias)}
    storage = Storage()
    storage._thread.wrappers.update(existing)
    connections._connections = storage
    return storage


def open_transaction(alias: str) -> Transaction | None:
    """The innermost transaction of ``alias`` this context is in, its own or inherited."""
    scope = _scope.get()
    transaction = None if scope is None else scope.transactions.get(alias)
    return transaction if transaction is not None and transaction.active else None


def in_transaction() -> bool:
    """Is any transaction open in this context, or on the thread's own wrappers (a TestCase)?"""
    scope = _scope.get()
    if scope is not None and any(transaction.active for transaction in scope.transactions.values()):
        return True
    storage = connections.__dict__.get("_connections")
    if not isinstance(storage, Storage):
        return False
    roots = (storage._thread.wrappers, _waiting_thread.get())
    return any(wrapper.in_atomic_block for wrappers in roots for wrapper in wrappers.values())


def push_transaction(wrapper: BaseDatabaseWrapper) -> Transaction:
    """A level of ``atomic`` was entered: tasks created from now on inherit it."""
    transaction = Transaction(wrapper)
    scope = _scope.get()
    task = current_task()
    if task is not None:
        if scope is None or scope.task is not task:
            scope = Scope(task, {}, {} if scope is None else dict(scope.transactions))
        _scope.set(scope.with_transaction(wrapper.alias, transaction))
    return transaction


def pop_transaction(transaction: Transaction, outer: Transaction | None) -> None:
    """The level was left; ``outer`` is the one that surrounds it."""
    transaction.active = False
    scope = _scope.get()
    alias = transaction.wrapper.alias
    if scope is not None and scope.transactions.get(alias) is transaction:
        _scope.set(scope.with_transaction(alias, outer))


def wait_for_shared_wrapper(wrapper: BaseDatabaseWrapper) -> None:
    """Tasks that share one wrapper stay out of each other's transactions: wait until the open one has ended."""
    if not is_shared(wrapper) or not _core.in_worker():
        return
    levels = wrapper.__dict__.get("_bolt_levels")
    if levels and open_transaction(wrapper.alias) is None:
        turns = shared_turns(wrapper)
        turns.take()
        turns.give()


def shared_turns(wrapper: BaseDatabaseWrapper) -> Turns:
    """Who may open the outermost transaction of a shared wrapper."""
    turns: Turns = wrapper.__dict__.setdefault("_bolt_turns", Turns())
    return turns
