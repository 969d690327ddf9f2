"""A short soak of a real server: wrong answers, kept tasks and descriptors, growing memory. ``make soak`` is
the long one."""

from __future__ import annotations

import os

import pytest
from tools import soak

#: Under a sanitizer freed memory is kept back, and everything takes longer.
SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")
MAX_GROWTH_KIB = None if SANITIZED else 4096


@pytest.mark.parametrize("interpreter", ["plain", "dev"])
def test_half_of_the_requests_aborted(interpreter: str) -> None:
    """-X dev adds asyncio's debug mode, the checking allocator, and warnings for what was never awaited or closed."""
    python = ("-X", "dev") if interpreter == "dev" else ()
    requests = 2_000 if SANITIZED or python else 5_000
    with soak.running(python=python) as server:
        outcome = soak.soak(server, requests=requests, connections=200, warmup=1_000)
        assert server.stop() == 0
        assert server.errors() == ""
    assert outcome.faults(MAX_GROWTH_KIB) == []
    assert outcome.report.answered + outcome.report.aborted == requests
    assert min(outcome.report.answered, outcome.report.aborted) > requests * 2 // 5
