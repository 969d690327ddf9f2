"""Settings of the example project. SQLite by default; ``GUIDE_DB=postgresql`` with libpq's PG* variables otherwise."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.environ.get("GUIDE_SECRET_KEY", "for the example only, and at least fifty characters long")
DEBUG = os.environ.get("GUIDE_DEBUG") == "1"
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django_bolt",
    "users",
    "posts",
]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "guide.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [BASE_DIR / "templates"]}]

AUTH_USER_MODEL = "users.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

SQLITE: dict[str, Any] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": os.environ.get("GUIDE_SQLITE_PATH", BASE_DIR / "db.sqlite3"),
    "OPTIONS": {
        # Readers never wait for the writer; a transaction takes the write lock at its start instead of failing later.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        "transaction_mode": "IMMEDIATE",
    },
}
POSTGRESQL: dict[str, Any] = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": os.environ.get("PGDATABASE", "guide"),
    "USER": os.environ.get("PGUSER", ""),
    "PASSWORD": os.environ.get("PGPASSWORD", ""),
    "HOST": os.environ.get("PGHOST", ""),
    "PORT": os.environ.get("PGPORT", ""),
}
DATABASES = {"default": POSTGRESQL if os.environ.get("GUIDE_DB") == "postgresql" else SQLITE}

# What samples/blocking.py fetches: the /external/data handler of this very server stands in for another service.
GUIDE_EXTERNAL_URL = os.environ.get("GUIDE_EXTERNAL_URL", "http://127.0.0.1:8000/external/data")
