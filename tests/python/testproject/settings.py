"""SQLite in a temporary file, or PostgreSQL when BOLT_TEST_DATABASE=postgresql (server: BOLT_TEST_PG)."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any


def _sqlite() -> dict[str, Any]:
    directory = Path(tempfile.gettempdir())
    name = directory / f"bolt-tests-{os.getpid()}.sqlite3"
    options = {"init_command": "PRAGMA synchronous = OFF"}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "TEST": {"NAME": str(name)}, "OPTIONS": options}


def _postgresql() -> dict[str, Any]:
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - psycopg is not needed for SQLite

    server = conninfo_to_dict(os.environ["BOLT_TEST_PG"])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": server.get("host"),
        "PORT": server.get("port"),
        "USER": server.get("user"),
        "NAME": server.get("dbname", "postgres"),
        "TEST": {"NAME": f"bolt_tests_{os.getpid()}"},
    }


DATABASE = os.environ.get("BOLT_TEST_DATABASE", "sqlite")
DATABASES = {"default": _postgresql() if DATABASE == "postgresql" else _sqlite()}
SECRET_KEY = "tests only"
ALLOWED_HOSTS = ["testserver", "test", "127.0.0.1"]
ROOT_URLCONF = "testproject.urls"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "testproject.blog"]
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "database": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache_rows"},
}
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
LOGGING_CONFIG = None
