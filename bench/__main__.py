"""Command line of the benchmark harness: `python -m bench`, or `make bench`."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench import databases, load, machine, measure, peers, plot, report, scenarios, venvs
from bench.venvs import SetupError

RESULTS = venvs.BENCH / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; returns the exit status."""
    options = parse_arguments(arguments)
    # Servers run in sessions of their own: ending without unwinding would leave them behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        cases = run(options)
    except KeyboardInterrupt:
        return 130
    except (SetupError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    failed = [result for case in cases for result in case.results if result.failure or result.errors]
    return 1 if failed or not cases else 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Options with their defaults; unknown names end the program with a usage message."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--scenarios", type=_names(scenarios.BY_NAME), default=list(scenarios.BY_NAME))
    usual = [peer.name for peer in peers.ALL if not peer.optional]
    parser.add_argument("--peers", type=_names(peers.BY_NAME), default=usual)
    parser.add_argument("--db", type=_names(databases.BY_NAME), default=list(databases.BY_NAME))
    parser.add_argument("--rounds", type=_positive, default=7)
    parser.add_argument("--seconds", type=_positive, default=5, help="length of one turn")
    parser.add_argument("--python", help="interpreter of all Python peers (default: 3.13, else 3.12)")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--client-core", type=int, default=1)
    parser.add_argument("--name", default="run", help="last part of the result files' names")
    return parser.parse_args(arguments)


class _names:
    """Converts a comma-separated list, refusing names that do not exist."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = list(known)

    def __call__(self, text: str) -> list[str]:
        chosen = [name.strip() for name in text.split(",") if name.strip()]
        unknown = sorted(set(chosen) - set(self._known))
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known: {', '.join(self._known)}")
        return chosen


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def run(options: argparse.Namespace) -> list[measure.Case]:
    """Prepares everything, measures case after case, prints tables and writes the result files."""
    load.require_wrk()
    machine.require_cores(options.server_core, options.client_core)
    python = venvs.find_python(options.python)
    chosen = [peer for peer in peers.ALL if peer.name in options.peers]
    programs = {peer: peer.prepare(python) for peer in chosen}
    plan = measure.Plan(
        rounds=options.rounds,
        seconds=options.seconds,
        warmup_seconds=min(2, options.seconds),
        server_core=options.server_core,
        client_core=options.client_core,
    )
    # The harness, wrk and a private PostgreSQL stay off the server's core.
    os.sched_setaffinity(0, {options.client_core})
    header = _header(options, plan, python, programs)
    cases: list[measure.Case] = []
    with ExitStack() as stack:
        opened = _open_databases(options, stack)
        header["databases"] = {name: dict(database.facts()) for name, database in opened.items()}
        for scenario in (scenarios.BY_NAME[name] for name in options.scenarios):
            for database in opened.values() if scenario.uses_database else (None,):
                case = measure.run_case(scenario, database, programs, plan)
                if case.results:
                    cases.append(case)
                    print(report.table(case) + "\n", flush=True)
    _write(options.name, cases, header)
    return cases


def _open_databases(options: argparse.Namespace, stack: ExitStack) -> Mapping[str, databases.Database]:
    """The databases that the chosen scenarios need; the stack closes them."""
    if not any(scenarios.BY_NAME[name].uses_database for name in options.scenarios):
        return {}
    opened: dict[str, databases.Database] = {}
    for name in options.db:
        opened[name] = databases.BY_NAME[name]()
        stack.callback(opened[name].close)
    return opened


def _header(
    options: argparse.Namespace, plan: measure.Plan, python: str, programs: Mapping[peers.Peer, Path]
) -> dict[str, object]:
    commit = subprocess.run(
        ["git", "-C", str(venvs.ROOT), "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", "bench", *sys.argv[1:]]),
        "name": options.name,
        "commit": commit.stdout.strip(),
        "machine": machine.facts(),
        "python": venvs.python_version(python),
        "plan": asdict(plan) | {"connections": load.CONNECTIONS, "asyncpg_pool": peers.POOL_SIZE},
        "packages": {
            peer.name: venvs.Environment(program.parent.parent).versions()
            for peer, program in programs.items()
            if peer.requirements
        },
    }


def _write(name: str, cases: Sequence[measure.Case], header: Mapping[str, object]) -> None:
    RESULTS.mkdir(exist_ok=True)
    base = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{name}"
    base.with_suffix(".json").write_text(report.document(cases, header))
    facts = machine.facts()
    notes = (
        f"{header['date']}, commit {header['commit']}, CPython {header['python']}",
        f"{facts['cpu']}, kernel {facts['kernel']}",
        str(header["command"]),
        "median of the rounds, whiskers: slowest and fastest round; (times the reference)",
    )
    panels = [(case.title, report.summarise(case)) for case in cases]
    chart = plot.svg("Requests per CPU-second of one server process", notes, panels)
    base.with_suffix(".svg").write_text(chart)
    print(f"written: {base.with_suffix('.json').relative_to(venvs.ROOT)} and .svg")


if __name__ == "__main__":
    sys.exit(main())
