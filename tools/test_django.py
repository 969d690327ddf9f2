"""Django's own test suite on our database backends, compared test by test with the same run on Django's backends.

``make test-django DB=sqlite MODE=driven LABELS=orm``. The suite comes from the sdist of the installed Django version.
For each database: a stock run (nothing of ours imported), then one run per mode (see tests/django/bolt_runner.py). A
difference fails unless tests/django/expected.toml gives its reason. Results stay in build/django-results/ as JSON
lines; a finished stock run is used again until ``--fresh``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import django
from tools.pg_cluster import ENVIRONMENT_NAME, cluster
from tools.private_server import ServerError
from tools.test_django_results import Run, Verdict, compare, judge, read_expectations, read_run

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "tests" / "django"
DATABASES = ("sqlite", "postgresql")
MODES = ("plain", "driven")
#: how often a run goes on behind a test that killed the process
_MAX_CRASHES = 20
_OUTCOMES = ("pass", "fail", "error", "skip", "xfail", "xpass", "crash")
_SHOWN_DIFFERENCES = 40


class SetupError(Exception):
    """The suite could not be fetched or an argument makes no sense; the text says what to do."""


def suite_directory() -> Path:
    """The tests/ directory of the installed Django version's sdist, downloaded when it is not there. SetupError."""
    version = django.get_version()
    cache = ROOT / "build" / f"django-{version}"
    tests = cache / "suite" / "tests"
    if tests.is_dir():
        return tests
    cache.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-binary", ":all:", "--dest", str(cache), f"Django=={version}"]
    if subprocess.run(command, check=False).returncode != 0:
        raise SetupError(f"pip could not download the sdist of Django {version}")
    sdist = next(path for path in cache.iterdir() if path.name.lower() == f"django-{version}.tar.gz")
    with tempfile.TemporaryDirectory(dir=cache) as scratch, tarfile.open(sdist) as archive:
        if hasattr(tarfile, "data_filter"):  # 3.11.4; Debian 12 has 3.11.2
            archive.extractall(scratch, filter="data")
        else:
            archive.extractall(scratch)
        next(Path(scratch).iterdir()).rename(cache / "suite")  # complete or absent, whatever interrupts us
    return tests


def resolve_labels(text: str, suite: Path) -> list[str]:
    """The labels of a set (tests/django/labels.toml), or the words of `text`. SetupError for unknown ones.

    A set's patterns match directories of the suite; ``-pattern`` leaves them out.
    """
    sets: dict[str, list[str]] = tomllib.loads((HERE / "labels.toml").read_text(encoding="utf-8"))
    words = text.replace(",", " ").split()
    if len(words) != 1 or words[0] not in sets:
        return words
    packages = sorted(path.parent.name for path in suite.glob("*/__init__.py"))
    chosen: set[str] = set()
    for pattern in sets[words[0]]:
        expression = re.compile(pattern.removeprefix("-").replace("*", ".*"))
        named = {package for package in packages if expression.fullmatch(package)}
        if not named:
            raise SetupError(f"labels.toml: {pattern} names no directory of Django {django.get_version()}'s tests")
        chosen = chosen - named if pattern.startswith("-") else chosen | named
    return sorted(chosen)


@contextlib.contextmanager
def server(db: str) -> Iterator[dict[str, str]]:
    """Environment of a run on `db`: where its database is. Starts PostgreSQL unless one was handed to us."""
    if db != "postgresql" or os.environ.get(ENVIRONMENT_NAME):
        yield {}
        return
    with cluster() as conninfo:
        yield {ENVIRONMENT_NAME: conninfo}


def run_suite(
    suite: Path, labels: list[str], results: Path, environment: dict[str, str], parallel: int, timeout_s: float
) -> Run:
    """Run the labels until every test has an outcome; a crash costs the test it happened in."""
    deadline = time.monotonic() + timeout_s
    for _ in range(_MAX_CRASHES):
        before = len(read_run(results).tests)
        with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as scratch:
            command = [sys.executable, str(suite / "runtests.py"), "--settings=bolt_settings", "--noinput"]
            command += ["--verbosity=0", f"--parallel={parallel}", *labels]
            own = {"PYTHONPATH": str(HERE), "TMPDIR": scratch, "BOLT_DJANGO_SCRATCH": scratch}
            own["BOLT_DJANGO_RESULTS"] = str(results)
            with results.with_suffix(".log").open("ab") as log, contextlib.suppress(subprocess.TimeoutExpired):
                left = max(1.0, deadline - time.monotonic())
                subprocess.run(
                    command,
                    env=os.environ | environment | own,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=left,
                    check=False,
                )
        run = read_run(results)
        if run.finished or len(run.tests) == before or time.monotonic() > deadline:
            break
    return run


