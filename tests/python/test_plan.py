"""bindings/plan.h and django_bolt/_plan.py hold the same numbers."""

from __future__ import annotations

import enum
import re
from pathlib import Path

import pytest

from django_bolt import _plan

HEADER = Path(__file__).resolve().parents[2] / "bindings" / "plan.h"
ENUM = re.compile(r"enum bolt_py_(\w+) \{(.*?)\};", re.DOTALL)


def c_enums() -> dict[str, dict[str, int]]:
    """Every enum of the header: its name to {member without the common stem: number}."""
    found = {}
    for name, body in ENUM.findall(HEADER.read_text(encoding="utf-8")):
        members, number = {}, 0
        for entry in filter(None, (part.strip() for part in body.split(","))):
            member, _, given = (part.strip() for part in entry.partition("="))
            number = int(given) if given else number
            members[member.removeprefix(f"BOLT_PY_{name.removesuffix('_kind').upper()}_")] = number
            number += 1
        found[name] = members
    return found


@pytest.mark.parametrize(
    ("c_name", "python_enum"),
    [
        ("source", _plan.Source),
        ("kind", _plan.Kind),
        ("container", _plan.Container),
        ("result_kind", _plan.ResultKind),
    ],
)
def test_numbers_agree(c_name: str, python_enum: type[enum.IntEnum]) -> None:
    assert c_enums()[c_name] == {member.name: member.value for member in python_enum}


def test_no_enum_is_left_out() -> None:
    assert sorted(c_enums()) == ["container", "kind", "result_kind", "source"]
