"""The SVG chart."""

from __future__ import annotations

from xml.etree import ElementTree

from bench import plot, report
from bench.measure import Case


def test_chart_is_well_formed_and_has_a_bar_per_summary(case: Case) -> None:
    text = plot.svg("A < B & C", ["note"], [(case.title, report.summarise(case)), ("empty", [])])
    root = ElementTree.fromstring(text)
    names = [element.tag.rpartition("}")[2] for element in root]
    assert names.count("rect") == 1 + 2
    assert "A < B & C" in [element.text for element in root]
    assert "6,000 (3.00x)" in [element.text for element in root]
