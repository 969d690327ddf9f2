"""Django's PostgreSQL backend on psycopg 3, waiting in workers.

Use it as ``"ENGINE": "django_bolt.db.postgresql"``; ``runbolt`` and the test clients use it in place of
``django.db.backends.postgresql`` by themselves. Outside workers it is Django's own backend.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import IsolationLevel, is_psycopg3

from django_bolt import _core
from django_bolt.db.cursors import CountedCursor
from django_bolt.db.pooled import PooledWrapper
from django_bolt.db.postgresql.connection import WorkerConnection, resolve_host

if not is_psycopg3:
    raise ImportError("django_bolt.db.postgresql needs psycopg 3: pip install 'psycopg[binary]'")


class Cursor(CountedCursor, base.Cursor):
    pass


class ServerBindingCursor(CountedCursor, base.ServerBindingCursor):
    pass


class ServerSideCursor(CountedCursor, base.ServerSideCursor):
    def close(self) -> None:
        """Does not wait in workers: CLOSE is sent before the connection's next statement."""
        if self.closed or not isinstance(self.connection, WorkerConnection):
            super().close()
            return
        if not self.connection.closed:
            self.connection.defer(self._close_gen())
        self._close()
        self._uncount()


class _Database:
    """Stands in for the psycopg module inside ``get_new_connection``: connects with the class the caller needs."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def connect(self, **params: Any) -> Any:
        if not _core.in_worker():
            return self._module.connect(**params)
        resolve_host(params)
        return WorkerConnection.connect(**params)


class DatabaseWrapper(PooledWrapper, base.DatabaseWrapper):
    Database = _Database(base.Database)

    @property
    def pool(self) -> Any:
        """psycopg_pool's pool serves threads, when it is installed; in workers the connections come from our own."""
        if _core.in_worker() or self._pool is not None or find_spec("psycopg_pool") is None:
            return None
        return super().pool

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        if params["cursor_factory"] is base.Cursor:
            params["cursor_factory"] = Cursor
        elif params["cursor_factory"] is base.ServerBindingCursor:
            params["cursor_factory"] = ServerBindingCursor
        return params

    def create_cursor(self, name: str | None = None) -> Any:
        if name and self.settings_dict["OPTIONS"].get("server_side_binding") is not True:
            cursor: Any = ServerSideCursor(
                self.connection, name=name, scrollable=False, withhold=self.connection.autocommit
            )
            loader = self.connection.adapters.get_loader(base.TIMESTAMPTZ_OID, base.Format.TEXT)
            if self.timezone != loader.timezone:
                base.register_tzloader(self.timezone, cursor)
        else:
            cursor = super().create_cursor(name)
        if isinstance(cursor, CountedCursor):
            cursor.count_for(self)
        return cursor

    def prepare_borrowed(self) -> None:
        level = self.settings_dict["OPTIONS"].get("isolation_level")
        self.isolation_level = IsolationLevel.READ_COMMITTED if level is None else IsolationLevel(level)

    def resume_session(self, connection: Any) -> None:
        zone = connection.pgconn.parameter_status(b"TimeZone")  # what the server reported last, no query
        if connection.session_zone == (self.timezone_name, zone):
            return
        self._configure_timezone(connection)
        connection.session_zone = self.timezone_name, connection.pgconn.parameter_status(b"TimeZone")

    def physical_is_usable(self, connection: Any) -> bool:
        if connection.is_usable():
            return True
        connection.close()
        return False

    def settle_physical(self, connection: Any, then: Callable[[], None]) -> None:
        connection.settle(then)

    def physical_is_clean(self, connection: Any) -> bool:
        return bool(connection.is_settled() and connection.autocommit)
