"""Programs under test: started as processes, followed by the lines they print, stopped by signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

END_TIMEOUT_S = 30.0


class Program:
    """A running process whose standard output and error are one stream of lines."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.unexpected: list[str] = []

    def expect(self, pattern: str) -> re.Match[str]:
        """The first line, not expected before, that matches; several processes write, so their order is open.

        Fails with what was printed when the output ends first.
        """
        assert self.process.stdout is not None
        for index, line in enumerate(self.unexpected):
            if match := re.search(pattern, line):
                del self.unexpected[index]
                return match
        for line in self.process.stdout:
            if match := re.search(pattern, line):
                return match
            self.unexpected.append(line)
        pytest.fail(f"no line matches {pattern!r} in:\n{''.join(self.unexpected)}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process (not to its children)."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for the end; the exit code, negative when a signal was the end."""
        return self.process.wait(END_TIMEOUT_S)

    def rest(self) -> str:
        """Wait for the end; all lines that were not expected."""
        assert self.process.stdout is not None
        return "".join(self.unexpected) + self.process.stdout.read()


@contextmanager
def program(
    command: Sequence[str], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Run ``command``; kills it, and its children with it, when the block ends before it does."""
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=os.environ | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield Program(process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Whether a process of that id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
