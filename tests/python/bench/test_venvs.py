"""Finding interpreters and deciding when an environment is stale."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from bench import venvs


def test_find_python_takes_what_runs() -> None:
    assert venvs.find_python(sys.executable) == sys.executable
    with pytest.raises(venvs.SetupError, match="no-such-python"):
        venvs.find_python("no-such-python")


def test_an_environment_is_made_anew_only_when_something_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> str:
        if "platform" in command[-1]:
            return "3.13.0\n"
        if command[1:3] == ["-m", "venv"]:
            Path(command[3]).mkdir()
        made.append(command)
        return ""

    monkeypatch.setattr(venvs, "VENVS", tmp_path)
    monkeypatch.setattr(venvs, "ROOT", tmp_path)
    monkeypatch.setattr(venvs, "_run", run)
    (tmp_path / "engine").mkdir()
    source = tmp_path / "engine" / "a.c"
    source.write_text("int a;")

    def prepare(*requirements: str) -> int:
        before = len(made)
        assert venvs.prepare("peer", "python3.13", requirements).path == tmp_path / "peer-cp313"
        return len(made) - before

    assert prepare("x==1") == 2
    assert made[-1][-1] == "x==1"
    assert prepare("x==1") == 0
    assert prepare("x==2") == 2
    assert prepare(str(tmp_path)) == 2
    assert prepare(str(tmp_path)) == 0
    source.write_text("int b;")
    assert prepare(str(tmp_path)) == 2


def test_a_failed_command_shows_its_last_lines() -> None:
    with pytest.raises(venvs.SetupError, match="told you so"):
        venvs._run([sys.executable, "-c", "import sys; sys.exit('told you so')"])
    with pytest.raises(venvs.SetupError, match="not installed"):
        venvs._run(["no-such-program"])
