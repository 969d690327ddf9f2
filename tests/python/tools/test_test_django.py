"""What ``make test-django`` runs: label sets, and the suite's runner on a package of tests written here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tools import test_django

#: stands in for Django's runtests.py: the same settings module and test runner on the tests beside it
RUNTESTS = """
import os, sys
sys.path.insert(0, os.path.dirname(__file__))
os.environ["DJANGO_SETTINGS_MODULE"] = "bolt_settings"
import django
django.setup()
from django.conf import settings
from django.test.utils import get_runner
get_runner(settings)(verbosity=0, interactive=False, parallel=1).run_tests(["sample"])
"""
SAMPLE = """
import os, unittest
from django.db import connection
from django.test import SimpleTestCase, TestCase

class Outcomes(TestCase):
    def test_query(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            self.assertEqual(cursor.fetchone(), (1,))
    async def test_async(self):
        pass
    def test_failing(self):
        self.fail("wrong")
    def test_error(self):
        raise ValueError("bad")
    def test_subtest(self):
        with self.subTest(number=1):
            self.fail("wrong")
    @unittest.skip("not here")
    def test_skipped(self):
        pass
    @unittest.expectedFailure
    def test_xfail(self):
        self.fail("known")

class Killer(SimpleTestCase):
    def test_death(self):
        os._exit(9)
    def test_survivor(self):
        pass
"""
OUTCOMES = {
    "Outcomes.test_query": "pass",
    "Outcomes.test_async": "pass",
    "Outcomes.test_failing": "fail",
    "Outcomes.test_error": "error",
    "Outcomes.test_subtest": "fail",
    "Outcomes.test_skipped": "skip",
    "Outcomes.test_xfail": "xfail",
    "Killer.test_death": "crash",
    "Killer.test_survivor": "pass",
}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "runtests.py").write_text(RUNTESTS)
    package = tmp_path / "sample"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "tests.py").write_text(SAMPLE)
    return tmp_path


@pytest.mark.parametrize(("backend", "mode"), [("stock", "plain"), ("ours", "plain"), ("ours", "driven")])
def test_a_run_records_every_outcome_and_goes_on_after_a_crash(suite: Path, backend: str, mode: str) -> None:
    environment = {"BOLT_DJANGO_DB": "sqlite", "BOLT_DJANGO_BACKEND": backend, "BOLT_DJANGO_MODE": mode}
    run = test_django.run_suite(suite, [], suite / "results.jsonl", os.environ | environment, 1, 100)
    assert run.tests.pop("teardown of the test databases").outcome == "pass"
    assert {name.removeprefix("sample.tests."): test.outcome for name, test in run.tests.items()} == OUTCOMES
    assert run.finished
    switched = run.tests["sample.tests.Outcomes.test_query"].switches
    assert switched > 0 if mode == "driven" else switched == 0


def test_label_sets_are_patterns_over_the_suite(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("queries", "m2m_through", "m2m_regress", "templates"):
        (suite / name).mkdir()
        (suite / name / "__init__.py").touch()
    (suite / "labels.toml").write_text('some = ["m2m_*", "queries"]\nmost = ["*", "-templates"]\nwrong = ["gone"]')
    monkeypatch.setattr(test_django, "HERE", suite)
    assert test_django.resolve_labels("some", suite) == ["m2m_regress", "m2m_through", "queries"]
    assert test_django.resolve_labels("most", suite) == ["m2m_regress", "m2m_through", "queries", "sample"]
    assert test_django.resolve_labels("queries.tests, basic", suite) == ["queries.tests", "basic"]
    with pytest.raises(test_django.SetupError, match="gone"):
        test_django.resolve_labels("wrong", suite)


def test_each_run_has_a_file_of_its_own() -> None:
    first = test_django.results_path("plain", "sqlite", ["a"])
    assert first == test_django.results_path("plain", "sqlite", ["a"])
    assert first != test_django.results_path("driven", "sqlite", ["a"])
    assert first != test_django.results_path("plain", "postgresql", ["a"])
    assert first != test_django.results_path("plain", "sqlite", ["b"])
    assert f"cp{sys.version_info[0]}{sys.version_info[1]}" in first.name