def results_path(kind: str, db: str, labels: list[str]) -> Path:
    """One file per kind of run, database, interpreter, Django version and label list."""
    digest = sha256(" ".join(labels).encode()).hexdigest()[:8]
    directory = ROOT / "build" / "django-results"
    directory.mkdir(parents=True, exist_ok=True)
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}-django-{django.get_version()}"
    return directory / f"{kind}-{db}-{tag}-{digest}.jsonl"


def forget(results: Path) -> None:
    for path in (results, results.with_suffix(".log")):
        path.unlink(missing_ok=True)


def print_totals(name: str, run: Run) -> None:
    totals = run.totals()
    cells = "  ".join(f"{totals[outcome]:6d} {outcome}" for outcome in _OUTCOMES)
    extra = f"  {run.switching()} tests switched, {run.switches} switches" if run.switches else ""
    print(f"{name:20s} {len(run.tests):6d} tests {cells}  {run.seconds:7.1f} s{extra}", flush=True)


def print_verdict(verdict: Verdict, results: Path) -> None:
    for difference, reason in verdict.explained:
        print(f"  expected  {difference.test}: {difference.stock} -> {difference.ours}: {reason}")
    for difference in verdict.unexplained[:_SHOWN_DIFFERENCES]:
        last = (difference.message.strip().splitlines() or [""])[-1]
        print(f"  DIFFERS   {difference.test}: {difference.stock} -> {difference.ours}: {last}")
    if len(verdict.unexplained) > _SHOWN_DIFFERENCES:
        print(f"  ... and {len(verdict.unexplained) - _SHOWN_DIFFERENCES} more in {results.relative_to(ROOT)}")
    for pattern in verdict.stale:
        print(f"  STALE     expected.toml names {pattern}, which no longer differs")


def check_database(arguments: argparse.Namespace, db: str, suite: Path, labels: list[str]) -> bool:
    """Stock beside each mode on one database; whether everything that differs is explained."""
    expectations = read_expectations(HERE / "expected.toml")
    passed = True
    with server(db) as environment:

        def run(backend: str, mode: str, results: Path) -> Run:
            return run_suite(
                suite,
                labels,
                results,
                environment | {"BOLT_DJANGO_DB": db, "BOLT_DJANGO_BACKEND": backend, "BOLT_DJANGO_MODE": mode},
                arguments.parallel if mode == "plain" else 1,
                arguments.timeout,
            )

        path = results_path("stock", db, labels)
        if arguments.fresh or not read_run(path).finished:
            forget(path)
            run("stock", "plain", path)
        stock = read_run(path)
        print_totals(f"{db} stock", stock)
        passed &= stock.finished
        for mode in arguments.mode:
            path = results_path(mode, db, labels)
            forget(path)
            ours = run("ours", mode, path)
            print_totals(f"{db} {mode}", ours)
            applying = [entry for entry in expectations if entry.applies(db, mode)]
            verdict = judge(compare(stock, ours), applying, ours.tests)
            print_verdict(verdict, path)
            passed &= verdict.passed and ours.finished
            if not ours.finished:
                print(f"  the run did not finish: see {path.with_suffix('.log').relative_to(ROOT)}")
            if mode == "driven" and not ours.switching():
                print("  no test switched to the event loop: this run proves nothing")
                passed = False
    return passed


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run Django's test suite on our database backends.")
    parser.add_argument("--db", default="both", choices=[*DATABASES, "both"])
    parser.add_argument("--mode", default="both", choices=[*MODES, "both"])
    parser.add_argument("--labels", default="quick", help="quick, orm, all, or test labels of Django's suite")
    parser.add_argument("--parallel", type=int, default=1, help="processes of stock and plain runs")
    parser.add_argument("--timeout", type=float, default=7200, help="seconds for one run")
    parser.add_argument("--fresh", action="store_true", help="run stock again even where its results are known")
    arguments = parser.parse_args()
    arguments.db = DATABASES if arguments.db == "both" else (arguments.db,)
    arguments.mode = MODES if arguments.mode == "both" else (arguments.mode,)
    return arguments


def main() -> int:
    arguments = parse_arguments()
    try:
        suite = suite_directory()
        labels = resolve_labels(arguments.labels, suite)
        verdicts = [check_database(arguments, db, suite, labels) for db in arguments.db]
    except (SetupError, ServerError, ValueError) as exc:
        print(f"test_django: {exc}", file=sys.stderr)
        return 2
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
