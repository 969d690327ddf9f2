#!/usr/bin/env python3
"""Soaks a real server: ``tools/soak.py --requests 100000 --connections 1000``, or ``make soak``.

Starts ``manage.py runbolt`` on tests/python/soak/project, lets tools/soak_client.py at it twice (a warm-up that
fills pools and caches, then the soak), and compares what the process says it holds before and after. Prints a summary;
exits 1 when a request was answered wrongly, anything of a request was kept, memory grew, or the server wrote to
standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import soak_client

PROJECT = Path(__file__).resolve().parents[1] / "tests/python/soak/project"
_START_TIMEOUT_S = 60.0
_QUIET_TIMEOUT_S = 20.0
State = dict[str, Any]


class SoakError(Exception):
    """The server did not start, or does not come to rest."""


class Server:
    """A running ``manage.py runbolt``; its output is kept for the end."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path, errors: Path) -> None:
        self.process = process
        self._output = output
        self._errors = errors
        self.address = ("127.0.0.1", 0)

    def wait_ready(self) -> None:
        """Until the banner tells the port. Raises SoakError when the server ends or takes too long."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while (match := re.search(r"http://([\d.]+):(\d+)", self._output.read_text())) is None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SoakError(f"the server did not start:\n{self._output.read_text()}{self.errors()}")
            time.sleep(0.02)
        self.address = (match[1], int(match[2]))

    def errors(self) -> str:
        """What it has written to standard error, but for the messages of the command itself."""
        lines = self._errors.read_text().splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("runbolt: "))

    def state(self) -> State:
        """What the process holds now."""
        host, port = self.address
        with urllib.request.urlopen(f"http://{host}:{port}/state", timeout=30) as response:
            state: State = json.load(response)
            return state

    def quiet_state(self) -> State:
        """The state once our own request is the only one. Raises SoakError when others stay."""
        deadline = time.monotonic() + _QUIET_TIMEOUT_S
        while True:
            state = self.state()
            if state["server"]["connections"] == 1 and state["server"]["exchanges_open"] == 1 and state["tasks"] == 1:
                return state
            if time.monotonic() > deadline:
                raise SoakError(f"requests are still open: {state}")
            time.sleep(0.05)

    def stop(self) -> int:
        """Drain; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def running(
    *flags: str, python: Sequence[str] = (), descriptors: int = 4096, limit_descriptors: int | None = None
) -> Iterator[Server]:
    """A server on a free port, killed in the end if it still runs. ``python`` are interpreter options.

    The server may open ``descriptors`` files at least, or ``limit_descriptors`` at most.
    """
    soak_client.allow_descriptors(descriptors)  # inherited
    command = [sys.executable, *python, "manage.py", "runbolt", "--host", "127.0.0.1", "--port", "0", *flags]
    if limit_descriptors is not None:
        command = ["sh", "-c", f'ulimit -n {limit_descriptors}; exec "$0" "$@"', *command]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "soak.settings", "NO_COLOR": "1"}
    with tempfile.TemporaryDirectory(prefix="bolt-soak-") as directory:
        output, errors = Path(directory, "output"), Path(directory, "errors")
        with (
            output.open("wb") as stdout,
            errors.open("wb") as stderr,
            subprocess.Popen(command, cwd=PROJECT, stdout=stdout, stderr=stderr, env=environment) as process,
        ):
            try:
                server = Server(process, output, errors)
                server.wait_ready()
                yield server
            finally:
                if process.poll() is None:
                    process.kill()


@dataclass(frozen=True, slots=True)
class Outcome:
    """Before (warm) and after, and what the client saw in between."""

    before: State
    after: State
    report: soak_client.Report
    errors: str

    def faults(self, max_growth_kib: int | None) -> list[str]:
        """Everything that breaks the promise. None does not judge memory (sanitizers keep what is freed)."""
        before, after = self.before, self.after
        faults = list(self.report.failures)
        if self.report.failed > len(faults):
            faults.append(f"... and {self.report.failed - len(faults)} more")
        for name in ("tasks", "fds", "threads", "uncollectable"):
            if after[name] != before[name]:
                faults.append(f"{name}: {before[name]} before, {after[name]} after")
        for name, count in after["objects"].items():
            if count > before["objects"][name]:
                faults.append(f"{name} objects: {before['objects'][name]} before, {count} after")
        stats = after["server"]
        if stats["accepted"] != stats["closed"] + stats["connections"]:
            faults.append(f"{stats['accepted']} connections accepted, {stats['closed']} closed")
        growth = after["rss_kib"] - before["rss_kib"]
        if max_growth_kib is not None and growth > max_growth_kib:
            faults.append(f"resident memory grew by {growth} KiB")
        if self.errors:
            faults.append(f"standard error: {self.errors[:2000]}")
        return faults


def soak(server: Server, *, requests: int, connections: int, warmup: int, seed: int = 1) -> Outcome:
    """Warm up, measure, soak, measure."""
    soak_client.soak(server.address, requests=warmup, connections=connections, seed=seed, first=requests)
    before = server.quiet_state()
    report = soak_client.soak(server.address, requests=requests, connections=connections, seed=seed)
    return Outcome(before, server.quiet_state(), report, server.errors())


def _print_summary(outcome: Outcome) -> None:
    report, before, after = outcome.report, outcome.before, outcome.after
    print(f"{report.answered} requests answered, {report.aborted} aborted, {report.failed} failed")
    print(f"{report.connected} connections, {report.seconds:.1f} s")
    for kind, count in sorted(report.kinds.items()):
        print(f"  {count:7} {kind}")
    for name in ("rss_kib", "blocks", "tracked", "fds", "tasks", "threads", "uncollectable"):
        print(f"{name:14} {before[name]:8} -> {after[name]:8}")
    for name, count in after["objects"].items():
        print(f"{name:24} {before['objects'][name]:4} -> {count:4}")
    print("server:", ", ".join(f"{name} {value}" for name, value in after["server"].items()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max-growth-kib", type=int, default=2048)
    flags = parser.parse_args()
    with running(descriptors=flags.connections + 256) as server:
        warmup = max(flags.requests // 5, 2 * flags.connections)
        outcome = soak(server, requests=flags.requests, connections=flags.connections, warmup=warmup, seed=flags.seed)
        code = server.stop()
    _print_summary(outcome)
    faults = outcome.faults(flags.max_growth_kib)
    if code:
        faults.append(f"the server exited with {code}")
    for fault in faults:
        print("FAULT:", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
