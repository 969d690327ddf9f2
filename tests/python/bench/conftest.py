"""Fixtures of the benchmark harness's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.venvs import compile_ceiling


@pytest.fixture(scope="session")
def ceiling() -> Path:
    """The compiled ceiling server."""
    return compile_ceiling()
