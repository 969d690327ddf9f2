"""The console script."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from django_bolt.cli import main


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out == version("django-cbolt") + "\n"


@pytest.mark.parametrize("arguments", [[], ["init"], ["version", "more"]])
def test_usage_errors(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: django-bolt" in capsys.readouterr().err
