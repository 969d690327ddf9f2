"""Outcomes of runs of Django's test suite: reading them, comparing ours with stock, judging the differences."""

from __future__ import annotations

import fnmatch
import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: the test was started and never ended: the process died in it, or it hung until it was killed
CRASH = "crash"
#: the test ran on the other side only
MISSING = "missing"


@dataclass(frozen=True)
class Test:
    outcome: str
    seconds: float = 0.0
    switches: int = 0
    message: str = ""


@dataclass
class Run:
    """One run: outcomes by test id. ``finished`` is false when the process died and could not go on."""

    tests: dict[str, Test] = field(default_factory=dict)
    seconds: float = 0.0
    switches: int = 0
    ticks: int = 0
    finished: bool = False

    def totals(self) -> Counter[str]:
        return Counter(test.outcome for test in self.tests.values())

    def switching(self) -> int:
        """How many tests switched to the loop at least once."""
        return sum(test.switches > 0 for test in self.tests.values())


def read_run(path: Path) -> Run:
    """The run in a results file of tests/django/bolt_runner.py; an empty one when there is no file."""
    run = Run()
    if not path.exists():
        return run
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except json.JSONDecodeError:  # the process died while it wrote
            continue
        if "start" in line:
            run.tests[line["start"]] = Test(CRASH)
        elif "id" in line:
            identifier = line.pop("id")
            run.tests[identifier] = Test(**line)
        elif "ticks" in line:
            run.ticks += line["ticks"]
        else:
            run.seconds += line["summary"]["seconds"]
            run.switches += line["summary"]["switches"]
            run.finished = True
    return run


@dataclass(frozen=True)
class Difference:
    test: str
    stock: str
    ours: str
    message: str


def compare(stock: Run, ours: Run) -> list[Difference]:
    """Tests whose outcomes differ, by id. Failing by assertion and failing by error are different outcomes."""
    differences = []
    for test in sorted(stock.tests.keys() | ours.tests.keys()):
        before = stock.tests.get(test, Test(MISSING))
        after = ours.tests.get(test, Test(MISSING))
        if before.outcome != after.outcome:
            differences.append(Difference(test, before.outcome, after.outcome, after.message or before.message))
    return differences


@dataclass(frozen=True)
class Expectation:
    """An entry of expected.toml: ``tests`` (patterns of ids) end with ``ours`` in place of stock's outcome.

    ``db`` and ``mode`` restrict it; ``sometimes`` says that it does not happen in every run.
    """

    tests: tuple[str, ...]
    ours: str
    reason: str
    db: tuple[str, ...] = ("sqlite", "postgresql")
    mode: tuple[str, ...] = ("plain", "driven")
    sometimes: bool = False

    def applies(self, db: str, mode: str) -> bool:
        return db in self.db and mode in self.mode

    def covers(self, difference: Difference) -> bool:
        return difference.ours == self.ours and any(fnmatch.fnmatchcase(difference.test, name) for name in self.tests)


def read_expectations(path: Path) -> list[Expectation]:
    """Raises ValueError for an entry that lacks its reason or says something unknown."""
    expectations = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("expected", []):
        try:
            lists = {key: tuple(entry[key]) for key in ("tests", "db", "mode") if key in entry}
            expectation = Expectation(**{**entry, **lists})
        except TypeError as exc:
            raise ValueError(f"{path.name}: {entry}: {exc}") from None
        if not expectation.reason.strip():
            raise ValueError(f"{path.name}: {entry}: a reason is required")
        expectations.append(expectation)
    return expectations


@dataclass
class Verdict:
    """``explained`` pairs a difference with its reason; ``stale`` are patterns whose tests ran and did not differ."""

    unexplained: list[Difference] = field(default_factory=list)
    explained: list[tuple[Difference, str]] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.unexplained and not self.stale


def judge(differences: Iterable[Difference], applying: Iterable[Expectation], ran: Mapping[str, Test]) -> Verdict:
    """Which differences are expected. ``applying`` are the expectations for this database and mode."""
    verdict = Verdict()
    expectations = list(applying)
    for difference in differences:
        reason = next((entry.reason for entry in expectations if entry.covers(difference)), None)
        if reason is None:
            verdict.unexplained.append(difference)
        else:
            verdict.explained.append((difference, reason))
    differing = {difference.test for difference, _ in verdict.explained}
    for entry in expectations:
        if entry.sometimes:
            continue
        for pattern in entry.tests:
            named = fnmatch.filter(ran, pattern)
            if named and not differing.intersection(named):
                verdict.stale.append(pattern)
    return verdict
