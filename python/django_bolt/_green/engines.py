"""Which DatabaseWrapper class serves which ENGINE.

``django.db.backends.sqlite3`` and ``django.db.backends.postgresql`` (with psycopg 3) are served by our backends without
a settings change; ``BOLT_NATIVE_DATABASES = False`` turns that off. Every other backend gets a subclass of its wrapper
that calls its driver in threads when it is used in a worker. ``settings_dict["ENGINE"]`` keeps what the project wrote.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import utils
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.creation import BaseDatabaseCreation

from django_bolt.db import scope
from django_bolt.db.pooled import close_pools
from django_bolt.db.task_wrapper import TaskWrapper
from django_bolt.db.threaded import threaded

SQLITE = "django.db.backends.sqlite3"
POSTGRESQL = "django.db.backends.postgresql"


def engine_for(engine: str) -> str:
    """The dotted name of the backend that serves ``engine``."""
    if not getattr(settings, "BOLT_NATIVE_DATABASES", True):
        return engine
    if engine == SQLITE:
        return "django_bolt.db.sqlite3"
    if engine in (POSTGRESQL, "django.db.backends.postgresql_psycopg2") and _has_psycopg3():
        return "django_bolt.db.postgresql"
    return engine


def _has_psycopg3() -> bool:
    try:
        from django.db.backends.postgresql.psycopg_any import is_psycopg3  # noqa: PLC0415 - the driver is optional
    except ImportError:
        return False  # Django's backend explains what is missing
    return bool(is_psycopg3)


def _create_connection(self: utils.ConnectionHandler, alias: str) -> BaseDatabaseWrapper:
    free = scope.take_free(self, alias)
    if free is not None:
        return free
    configured = self.settings[alias]
    wrapper_class = utils.load_backend(engine_for(configured["ENGINE"])).DatabaseWrapper
    if not issubclass(wrapper_class, TaskWrapper):
        wrapper_class = threaded(wrapper_class)
    wrapper: BaseDatabaseWrapper = wrapper_class(configured, alias)
    return wrapper


def uses_native_sqlite(handler: utils.ConnectionHandler) -> bool:
    """Is any database of this project served by our SQLite backend?"""
    return any(engine_for(configured["ENGINE"]) == "django_bolt.db.sqlite3" for configured in handler.settings.values())


_stock_destroy_test_db = BaseDatabaseCreation.destroy_test_db


def _destroy_test_db(self: BaseDatabaseCreation, *args: Any, **kwargs: Any) -> None:
    """No connection of a pool may keep the database from being dropped."""
    close_pools(alias=self.connection.alias)
    scope.drop_free(self.connection.alias)
    _stock_destroy_test_db(self, *args, **kwargs)


def install() -> None:
    BaseDatabaseCreation.destroy_test_db = _destroy_test_db
    utils.ConnectionHandler.create_connection = _create_connection
