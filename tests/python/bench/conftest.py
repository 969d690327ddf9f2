"""Fixtures of the benchmark harness's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from bench import peers, scenarios
from bench.load import Load
from bench.measure import Case, Result, Turn
from bench.venvs import compile_ceiling


@pytest.fixture(scope="session")
def ceiling() -> Path:
    """The compiled ceiling server."""
    return compile_ceiling()


def _turn(requests: int, cpu_seconds: float, *, foreign_seconds: float = 0.0, status_errors: int = 0) -> Turn:
    load = Load(requests, 1_000_000, requests * 100, 500, 2000, 3000, 0, 0, 0, status_errors, 0)
    return Turn(load, cpu_seconds, foreign_seconds)


@pytest.fixture
def make_turn() -> Callable[..., Turn]:
    """Builds a one-second turn."""
    return _turn


@pytest.fixture
def case() -> Case:
    """Three rounds of ours and the reference, and a peer that failed."""
    ours = Result(peers.OURS, [_turn(4000, 1.0), _turn(9000, 1.0), _turn(6000, 1.0)], 50 * 2**20, 1)
    reference = Result(peers.REFERENCE, [_turn(1000, 1.0), _turn(3000, 1.0), _turn(2000, 0.5)], 80 * 2**20, 1)
    broken = Result(peers.BY_NAME["granian"], [_turn(1, 1.0)], failure="answered 500")
    return Case(scenarios.BY_NAME["hello"], None, [reference, ours, broken])
