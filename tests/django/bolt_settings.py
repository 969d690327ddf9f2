"""Settings for Django's own test suite, started by tools/test_django.py through the environment:

BOLT_DJANGO_DB       sqlite | postgresql
BOLT_DJANGO_BACKEND  stock (Django's backends, nothing of ours imported) | ours
BOLT_DJANGO_SCRATCH  directory for the SQLite test databases
BOLT_TEST_PG         connection string of the PostgreSQL cluster

The SQLite databases are files on both sides: Django's default for tests, an in-memory database, exists once per
connection and would leave the connection pool out.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_BACKENDS = {
    ("sqlite", "stock"): "django.db.backends.sqlite3",
    ("sqlite", "ours"): "django_bolt.db.sqlite3",
    ("postgresql", "stock"): "django.db.backends.postgresql",
    ("postgresql", "ours"): "django_bolt.db.postgresql",
}
_DB = os.environ["BOLT_DJANGO_DB"]


def _database(name: str) -> dict[str, Any]:
    settings: dict[str, Any] = {"ENGINE": _BACKENDS[_DB, os.environ["BOLT_DJANGO_BACKEND"]]}
    if _DB == "sqlite":
        return settings | {"TEST": {"NAME": str(Path(os.environ["BOLT_DJANGO_SCRATCH"], f"{name}.sqlite3"))}}
    words = (word.partition("=") for word in os.environ["BOLT_TEST_PG"].split())
    conninfo = {key: value for key, _, value in words}
    return settings | {
        "NAME": f"bolt_{name}",
        "HOST": conninfo["host"],
        "PORT": conninfo["port"],
        "USER": conninfo["user"],
    }


DATABASES = {"default": _database("default"), "other": _database("other")}
TEST_RUNNER = "bolt_runner.Runner"
# The rest is what Django's tests/test_sqlite.py sets.
SECRET_KEY = "django_tests_secret_key"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
