"""DatabaseWrapper mixin: borrows a physical connection per open cursor or transaction.

Outside workers (threads, WSGI, commands) nothing changes: the wrapper owns its connection like a stock one.

Life of a borrowed connection:

    cursor()/atomic() -> ensure_connection() borrows
    last cursor closed, no transaction open, autocommit on -> given back
    anything unclean (open transaction, broken socket, cancelled query) -> closed and forgotten
"""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Callable
from typing import Any

from django.db.utils import ProgrammingError

from django_bolt import _core
from django_bolt.db.pool import Pool
from django_bolt.db.scope import current_task
from django_bolt.db.task_wrapper import TaskWrapper

DEFAULT_TIMEOUT_S = 30.0

#: by event loop, alias and what the connections were made with
_pools: dict[tuple[asyncio.AbstractEventLoop, str, str], Pool[Any]] = {}

#: the parts of settings_dict that decide what a physical connection is
_CONNECTS_WITH = ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS", "TIME_ZONE")


def close_pools(loop: asyncio.AbstractEventLoop | None = None, alias: str | None = None) -> None:
    """Close the idle connections of a loop (when it ends), of an alias (before its test database goes), or all."""
    for key in [k for k in _pools if (loop is None or k[0] is loop) and (alias is None or k[1] == alias)]:
        pool = _pools.pop(key)
        if key[0].is_running() and not _runs_here(key[0]):
            key[0].call_soon_threadsafe(_close_pool, pool)
        else:
            _close_pool(pool)


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _close_pool(pool: Pool[Any]) -> None:
    pool.close()


