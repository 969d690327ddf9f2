"""Summary, table and JSON document."""

from __future__ import annotations

import json
from collections.abc import Callable

from bench import peers, report, scenarios
from bench.measure import Case, Result, Turn


def test_summary_is_sorted_by_speed_and_pairs_rounds(case: Case) -> None:
    ours, reference = report.summarise(case)
    assert (ours.peer, reference.peer) == ("ours", "django-bolt")
    assert (ours.requests_per_cpu_second, ours.lowest, ours.highest) == (6000, 4000, 9000)
    # Per round: 4.0, 3.0 and 6000 against 4000, 1.5.
    assert ours.times_reference == 3.0
    assert reference.times_reference == 1.0
    assert ours.share_of_ceiling is None
    assert ours.resident_mib == 50


def test_table_aligns_and_names_failures(case: Case) -> None:
    lines = report.table(case).splitlines()
    assert lines[0] == "hello JSON"
    assert len({len(line) for line in lines[1:4]}) == 1
    assert lines[4] == "  granian: FAILED, answered 500"


def test_table_tells_of_noise(make_turn: Callable[..., Turn]) -> None:
    noisy = Result(peers.OURS, [make_turn(10, 1.0, foreign_seconds=0.06), make_turn(10, 1.0, foreign_seconds=0.04)])
    text = report.table(Case(scenarios.BY_NAME["hello"], None, [noisy]))
    assert "in 1 of 2 turns" in text


def test_errors_are_counted(case: Case, make_turn: Callable[..., Turn]) -> None:
    result = Result(peers.OURS, [make_turn(10, 1.0, status_errors=3), make_turn(10, 1.0, status_errors=4)])
    (summary,) = report.summarise(Case(case.scenario, None, [result]))
    assert summary.errors == 7


def test_document_is_json_with_every_turn(case: Case) -> None:
    document = json.loads(report.document([case, case], {"name": "test", "plan": {"rounds": 3}}))
    assert document["name"] == "test"
    entry, _ = document["cases"]
    assert entry["request"] == "GET /"
    assert entry["failures"] == {"granian": "answered 500"}
    assert [t["requests"] for t in entry["turns"]["ours"]] == [4000, 9000, 6000]
