"""``transaction.atomic`` as ``async with``, as a decorator of ``async def``, and shared with child tasks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import TracebackType
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.db import transaction

from django_bolt import _core
from django_bolt._green.asgiref_hooks import redirected_sync_to_async
from django_bolt.db import scope

_Atomic = transaction.Atomic
_stock_enter = _Atomic.__enter__
_stock_exit = _Atomic.__exit__
_stock_call = _Atomic.__call__


def _enter(self: transaction.Atomic) -> None:
    if scope.current_task() is None:
        _stock_enter(self)
        return
    connection = transaction.get_connection(self.using)
    outer = scope.open_transaction(connection.alias)
    turns = None
    if outer is not None and outer.wrapper is connection:
        turns = outer.turns
    elif scope.is_shared(connection) and _core.in_worker():
        turns = scope.shared_turns(connection)
    if turns is not None:
        turns.take()
    try:
        _stock_enter(self)
    except BaseException:
        if turns is not None:
            turns.give()
        raise
    level = scope.push_transaction(connection)
    connection.__dict__.setdefault("_bolt_levels", []).append((level, outer, turns))


def _exit(
    self: transaction.Atomic,
    exc_type: type[BaseException] | None,
    exc_value: BaseException | None,
    traceback: TracebackType | None,
) -> None:
    connection = transaction.get_connection(self.using)
    levels = connection.__dict__.get("_bolt_levels")
    if not levels:
        _stock_exit(self, exc_type, exc_value, traceback)
        return
    level, outer, turns = levels.pop()
    try:
        _stock_exit(self, exc_type, exc_value, traceback)
    finally:
        scope.pop_transaction(level, outer)
        if turns is not None:
            turns.give()


async def _aenter(self: transaction.Atomic) -> None:
    await redirected_sync_to_async(self.__enter__)()


async def _aexit(
    self: transaction.Atomic,
    exc_type: type[BaseException] | None,
    exc_value: BaseException | None,
    traceback: TracebackType | None,
) -> None:
    await redirected_sync_to_async(self.__exit__)(exc_type, exc_value, traceback)


def _call(self: transaction.Atomic, func: Callable[..., Any]) -> Callable[..., Any]:
    if not iscoroutinefunction(func):
        return _stock_call(self, func)

    @functools.wraps(func)
    async def inner(*args: Any, **kwargs: Any) -> Any:
        async with self._recreate_cm():
            return await func(*args, **kwargs)

    return inner


def install() -> None:
    _Atomic.__enter__ = _enter
    _Atomic.__exit__ = _exit
    _Atomic.__aenter__ = _aenter
    _Atomic.__aexit__ = _aexit
    _Atomic.__call__ = _call
