"""Runs of Django's suite: what a results file says, which differences count, which expectations are out of date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tools import test_django_results as results


def run_of(**outcomes: str) -> results.Run:
    return results.Run({name: results.Test(outcome) for name, outcome in outcomes.items()}, finished=True)


def expect(*tests: str, ours: str = "fail", **rest: Any) -> results.Expectation:
    return results.Expectation(tests, ours, "because", **rest)


def test_a_results_file_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    ended = {"id": "a", "outcome": "pass", "seconds": 0.5, "switches": 3, "message": ""}
    lines = [{"start": "a"}, ended, {"start": "b"}, {"ticks": 7}, {"summary": {"seconds": 2.5, "switches": 9}}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run = results.read_run(path)
    assert run.tests == {"a": results.Test("pass", 0.5, 3), "b": results.Test(results.CRASH)}
    assert (run.seconds, run.switches, run.ticks, run.finished) == (2.5, 9, 7, True)
    assert run.switching() == 1
    assert run.totals() == {"pass": 1, "crash": 1}


def test_a_run_that_died_while_it_wrote_is_unfinished(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text('{"start": "a"}\n{"id": "a", "outc')
    run = results.read_run(path)
    assert run.tests == {"a": results.Test(results.CRASH)}
    assert not run.finished


def test_no_file_is_an_unfinished_run(tmp_path: Path) -> None:
    assert results.read_run(tmp_path / "none") == results.Run()


@pytest.mark.parametrize(
    ("stock", "ours", "expected"),
    [
        ({"a": "pass"}, {"a": "pass"}, []),
        ({"a": "fail"}, {"a": "fail"}, []),
        ({"a": "pass"}, {"a": "fail"}, [("a", "pass", "fail")]),
        ({"a": "fail"}, {"a": "error"}, [("a", "fail", "error")]),
        ({"a": "error"}, {"a": "pass"}, [("a", "error", "pass")]),
        ({"a": "pass"}, {"a": "skip"}, [("a", "pass", "skip")]),
        ({"a": "pass"}, {}, [("a", "pass", "missing")]),
        ({}, {"a": "pass"}, [("a", "missing", "pass")]),
    ],
)
def test_every_change_of_outcome_is_a_difference(
    stock: dict[str, str], ours: dict[str, str], expected: list[tuple[str, str, str]]
) -> None:
    found = results.compare(run_of(**stock), run_of(**ours))
    assert [(difference.test, difference.stock, difference.ours) for difference in found] == expected


def verdict_of(ours: dict[str, str], *expectations: results.Expectation) -> results.Verdict:
    stock, run = run_of(**dict.fromkeys(ours, "pass")), run_of(**ours)
    return results.judge(results.compare(stock, run), expectations, run.tests)


def test_a_difference_without_reason_fails() -> None:
    assert not verdict_of({"a": "fail"}).passed


def test_a_difference_with_its_reason_passes() -> None:
    verdict = verdict_of({"a.b": "fail", "a.c": "fail"}, expect("a.*"))
    assert verdict.passed
    assert [reason for _, reason in verdict.explained] == ["because", "because"]


def test_the_reason_holds_for_its_outcome_only() -> None:
    verdict = verdict_of({"a": "error"}, expect("a", ours="fail"))
    assert [difference.test for difference in verdict.unexplained] == ["a"]


def test_an_expectation_that_no_longer_happens_fails() -> None:
    verdict = verdict_of({"a": "pass"}, expect("a"))
    assert verdict.stale == ["a"]
    assert not verdict.passed


def test_an_expectation_is_not_stale_when_its_tests_did_not_run_or_need_not_differ() -> None:
    assert verdict_of({"a": "pass"}, expect("b"), expect("a", sometimes=True)).passed


def test_expectations_apply_to_their_databases_and_modes() -> None:
    entry = expect("a", db=("sqlite",), mode=("driven",))
    assert entry.applies("sqlite", "driven")
    assert not entry.applies("postgresql", "driven")
    assert not entry.applies("sqlite", "plain")
    assert expect("a").applies("postgresql", "plain")


def test_the_committed_expectations_are_well_formed() -> None:
    path = Path(__file__).parents[2] / "django" / "expected.toml"
    for entry in results.read_expectations(path):
        assert set(entry.db) <= {"sqlite", "postgresql"}
        assert set(entry.mode) <= {"plain", "driven"}
        assert entry.ours in {"pass", "fail", "error", "skip", results.MISSING}


@pytest.mark.parametrize(
    "entry",
    [
        'tests = ["a"]\nours = "fail"',
        'tests = ["a"]\nours = "fail"\nreason = " "',
        'test = "a"\nours = "x"\nreason = "y"',
    ],
)
def test_an_expectation_needs_tests_outcome_and_reason(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "expected.toml"
    path.write_text(f"[[expected]]\n{entry}\n")
    with pytest.raises(ValueError, match=r"expected\.toml"):
        results.read_expectations(path)
