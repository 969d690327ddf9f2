"""Table, JSON document and chart."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from bench import peers, plot, report, scenarios
from bench.load import Load
from bench.measure import Case, Result, Turn


def turn(requests: int, cpu_seconds: float, *, foreign_seconds: float = 0.0, status_errors: int = 0) -> Turn:
    load = Load(requests, 1_000_000, requests * 100, 500, 2000, 3000, 0, 0, 0, status_errors, 0)
    return Turn(load, cpu_seconds, foreign_seconds)


@pytest.fixture
def case() -> Case:
    ours = Result(peers.OURS, [turn(4000, 1.0), turn(9000, 1.0), turn(6000, 1.0)], 50 * 2**20, 1)
    reference = Result(peers.REFERENCE, [turn(1000, 1.0), turn(3000, 1.0), turn(2000, 0.5)], 80 * 2**20, 1)
    broken = Result(peers.BY_NAME["granian"], [turn(1, 1.0)], failure="answered 500")
    return Case(scenarios.BY_NAME["hello"], None, [reference, ours, broken])


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


def test_table_tells_of_noise() -> None:
    noisy = Result(peers.OURS, [turn(10, 1.0, foreign_seconds=0.06), turn(10, 1.0, foreign_seconds=0.04)])
    text = report.table(Case(scenarios.BY_NAME["hello"], None, [noisy]))
    assert "in 1 of 2 turns" in text


def test_errors_are_counted(case: Case) -> None:
    result = Result(peers.OURS, [turn(10, 1.0, status_errors=3), turn(10, 1.0, status_errors=4)])
    (summary,) = report.summarise(Case(case.scenario, None, [result]))
    assert summary.errors == 7


def test_document_is_json_with_every_turn(case: Case) -> None:
    document = json.loads(json.dumps(report.document([case], {"name": "test"})))
    assert document["name"] == "test"
    (entry,) = document["cases"]
    assert entry["request"] == "GET /"
    assert entry["failures"] == {"granian": "answered 500"}
    assert [t["requests"] for t in entry["turns"]["ours"]] == [4000, 9000, 6000]


def test_chart_is_well_formed_and_has_a_bar_per_summary(case: Case) -> None:
    text = plot.svg("A < B & C", ["note"], [(case.title, report.summarise(case)), ("empty", [])])
    root = ElementTree.fromstring(text)
    names = [element.tag.rpartition("}")[2] for element in root]
    assert names.count("rect") == 1 + 2
    assert "A < B & C" in [element.text for element in root]
    assert "6,000 (3.00x)" in [element.text for element in root]
