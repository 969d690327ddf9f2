"""This directory once more, in a process of its own whose default database is PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.threads  # communicate() reads both pipes
@pytest.mark.timeout(600)
def test_the_same_on_postgresql(postgresql_conninfo: str) -> None:
    environment = {**os.environ, "BOLT_TEST_DATABASE": "postgresql", "BOLT_TEST_PG": postgresql_conninfo}
    command = [sys.executable, "-m", "pytest", "-q", "tests/python/green"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=590)
    assert done.returncode == 0, done.stdout + done.stderr
