"""The ``django-bolt`` console script. Everything else is a ``manage.py`` command."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.metadata import version


def main(argv: Sequence[str] | None = None) -> int:
    """Run the console script; returns the exit code. Exits with 2 on a usage error, as argparse does."""
    parser = argparse.ArgumentParser(prog="django-bolt", description="django_bolt outside of a project.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("version", help="Print the installed version.")
    parser.parse_args(argv)
    print(version("django-cbolt"))
    return 0
