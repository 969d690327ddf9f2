"""The SQLite driver as a PEP 249 module: ``django_bolt._core``'s connection with the names of ``sqlite3``.

Exceptions, adapters, converters and constants *are* those of Python's ``sqlite3``, so code that catches
``sqlite3.IntegrityError`` or registers an adapter there works unchanged.
"""

from __future__ import annotations

from sqlite3 import (
    PARSE_COLNAMES,
    PARSE_DECLTYPES,
    Binary,
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
    adapt,
    adapters,
    apilevel,
    converters,
    paramstyle,
    register_adapter,
    register_converter,
    sqlite_version,
    sqlite_version_info,
)

from django_bolt._core import SqliteBlob as Blob
from django_bolt._core import SqliteConnection as Connection
from django_bolt._core import SqliteCursor as Cursor

__all__ = [
    "PARSE_COLNAMES",
    "PARSE_DECLTYPES",
    "Binary",
    "Blob",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Warning",
    "adapt",
    "adapters",
    "apilevel",
    "connect",
    "converters",
    "paramstyle",
    "register_adapter",
    "register_converter",
    "sqlite_version",
    "sqlite_version_info",
    "threadsafety",
]

#: connections may be shared between threads: the handle is opened in SQLite's serialised mode
threadsafety = 3

connect = Connection
