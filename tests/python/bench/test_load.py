"""Reading wrk's result."""

from __future__ import annotations

import json

import pytest
from bench.load import Load, parse
from bench.venvs import SetupError

FIELDS = {
    "requests": 1000,
    "duration_us": 2_000_000,
    "bytes": 5000,
    "p50_us": 300,
    "p99_us": 900,
    "max_us": 1200,
    "connect_errors": 1,
    "read_errors": 2,
    "write_errors": 4,
    "status_errors": 8,
    "timeouts": 16,
}


def test_parse_finds_the_line_that_the_script_writes() -> None:
    load = parse("Running 1s test @ somewhere\n  1 threads\nBENCH " + json.dumps(FIELDS) + "\n")
    assert load == Load(**FIELDS)
    assert load.seconds == 2.0
    assert load.errors == 31


def test_parse_without_the_line_is_an_error() -> None:
    with pytest.raises(SetupError, match="no result"):
        parse("Running 1s test\n")
