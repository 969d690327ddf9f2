"""The command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench import __main__ as command
from bench import peers, scenarios, venvs
from bench.measure import Case


def test_defaults_cover_every_scenario_and_usual_peer() -> None:
    options = command.parse_arguments([])
    assert options.scenarios == [scenario.name for scenario in scenarios.ALL]
    assert options.db == ["sqlite", "postgresql"]
    assert "django-wsgi" not in options.peers
    assert {"ours", "django-bolt", "ceiling"} <= set(options.peers)


def test_lists_are_split() -> None:
    options = command.parse_arguments(["--scenarios", "hello, typed", "--peers", "ours"])
    assert options.scenarios == ["hello", "typed"]
    assert options.peers == ["ours"]


@pytest.mark.parametrize("arguments", [["--peers", "nobody"], ["--rounds", "0"], ["--db", "oracle"]])
def test_misuse_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.parse_arguments(arguments)
    assert arguments[0] in capsys.readouterr().err


def test_result_files_are_written(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(venvs, "ROOT", tmp_path)
    header = {"date": "2030-01-01", "commit": "abc", "python": "3.13.0", "command": "python -m bench"}
    command._write("test", [case], header)
    document, chart = sorted((tmp_path / "results").iterdir())
    assert document.name.endswith("-test.json")
    assert json.loads(document.read_text())["cases"][0]["summary"][0]["peer"] == peers.OURS.name
    assert "python -m bench" in chart.read_text()
