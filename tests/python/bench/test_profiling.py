"""Reading what the profilers print."""

from __future__ import annotations

import pytest
from bench.profiling import instructions, user_functions
from bench.venvs import SetupError

REPORT = [
    "    52.10%  [kernel.kallsyms]     [k] tcp_sendmsg    -      -    ",
    "     8.20%  _core.so              [.] bolt_http1_next    -      -    ",
    "     3.10%  python3.13            [.] _PyEval_EvalFrameDefault    -      -    ",
    "     1.10%  libc.so.6             [.] memcpy    -      -    ",
]


def test_kernel_functions_are_left_out() -> None:
    lines = user_functions(REPORT, 2)
    assert [line.split()[-1] for line in lines] == ["bolt_http1_next", "_PyEval_EvalFrameDefault"]


def test_instructions_are_read_from_the_totals() -> None:
    assert instructions(["Events: Ir", "38,848,827 (100.0%)  PROGRAM TOTALS"]) == 38848827
    with pytest.raises(SetupError, match="recorded nothing"):
        instructions([])