class PooledWrapper(TaskWrapper):
    """What the two native backends share. Subclasses say how a physical connection is judged and ended."""

    #: connections per process when OPTIONS["pool"] does not say
    default_pool_size = 10

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pool: Pool[Any] | None = None  # set while the connection is borrowed
        self._open_cursors = 0
        self._connecting = False
        self._borrowed_before = False
        self._pool_settings: list[Any] = []
        self._pool_key = ""

    # -- what a backend provides --------------------------------------------------------------

    def physical_is_usable(self, connection: Any) -> bool:
        """May an idle connection be lent? Must not wait."""
        raise NotImplementedError

    def physical_is_clean(self, connection: Any) -> bool:
        """May a connection be given back: no transaction, no query in flight?"""
        raise NotImplementedError

    def settle_physical(self, connection: Any, then: Callable[[], None]) -> None:
        """Finish what a clean connection still has to do, then call ``then``. Must not wait."""
        then()

    def prepare_borrowed(self) -> None:
        """Set what connecting would have set on this wrapper (not on the connection)."""

    def resume_session(self, connection: Any) -> None:
        """A lent connection keeps the session settings of its last user: put this wrapper's back. May wait."""

    def pool_options(self) -> dict[str, Any]:
        options = self.settings_dict["OPTIONS"].get("pool")
        return dict(options) if isinstance(options, dict) else {}

    # -- borrowing ----------------------------------------------------------------------------

    def describe_holder(self) -> str:
        state = "in a transaction" if self.in_atomic_block else f"with {self._open_cursors} open cursor(s)"
        return f"{self._holder_name} {state}"

    _holder_name = "a task"

    def _borrows(self) -> bool:
        return not self.shared_by_tasks and not self._connecting and _core.in_worker()

    def _settings_key(self) -> str:
        """Tells connections of this wrapper from those made with other settings under the same alias.

        A copy() with changed settings, a settings_dict changed in place (creating a test database renames it) must not
        be lent a connection to the other database.
        """
        settings = [self.settings_dict[name] for name in _CONNECTS_WITH]
        if settings != self._pool_settings:
            self._pool_settings = copy.deepcopy(settings)
            self._pool_key = repr(settings)
            self._borrowed_before = False
        return self._pool_key

    def _pool_of_loop(self) -> Pool[Any]:
        key = (asyncio.get_running_loop(), self.alias, self._settings_key())
        pool = _pools.get(key)
        if pool is None:
            for loop in {loop for loop, _, _ in _pools if loop.is_closed()}:
                close_pools(loop)  # it ended without saying so
            options = self.pool_options()
            pool = _pools[key] = Pool(
                key[0],
                self.alias,
                max_size=int(options.get("max_size") or options.get("min_size") or self.default_pool_size),
                close=lambda connection: connection.close(),
                timeout=float(options.get("timeout", DEFAULT_TIMEOUT_S)),
            )
        return pool

    def ensure_connection(self) -> None:
        if self.connection is not None or not self._borrows():
            super().ensure_connection()
            return
        if self.in_atomic_block and self.closed_in_transaction:
            raise ProgrammingError("Cannot open a new connection in an atomic block.")
        with self.wrap_database_errors:
            self._borrow()

    def _borrow(self) -> None:
        pool = self._pool_of_loop()
        task = current_task()
        self._holder_name = task.get_name() if task is not None else "a task"
        made = False

        def connect() -> Any:
            nonlocal made
            made = True
            self._connecting = True
            try:
                self.connect()
            except BaseException:
                self._close_failed()
                raise
            finally:
                self._connecting = False
            connection, self.connection = self.connection, None
            return connection

        self.connection = pool.acquire(self, connect, self.physical_is_usable)
        self._pool = pool
        if not made:
            try:
                if not self._borrowed_before:
                    self.prepare_borrowed()
                self.resume_session(self.connection)
            except BaseException:
                self._give_back()
                raise
            self.autocommit = self.settings_dict["AUTOCOMMIT"]
            self.closed_in_transaction = False
            self.errors_occurred = False
            self.health_check_done = True
        self._borrowed_before = True

    def _close_failed(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()

    def _give_back_if_idle(self) -> None:
        if (
            self._pool is not None
            and self._open_cursors == 0
            and not self.in_atomic_block
            and self.autocommit
            and not self._connecting
        ):
            self._give_back()

    def _give_back(self) -> None:
        connection, pool = self.connection, self._pool
        self.connection = None
        self._pool = None
        self._open_cursors = 0
        assert pool is not None
        if connection is not None and self.physical_is_clean(connection):
            self.settle_physical(connection, lambda: self._settled(connection, pool))
        else:
            if connection is not None:
                connection.close()
            pool.discard(connection)

    def _settled(self, connection: Any, pool: Pool[Any]) -> None:
        if self.physical_is_clean(connection):
            pool.release(connection)
        else:
            connection.close()
            pool.discard(connection)

    # -- Django's hooks -----------------------------------------------------------------------

    def _close(self) -> None:
        if self._pool is not None:
            self._give_back()
        else:
            super()._close()

    def get_autocommit(self) -> bool:
        if self.connection is None and self._borrows():
            return bool(self.settings_dict["AUTOCOMMIT"])
        return super().get_autocommit()

    def set_autocommit(self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False) -> None:
        if self._connecting:
            super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)
            return
        self._open_cursors += 1  # keep the connection while its mode changes
        try:
            super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)
        finally:
            self._open_cursors = max(0, self._open_cursors - 1)
        self._give_back_if_idle()

    def validate_thread_sharing(self) -> None:
        if self._pool is None:
            super().validate_thread_sharing()

    # -- cursors report their life ------------------------------------------------------------

    def cursor_opened(self) -> Any:
        """A cursor was made: returns the connection it counts for, None when nothing is borrowed."""
        if self._pool is None:
            return None
        self._open_cursors += 1
        return self.connection

    def cursor_closed(self, connection: Any) -> None:
        pool = self._pool
        if pool is not None and pool.thread != threading.get_ident():  # finalised by another thread's collector
            if not pool.loop.is_closed():
                pool.loop.call_soon_threadsafe(self.cursor_closed, connection)
            return
        if connection is not None and connection is self.connection:
            self._open_cursors -= 1
            self._give_back_if_idle()

    # -- the task is done ---------------------------------------------------------------------

    def reset_for_reuse(self) -> None:
        """Called when the task that used this wrapper is done: another task may get it."""
        if self._pool is not None:
            connection, pool = self.connection, self._pool
            self.connection = None
            self._pool = None
            if connection is not None:
                connection.close()  # an open transaction or cursor was abandoned
            pool.discard(connection)
        self._open_cursors = 0
        self.autocommit = False
        self.forget_state()
