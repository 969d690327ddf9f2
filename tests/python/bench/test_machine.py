"""Facts about the machine."""

from __future__ import annotations

import os

import pytest
from bench import machine

STAT = """cpu  10 0 10 100 0 0 0 0 0 0
cpu0 100 20 30 4000 500 6 7 8 9 10
cpu1 1 2 3 4 5 6 7 8 9 10
"""


def test_core_times_leave_out_idle_and_waiting() -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    times = machine.parse_core_times(STAT, 0)
    assert times.busy == (100 + 20 + 30 + 6 + 7) / ticks
    assert times.stolen == 8 / ticks


def test_an_absent_core_is_refused() -> None:
    with pytest.raises(ValueError, match="no core 7"):
        machine.parse_core_times(STAT, 7)
    with pytest.raises(ValueError, match="core 4096 is not available"):
        machine.require_cores(4096)


def test_facts_are_filled_in() -> None:
    assert all(machine.facts().values())
