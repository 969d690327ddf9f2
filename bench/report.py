"""Turns results into a table for the terminal and a JSON document for the record."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from bench.measure import Case, Result
from bench.peers import CEILING, REFERENCE

NOISY_SHARE = 0.05
"""A turn in which others used more of the server's core than this is called noisy."""

_HEADINGS = (
    "server",
    "req/CPU-s",
    "min-max",
    f"x {REFERENCE.name}",
    "% ceiling",
    "req/s",
    "core",
    "p50 ms",
    "p99 ms",
    "MiB",
    "errors",
)


@dataclass(frozen=True)
class Summary:
    """One line of the table. Medians over the rounds; ratios are medians of the per-round ratios."""

    peer: str
    title: str
    requests_per_cpu_second: float
    lowest: float
    highest: float
    times_reference: float | None
    share_of_ceiling: float | None
    requests_per_second: float
    core_share: float
    """CPU time of the server per second: 1 is a full core; less means that it waited for the client or a database."""
    p50_ms: float
    p99_ms: float
    resident_mib: float
    processes: int
    connections: int | None
    errors: int
    noisy_turns: int


def summarise(case: Case) -> list[Summary]:
    """One summary per peer that finished, fastest first."""
    finished = [result for result in case.results if result.failure is None and result.turns]
    summaries = [_summary(result, case) for result in finished]
    return sorted(summaries, key=lambda summary: -summary.requests_per_cpu_second)


def ratio(result: Result, base: Result | None) -> float | None:
    """How many times faster than `base`: the median over rounds, so that drift between rounds cancels out."""
    if base is None or base.failure is not None or not base.turns:
        return None
    pairs = zip(result.speeds, base.speeds, strict=True)
    return statistics.median(mine / theirs if theirs else 0.0 for mine, theirs in pairs)


def _summary(result: Result, case: Case) -> Summary:
    by_name = {other.peer.name: other for other in case.results}

    def median(value: Callable[[int], float]) -> float:
        return statistics.median(value(index) for index in range(len(result.turns)))

    turns = result.turns
    return Summary(
        peer=result.peer.name,
        title=result.peer.title,
        requests_per_cpu_second=result.median_speed,
        lowest=min(result.speeds),
        highest=max(result.speeds),
        times_reference=ratio(result, by_name.get(REFERENCE.name)),
        share_of_ceiling=ratio(result, by_name.get(CEILING.name)),
        requests_per_second=median(lambda i: turns[i].load.requests / turns[i].load.seconds),
        core_share=median(lambda i: turns[i].cpu_seconds / turns[i].load.seconds),
        p50_ms=median(lambda i: turns[i].load.p50_us / 1e3),
        p99_ms=median(lambda i: turns[i].load.p99_us / 1e3),
        resident_mib=result.resident_bytes / 2**20,
        processes=result.processes,
        connections=result.connections,
        errors=result.errors,
        noisy_turns=sum(turn.foreign_share > NOISY_SHARE for turn in turns),
    )


def table(case: Case) -> str:
    """The case as text: a title, aligned columns, then what went wrong."""
    rows = [_HEADINGS, *(_cells(summary) for summary in summarise(case))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = [case.title, *(_aligned(row, widths) for row in rows)]
    lines += [f"  {result.peer.name}: FAILED, {result.failure}" for result in case.results if result.failure]
    counted = [f"{s.peer} {s.connections}" for s in summarise(case) if s.connections is not None]
    if counted:
        lines.append(f"  connections to the database: {', '.join(counted)}")
    noisy = sum(summary.noisy_turns for summary in summarise(case))
    if noisy:
        total = sum(len(result.turns) for result in case.results)
        lines.append(f"  noise: in {noisy} of {total} turns others used over {NOISY_SHARE:.0%} of the server's core")
    return "\n".join(lines)


def _cells(summary: Summary) -> tuple[str, ...]:
    return (
        summary.title,
        f"{summary.requests_per_cpu_second:,.0f}",
        f"{summary.lowest:,.0f}-{summary.highest:,.0f}",
        "-" if summary.times_reference is None else f"{summary.times_reference:.2f}",
        "-" if summary.share_of_ceiling is None else f"{summary.share_of_ceiling:.0%}",
        f"{summary.requests_per_second:,.0f}",
        f"{summary.core_share:.0%}",
        f"{summary.p50_ms:.2f}",
        f"{summary.p99_ms:.2f}",
        f"{summary.resident_mib:.0f}",
        str(summary.errors),
    )


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  " + "  ".join([first, *others])


def document(cases: Sequence[Case], header: Mapping[str, object]) -> str:
    """Everything measured as JSON text: the header, then per case, on a line of its own, summaries and turns."""
    opening = json.dumps(header, indent=1).removesuffix("\n}")
    lines = ",\n".join("  " + json.dumps(_case_document(case)) for case in cases)
    return f'{opening},\n "cases": [\n{lines}\n ]\n}}\n'


def _case_document(case: Case) -> dict[str, object]:
    return {
        "scenario": case.scenario.name,
        "title": case.title,
        "request": f"{case.scenario.method} {case.scenario.target}",
        "database": case.database,
        "summary": [asdict(summary) for summary in summarise(case)],
        "failures": {result.peer.name: result.failure for result in case.results if result.failure},
        "turns": {
            result.peer.name: [
                {**asdict(turn.load), "cpu_seconds": turn.cpu_seconds, "foreign_seconds": turn.foreign_seconds}
                for turn in result.turns
            ]
            for result in case.results
        },
    }
