"""Django's SQLite backend on our own driver, which waits in workers.

Use it as ``"ENGINE": "django_bolt.db.sqlite3"``; ``runbolt`` and the test clients use it in place of
``django.db.backends.sqlite3`` by themselves. Outside workers it behaves like Django's own backend.

In a worker, ``atomic()`` begins with BEGIN IMMEDIATE unless ``OPTIONS["transaction_mode"]`` says otherwise: a deferred
transaction that reads and then writes fails at once, without waiting, when another connection has written meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import tee
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3._functions import register as register_functions

from django_bolt import _core
from django_bolt.db import scope
from django_bolt.db.cursors import CountedCursor
from django_bolt.db.pooled import PooledWrapper
from django_bolt.db.sqlite3 import dbapi
from django_bolt.db.sqlite3.checkpoint import checkpointer

Params = Sequence[Any] | Mapping[str, Any] | None


class Cursor(CountedCursor, dbapi.Cursor):
    """Accepts Django's "format" and "pyformat" placeholders."""

    convert_query = base.SQLiteCursorWrapper.convert_query

    def execute(self, query: str, params: Params = None) -> Any:
        if params is None:
            return super().execute(query)
        names = list(params) if isinstance(params, Mapping) else None
        return super().execute(self.convert_query(query, param_names=names), params)

    def executemany(self, query: str, param_list: Iterable[Any]) -> Any:
        peekable, params = tee(iter(param_list))
        first = next(peekable, None)
        names = list(first) if first and isinstance(first, Mapping) else None
        return super().executemany(self.convert_query(query, param_names=names), params)


class DatabaseWrapper(PooledWrapper, base.DatabaseWrapper):
    Database = dbapi
    default_pool_size = 20

    @property
    def shared_by_tasks(self) -> bool:  # type: ignore[override]
        """An in-memory database exists once per connection, so all tasks of the thread use one."""
        return bool(self.is_in_memory_db())

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        params.pop("pool", None)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = dbapi.connect(**conn_params)
        register_functions(connection)
        connection.execute("PRAGMA foreign_keys = ON")
        # The macOS bundled SQLite defaults legacy_alter_table ON, which prevents atomic table renames.
        connection.execute("PRAGMA legacy_alter_table = OFF")
        for command in self.init_commands:
            if command := command.strip():
                connection.execute(command)
        connection.set_checkpointer(checkpointer.request)
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        cursor.count_for(self)
        return cursor

    def _cursor(self, name: str | None = None) -> Any:
        scope.wait_for_shared_wrapper(self)
        return super()._cursor(name)

    def _start_transaction_under_autocommit(self) -> None:
        if self.transaction_mode is None and _core.in_worker():
            self.cursor().execute("BEGIN IMMEDIATE")
        else:
            super()._start_transaction_under_autocommit()

    def prepare_borrowed(self) -> None:
        self.get_connection_params()  # sets transaction_mode

    def physical_is_usable(self, connection: Any) -> bool:
        return True

    def physical_is_clean(self, connection: Any) -> bool:
        return not connection.in_transaction
