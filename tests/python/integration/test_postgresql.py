"""The query tests once more, in a process of their own whose default database is PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_query_tests_pass_on_postgresql(postgresql_conninfo: str) -> None:
    environment = {**os.environ, "BOLT_TEST_DATABASE": "postgresql", "BOLT_TEST_PG": postgresql_conninfo}
    command = [sys.executable, "-m", "pytest", "-q", "tests/python/orm"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
