"""Checking answers, and one case from start to end with the ceiling server."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from bench import measure, peers
from bench.load import Load
from bench.process import ServerError
from bench.scenarios import BY_NAME, Scenario

CORE = min(os.sched_getaffinity(0))
PLAN = measure.Plan(rounds=2, seconds=1, warmup_seconds=1, server_core=CORE, client_core=max(os.sched_getaffinity(0)))
HELLO = BY_NAME["hello"]


def test_check_accepts_only_the_right_answer(ceiling: Path) -> None:
    with measure.start_server(peers.CEILING, ceiling, HELLO, None, CORE) as server:
        measure.check(HELLO, server.port)
        with pytest.raises(ServerError, match="answered wrongly"):
            measure.check(BY_NAME["typed"], server.port)
    with pytest.raises(ServerError, match="no answer"):
        measure.check(HELLO, server.port)


def test_check_sends_the_body(ceiling: Path) -> None:
    scenario = BY_NAME["validate"]
    with measure.start_server(peers.CEILING, ceiling, scenario, None, CORE) as server:
        measure.check(scenario, server.port)


def ask_a_few_times(scenario: Scenario, port: int, seconds: int, core: int) -> Load:
    """Stands in for wrk, which a test machine may lack."""
    for _ in range(seconds):
        measure.check(scenario, port)
    return Load(seconds, seconds * 1_000_000, 100, 50, 99, 100, 0, 0, 0, 0, 0)


def test_a_case_measures_some_and_reports_others(
    ceiling: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure.load, "run", ask_a_few_times)
    dead = peers.Peer(name="dead", title="dead", command=lambda launch: ["false"])
    wrong = dataclasses.replace(
        peers.CEILING,
        name="wrong",
        command=lambda launch: [str(launch.python), str(launch.port), str(tmp_path / "other")],
    )
    (tmp_path / "other").write_bytes(b'{"message":"Good bye"}')
    case = measure.run_case(HELLO, None, {peers.CEILING: ceiling, dead: ceiling, wrong: ceiling}, PLAN)
    ran, died, differed = case.results
    assert ran.failure is None
    assert ran.errors == 0
    assert [turn.load.requests for turn in ran.turns] == [1, 1]
    assert ran.resident_bytes > 0
    assert died.failure is not None
    assert "ended with status 1" in died.failure
    assert differed.failure is not None
    assert "answered wrongly" in differed.failure
