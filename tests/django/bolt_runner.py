"""Test runner for Django's own suite: records every outcome and, in driven mode, runs the suite in a worker.

BOLT_DJANGO_MODE     plain: tests run as Django runs them
                     driven: the whole run, class fixtures included, happens in one worker of a running event loop
BOLT_DJANGO_RESULTS  file of JSON lines, appended to. Tests that it names already are left out, so a run that
                     died goes on behind the test that killed it.

Each line is ``{"start": id}`` or ``{"id", "outcome", "seconds", "switches", "message"}``; the last one
``{"summary": {...}}``. ``switches`` counts the worker's switches to the loop and back during the test.
"""

from __future__ import annotations

import asyncio
import faulthandler
import json
import os
import time
import traceback
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import greenlet  # type: ignore[import-untyped]
from django.db import DatabaseError
from django.test.runner import DiscoverRunner

_OURS = os.environ["BOLT_DJANGO_BACKEND"] == "ours"
_DRIVEN = os.environ["BOLT_DJANGO_MODE"] == "driven"
#: a test that takes longer hangs: the process prints every thread's stack and ends
_TEST_TIMEOUT_S = float(os.environ.get("BOLT_DJANGO_TEST_TIMEOUT", "240"))
_TICK_S = 0.01
_MESSAGE_OCTETS = 4000
_TEARDOWN = "teardown of the test databases"

T = TypeVar("T")
ExcInfo = tuple[type[BaseException], BaseException, TracebackType]


class Switches:
    """Counts greenlet switches of this thread: the proof that driven tests wait on the loop."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, event: str, args: Any) -> None:
        self.count += 1


switches = Switches()


class Recorder:
    """The results file of this run."""

    def __init__(self, path: Path) -> None:
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        self.known = {line.get("id") or line.get("start") for line in lines}
        self._file = path.open("a", buffering=1)

    def write(self, **line: Any) -> None:
        self._file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        self._file.close()


recorder = Recorder(Path(os.environ["BOLT_DJANGO_RESULTS"]))


class Result(unittest.TextTestResult):
    """Writes one line per test. Only failures are printed."""

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        recorder.write(start=test.id())
        faulthandler.dump_traceback_later(_TEST_TIMEOUT_S, exit=True)
        self._outcome, self._message = "pass", ""
        self._switches, self._began = switches.count, time.monotonic()

    def stopTest(self, test: unittest.TestCase) -> None:
        faulthandler.cancel_dump_traceback_later()
        recorder.write(
            id=test.id(),
            outcome=self._outcome,
            seconds=round(time.monotonic() - self._began, 4),
            switches=switches.count - self._switches,
            message=self._message,
        )
        super().stopTest(test)

    def _note(self, test: Any, outcome: str, message: str) -> None:
        if isinstance(test, unittest.TestCase):
            self._outcome, self._message = outcome, message[-_MESSAGE_OCTETS:]
        else:  # setUpClass and its like: not between startTest and stopTest
            recorder.write(id=test.id(), outcome=outcome, seconds=0, switches=0, message=message[-_MESSAGE_OCTETS:])

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        self._note(test, "error", self.errors[-1][1])

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, err)
        self._note(test, "fail", self.failures[-1][1])

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            failed = issubclass(err[0], test.failureException)
            self._note(test, "fail" if failed else "error", (self.failures if failed else self.errors)[-1][1])

    def addSkip(self, test: Any, reason: str) -> None:
        super().addSkip(test, reason)
        self._note(test, "skip", reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self._note(test, "xfail", "")

    def addUnexpectedSuccess(self, test: Any) -> None:
        super().addUnexpectedSuccess(test)
        self._note(test, "xpass", "")


def _in_worker(function: Callable[[], T]) -> T:
    """Run ``function`` in a worker of a new event loop, beside a ticker that shows the loop stays alive."""
    from django_bolt import _core  # noqa: PLC0415  (stock runs import nothing of ours)

    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(_TICK_S)
            ticks += 1

    async def main() -> T:
        ticker = asyncio.create_task(tick())
        try:
            return await _core.spawn(function)
        finally:
            ticker.cancel()
            recorder.write(ticks=ticks)

    greenlet.settrace(switches)
    try:
        with asyncio.Runner() as runner:
            return runner.run(main())
    finally:
        greenlet.settrace(None)


def _force_yields() -> None:
    """Short SQLite statements never wait; here each one lets the loop run first, as a contended one would."""
    from django_bolt import _core  # noqa: PLC0415
    from django_bolt.db.sqlite3.base import Cursor  # noqa: PLC0415

    execute: Any = Cursor.execute

    def yielding(self: Cursor, *args: Any) -> Any:
        if _core.in_worker():
            _core.yield_()
        return execute(self, *args)

    Cursor.execute = yielding  # type: ignore[assignment, method-assign]


class Runner(DiscoverRunner):
    def get_resultclass(self) -> type[Result]:
        return Result

    def build_suite(self, *args: Any, **kwargs: Any) -> unittest.TestSuite:
        suite = super().build_suite(*args, **kwargs)
        left = [test for test in _tests_of(suite) if test.id() not in recorder.known]
        return type(suite)(left) if isinstance(suite, unittest.TestSuite) and recorder.known else suite

    def run_tests(self, test_labels: list[str], **kwargs: Any) -> int:
        run = super().run_tests
        if _OURS:
            from django_bolt import _green  # noqa: PLC0415

            _green.install()
        if not _DRIVEN:
            return self._counted(lambda: run(test_labels, **kwargs))
        if os.environ["BOLT_DJANGO_DB"] == "sqlite":
            _force_yields()
        return self._counted(lambda: _in_worker(lambda: run(test_labels, **kwargs)))

    def teardown_databases(self, old_config: Any, **kwargs: Any) -> None:
        """Recorded like a test: a connection that somebody still holds shows here."""
        recorder.write(start=_TEARDOWN)
        if _DRIVEN:
            from django_bolt.db.pooled import close_pools  # noqa: PLC0415

            close_pools()  # PostgreSQL drops no database that somebody is connected to
        outcome, message = "pass", ""
        try:
            super().teardown_databases(old_config, **kwargs)
        except DatabaseError:
            outcome, message = "error", traceback.format_exc()
        recorder.write(id=_TEARDOWN, outcome=outcome, seconds=0, switches=0, message=message)

    def _counted(self, run: Callable[[], int]) -> int:
        began = time.monotonic()
        failures = run()
        recorder.write(summary={"seconds": round(time.monotonic() - began, 1), "switches": switches.count})
        recorder.close()
        return failures


def _tests_of(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _tests_of(test)
        else:
            yield test
