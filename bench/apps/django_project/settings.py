"""Settings shared by every Django peer: production mode, no middleware, no logging, one database.

The harness chooses the database through BENCH_SQLITE_PATH, or the standard PG* variables when it is unset.
"""

from __future__ import annotations

import os

SECRET_KEY = "benchmark"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "UTC"
ROOT_URLCONF = "urls"
WSGI_APPLICATION = "wsgi.application"
MIDDLEWARE: list[str] = []
INSTALLED_APPS = ["articles"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
BOLT_API = ["api:api"]
# Access logs cost more than the handlers measured here, so every peer runs without.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler", "level": "ERROR"}},
    "loggers": {"django.server": {"handlers": ["console"], "level": "ERROR", "propagate": False}},
}

if "BENCH_SQLITE_PATH" in os.environ:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["BENCH_SQLITE_PATH"],
            # The file is already in WAL mode, which SQLite remembers; `synchronous` is set per connection.
            "OPTIONS": {"timeout": 20, "init_command": "PRAGMA synchronous=NORMAL"},
            "CONN_MAX_AGE": None,
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ.get("PGHOST", ""),
            "PORT": os.environ.get("PGPORT", ""),
            "USER": os.environ.get("PGUSER", ""),
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
            "NAME": os.environ.get("PGDATABASE", "bench"),
            "CONN_MAX_AGE": None,
        }
    }
