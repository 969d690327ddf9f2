"""Which databases this run covers. A missing one is shown in the header, and is a failure where CI is set."""

from __future__ import annotations

import os
import sqlite3

import django
import pytest

# At import: a conftest.py below this one may define fixtures on models.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "testproject.settings")
django.setup()

# Exported by tools/beside.py, which make test-py runs.
PG_ENVIRONMENT_NAME = "BOLT_TEST_PG"
MARIADB_ENVIRONMENT_NAME = "BOLT_TEST_MARIADB"


def pytest_report_header() -> list[str]:
    missing = "MISSING, its tests are skipped (make test-py starts a private one)"
    return [
        f"sqlite: {sqlite3.sqlite_version}",
        f"postgresql: {os.environ.get(PG_ENVIRONMENT_NAME) or missing}",
        f"mariadb: {os.environ.get(MARIADB_ENVIRONMENT_NAME) or missing}",
    ]


@pytest.fixture(scope="session")
def postgresql_conninfo() -> str:
    """libpq connection string of a superuser on a private cluster."""
    return _server(PG_ENVIRONMENT_NAME)


@pytest.fixture(scope="session")
def mariadb_socket() -> str:
    """Path of a private server's socket; the user is root, without a password."""
    return _server(MARIADB_ENVIRONMENT_NAME)


def _server(variable: str) -> str:
    address = os.environ.get(variable)
    if address is not None:
        return address
    reason = f"{variable} is not set: run the tests through make test-py"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
