"""Drives a server with wrk and reads back what it counted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass

from bench.peers import HOST
from bench.scenarios import Scenario
from bench.venvs import BENCH, SetupError

CONNECTIONS = 64
_MARK = "BENCH "
_GRACE_SECONDS = 30


@dataclass(frozen=True)
class Load:
    """Result of one wrk run; latencies in microseconds, closed loop (see docs/benchmarks.md)."""

    requests: int
    duration_us: int
    bytes: int
    p50_us: int
    p99_us: int
    max_us: int
    connect_errors: int
    read_errors: int
    write_errors: int
    status_errors: int
    timeouts: int

    @property
    def errors(self) -> int:
        """Socket errors, timeouts and answers with status 400 or above."""
        sockets = self.connect_errors + self.read_errors + self.write_errors
        return sockets + self.status_errors + self.timeouts

    @property
    def seconds(self) -> float:
        return self.duration_us / 1e6


def require_wrk() -> str:
    """Path of wrk, installed from Debian when we may.

    Raises SetupError, saying how to install it, when it is absent.
    """
    if shutil.which("wrk") is None and os.geteuid() == 0 and shutil.which("apt-get") is not None:
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "wrk"]
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(install, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    path = shutil.which("wrk")
    if path is None:
        raise SetupError("wrk is missing; run: sudo apt-get install wrk")
    return path


def run(scenario: Scenario, port: int, seconds: int, core: int) -> Load:
    """One wrk run: one thread on `core`, CONNECTIONS keep-alive connections, for `seconds`.

    Raises SetupError when wrk fails or reports nothing.
    """
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
    command += ["-s", str(BENCH / "wrk.lua"), f"http://{HOST}:{port}{scenario.target}"]
    environment = {**os.environ, "BENCH_METHOD": scenario.method}
    if scenario.body is not None:
        environment["BENCH_BODY"] = scenario.body
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=seconds + _GRACE_SECONDS, check=False
    )
    if done.returncode != 0:
        raise SetupError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return parse(done.stdout)


def parse(output: str) -> Load:
    """The result in wrk's output. Raises SetupError when the line that wrk.lua writes is missing."""
    for line in output.splitlines():
        if line.startswith(_MARK):
            return Load(**json.loads(line.removeprefix(_MARK)))
    raise SetupError(f"wrk reported no result:\n{output}")
