"""The Django application."""

from __future__ import annotations

from pathlib import Path

from django.core.management import find_commands

import django_bolt.apps
from django_bolt.apps import DjangoBoltConfig


def test_the_command_is_found_in_any_kind_of_install() -> None:
    path = Path(DjangoBoltConfig.path)
    assert path == Path(str(django_bolt.apps.__file__)).parent
    assert "runbolt" in find_commands(str(path / "management"))
