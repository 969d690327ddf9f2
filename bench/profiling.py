"""Where our server spends its time under a scenario: `make profile SCENARIO=hello`.

perf samples real time on the pinned core; callgrind counts instructions, which repeats exactly on a noisy machine but
runs some fifty times slower and sees no kernel. Only our own server is ever profiled.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import databases, load, machine, measure, peers, scenarios, venvs
from bench.databases import CACHE, Database
from bench.process import Server, ServerError
from bench.venvs import SetupError

_SAMPLES_PER_SECOND = 4000
_WARMUP_SECONDS = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Profiles one scenario and prints the functions that cost most; returns the exit status."""
    parser = argparse.ArgumentParser(prog="bench.profiling", description=__doc__)
    parser.add_argument("--scenario", choices=list(scenarios.BY_NAME), default="hello")
    parser.add_argument("--db", choices=list(databases.BY_NAME), default="sqlite")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--tool", choices=["perf", "callgrind"], default="perf")
    parser.add_argument("--top", type=int, default=30, help="lines to print")
    parser.add_argument("--python", help="interpreter (default: 3.13, else 3.12)")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--client-core", type=int, default=1)
    options = parser.parse_args(arguments)
    try:
        machine.require_cores(options.server_core, options.client_core)
        print("\n".join(profile(options)))
    except (SetupError, ServerError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def profile(options: argparse.Namespace) -> list[str]:
    """Lines of the report. Raises SetupError or ServerError when a tool or the server does not run."""
    load.require_wrk()
    tool = shutil.which("perf" if options.tool == "perf" else "valgrind")
    if tool is None:
        raise SetupError("install linux-perf or valgrind (apt-get install linux-perf valgrind)")
    program = peers.OURS.prepare(venvs.find_python(options.python))
    os.sched_setaffinity(0, {options.client_core})
    scenario = scenarios.BY_NAME[options.scenario]
    record = _perf if options.tool == "perf" else _callgrind
    with ExitStack() as stack:
        database: Database | None = None
        if scenario.uses_database:
            database = databases.BY_NAME[options.db]()
            stack.callback(database.close)
        return record(options, program, scenario, database)


def _perf(
    options: argparse.Namespace, program: Path, scenario: scenarios.Scenario, database: Database | None
) -> list[str]:
    data = _output("perf.data")
    with measure.start_server(peers.OURS, program, scenario, database, options.server_core) as server:
        measure.check(scenario, server.port)
        load.run(scenario, server.port, _WARMUP_SECONDS, options.client_core)
        pids = ",".join(str(pid) for pid in server.pids())
        command = ["perf", "record", "-q", "-F", str(_SAMPLES_PER_SECOND), "-p", pids, "-o", str(data)]
        recorder = subprocess.Popen([*command, "--", "sleep", str(options.seconds)], stderr=subprocess.PIPE)
        _report_load(load.run(scenario, server.port, options.seconds, options.client_core), server)
        _, errors = recorder.communicate(timeout=60)
        if recorder.returncode != 0:
            raise SetupError(f"perf record: {errors.decode(errors='replace').strip()}")
    summary = _run(["perf", "report", "-i", str(data), "--stdio", "--no-children", "--sort", "dso"])
    functions = _run(["perf", "report", "-i", str(data), "--stdio", "--no-children", "--sort", "dso,symbol"])
    return [
        "by library:",
        *summary[:12],
        "",
        f"user space, top {options.top}:",
        *user_functions(functions, options.top),
    ]


def user_functions(report: Sequence[str], count: int) -> list[str]:
    """The first `count` lines of a perf report that are not kernel functions, without perf's empty columns."""
    return [line.rstrip(" -") for line in report if " [.] " in line][:count]


def _callgrind(
    options: argparse.Namespace, program: Path, scenario: scenarios.Scenario, database: Database | None
) -> list[str]:
    data = _output("callgrind.out")
    valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={data}", "--quiet"]
    with measure.start_server(peers.OURS, program, scenario, database, options.server_core, wrapper=valgrind) as server:
        measure.check(scenario, server.port)
        load.run(scenario, server.port, _WARMUP_SECONDS, options.client_core)
        pid = str(server.pids()[0])
        _run(["callgrind_control", "-i", "on", pid])
        done = load.run(scenario, server.port, options.seconds, options.client_core)
        _report_load(done, server)
        _run(["callgrind_control", "-i", "off", pid])
        _run(["callgrind_control", f"--dump={scenario.name}", pid])
    dump = max(data.parent.glob(f"{data.name}*"), key=lambda path: path.stat().st_size)
    lines = _run(["callgrind_annotate", "--auto=no", "--threshold=95", str(dump)])
    per_request = instructions(lines) / max(1, done.requests)
    first = next(index for index, line in enumerate(lines) if "file:function" in line)
    return [f"{per_request:,.0f} user-space instructions per request", *lines[first : first + options.top + 2]]


def instructions(report: Sequence[str]) -> int:
    """The total of a callgrind_annotate report. Raises SetupError when there is none."""
    for line in report:
        if "PROGRAM TOTALS" in line:
            return int(line.split()[0].replace(",", ""))
    raise SetupError("callgrind recorded nothing")


def _output(name: str) -> Path:
    """A path for recorded data in an empty directory; the data stays there for further questions until the next run."""
    directory = CACHE / "profile"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory / name


def _report_load(done: load.Load, server: Server) -> None:
    rate = done.requests / done.seconds
    print(f"{done.requests:,} requests, {rate:,.0f}/s, {done.errors} errors; processes: {server.pids()}")


def _run(command: Sequence[str]) -> list[str]:
    """Non-empty, non-comment lines that a command prints. Raises SetupError when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(f"{' '.join(command)}\n{done.stderr.strip()}")
    return [line for line in done.stdout.splitlines() if line.strip() and not line.startswith("#")]


if __name__ == "__main__":
    sys.exit(main())
