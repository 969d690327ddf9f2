"""Which databases this run covers. A missing one is shown in the header, and is a failure where CI is set."""

from __future__ import annotations

import os
import sqlite3

import django
import pytest

# At import: a conftest.py below this one may define fixtures on models.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "testproject.settings")
django.setup()

PG_ENVIRONMENT_NAME = "BOLT_TEST_PG"  # exported by tools/pg_cluster.py


def pytest_report_header() -> list[str]:
    postgresql = os.environ.get(PG_ENVIRONMENT_NAME)
    return [
        f"sqlite: {sqlite3.sqlite_version}",
        f"postgresql: {postgresql or 'MISSING, its tests are skipped (make test-py starts a private cluster)'}",
    ]


@pytest.fixture(scope="session")
def postgresql_conninfo() -> str:
    """libpq connection string of a superuser on a private cluster."""
    conninfo = os.environ.get(PG_ENVIRONMENT_NAME)
    if conninfo is not None:
        return conninfo
    if os.environ.get("CI") == "true":
        pytest.fail(f"{PG_ENVIRONMENT_NAME} is not set: run the tests through make test-py", pytrace=False)
    pytest.skip(f"{PG_ENVIRONMENT_NAME} is not set: run the tests through make test-py")
