"""Discovery: which modules are read, which are imported, which API of them is served, and what the errors say."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from django_bolt._discovery import DiscoveryError, discover_apis, find_api_name

API = "from django_bolt import BoltAPI\napi = BoltAPI()\n"
#: Proves a module was only read.
MINE = "raise RuntimeError('imported')\n"


@dataclass
class App:
    """The part of an AppConfig that discovery reads."""

    name: str
    bolt_api: str | None = None


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory on sys.path; what tests import from it is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        origin = getattr(sys.modules[name], "__file__", None)
        if origin is not None and Path(origin).is_relative_to(tmp_path):
            del sys.modules[name]


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for parent in path.relative_to(root).parents:
            if parent != Path():
                (root / parent / "__init__.py").touch()
        path.write_text(text)
    importlib.invalidate_caches()


def found(entries: list[str] | None, urlconf: str | None, *apps: App) -> list[str]:
    return [str(item) for item in discover_apis(entries, urlconf, apps)]


SOURCES: dict[str, tuple[str, str | None]] = {
    "plain": (API, "api"),
    "any name": ("from django_bolt import BoltAPI\nserver = BoltAPI()", "server"),
    "the first of several": (API + "other = BoltAPI()", "api"),
    "renamed class": ("from django_bolt import BoltAPI as Base\napi = Base()", "api"),
    "through the module": ("import django_bolt\napi = django_bolt.BoltAPI()", "api"),
    "from the api module": ("from django_bolt.api import BoltAPI\napi = BoltAPI()", "api"),
    "annotated": ("from django_bolt import BoltAPI\napi: BoltAPI = BoltAPI(prefix='/x')", "api"),
    "chained": ("from django_bolt import BoltAPI\na = b = BoltAPI()", "a"),
    "in a try block": ("try:\n    from django_bolt import BoltAPI\nexcept ImportError:\n    pass\n" + API, "api"),
    "in an else block": ("if 0:\n    pass\nelse:\n    from django_bolt import BoltAPI\n    api = BoltAPI()", "api"),
    "in a function": ("def make():\n    from django_bolt import BoltAPI\n    api = BoltAPI()", None),
    "in a class": ("class A:\n    from django_bolt import BoltAPI\n    api = BoltAPI()", None),
    "attribute target": ("import types\nns = types.SimpleNamespace()\nns.api = BoltAPI()", None),
    "another class": ("from rest_framework import API\napi = API()", None),
    "annotation only": ("api: 'BoltAPI'", None),
    "empty": ("", None),
    "other encoding": ("# coding: latin-1\n# \xe9\n" + API, "api"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_scan(modules: Path, name: str) -> None:
    text, expected = SOURCES[name]
    (modules / "scanned.py").write_text(text, encoding="latin-1")
    importlib.invalidate_caches()
    assert find_api_name("scanned") == expected
    assert "scanned" not in sys.modules


@pytest.mark.parametrize("module", ["missing", "missing.api", "sys", "json.missing"])
def test_scan_of_what_has_no_source(module: str) -> None:
    assert find_api_name(module) is None


def test_scan_names_the_line_of_a_syntax_error(modules: Path) -> None:
    (modules / "broken.py").write_text("x = 1\ndef f(:\n")
    importlib.invalidate_caches()
    with pytest.raises(DiscoveryError, match=r"broken\.py:2: "):
        find_api_name("broken")


CONVENTIONS: dict[str, tuple[dict[str, str], str | None, tuple[App, ...], list[str]]] = {
    "project api": ({"proj/api.py": API}, "proj.urls", (), ["proj.api:api"]),
    "project bolt_api": ({"proj/bolt_api.py": API}, "proj.urls", (), ["proj.bolt_api:api"]),
    "api before bolt_api": ({"proj/api.py": API, "proj/bolt_api.py": API + MINE}, "proj.urls", (), ["proj.api:api"]),
    "api without an API": ({"proj/api.py": MINE, "proj/bolt_api.py": API}, "proj.urls", (), ["proj.bolt_api:api"]),
    "deep URLconf": ({"proj/api.py": API, "proj/conf/urls.py": ""}, "proj.conf.urls", (), ["proj.api:api"]),
    "bare URLconf": ({"api.py": API}, "urls", (), ["api:api"]),
    "bare URLconf, bolt_api": ({"bolt_api.py": API}, "urls", (), ["bolt_api:api"]),
    "no URLconf": ({"api.py": API, "blog/api.py": API}, None, (App("blog"),), ["blog.api:api"]),
    "project, then apps in order": (
        {"proj/api.py": API, "b/api.py": API, "a/bolt_api.py": API},
        "proj.urls",
        (App("b"), App("a")),
        ["proj.api:api", "b.api:api", "a.bolt_api:api"],
    ),
    "apps within the found project are skipped": (
        {"proj/api.py": API, "proj/blog/api.py": API + MINE},
        "proj.urls",
        (App("proj.blog"), App("proj")),
        ["proj.api:api"],
    ),
    "apps within a project without an API are not": (
        {"proj/__init__.py": "", "proj/blog/api.py": API},
        "proj.urls",
        (App("proj.blog"),),
        ["proj.blog.api:api"],
    ),
    "a name that only begins like the project": (
        {"proj/api.py": API, "project2/api.py": API},
        "proj.urls",
        (App("project2"),),
        ["proj.api:api", "project2.api:api"],
    ),
    "hint of an app": (
        {"blog/web.py": API, "blog/api.py": API + MINE},
        "proj.urls",
        (App("blog", "blog.web:api"),),
        ["blog.web:api"],
    ),
    "hint of an app in the project": (
        {"proj/api.py": API, "proj/blog/web.py": API},
        "proj.urls",
        (App("proj.blog", "proj.blog.web:api"),),
        ["proj.api:api", "proj.blog.web:api"],
    ),
    "foreign api modules are only read": ({"drf/api.py": MINE}, "proj.urls", (App("drf"),), []),
    "one API under two names is served once": (
        {"proj/api.py": API, "blog/web.py": "from proj.api import api"},
        "proj.urls",
        (App("blog", "blog.web:api"),),
        ["proj.api:api"],
    ),
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_conventions(modules: Path, name: str) -> None:
    files, urlconf, apps, expected = CONVENTIONS[name]
    write(modules, files)
    assert found(None, urlconf, *apps) == expected


def test_entries_replace_the_conventions(modules: Path) -> None:
    write(modules, {"proj/api.py": API + MINE, "a/x.py": API, "b/y.py": API + "other = BoltAPI()\n"})
    assert found(["b.y:other", "a.x:api"], "proj.urls", App("a")) == ["b.y:other", "a.x:api"]
    assert found([], "proj.urls") == []


BAD_ENTRIES: dict[str, tuple[object, str]] = {
    "a string": ("a.x:api", "must be a list"),
    "no colon": (["a.x"], "'a.x' must have the form \"module:attribute\""),
    "no attribute": (["a.x:"], "must have the form"),
    "no module": ([":api"], "must have the form"),
    "not text": ([3], "must be a list"),
    "missing module": (["a.missing:api"], "settings.BOLT_API: there is no module 'a.missing'"),
    "missing package": (["nowhere.at.all:api"], "there is no module 'nowhere.at.all'"),
    "missing attribute": (["a.x:app"], "module 'a.x' has no 'app'"),
    "another object": (["a.x:BoltAPI"], "'a.x:BoltAPI' is type, not BoltAPI"),
}


@pytest.mark.parametrize("name", BAD_ENTRIES)
def test_bad_entries(modules: Path, name: str) -> None:
    entries, text = BAD_ENTRIES[name]
    write(modules, {"a/x.py": API})
    with pytest.raises(DiscoveryError) as caught:
        discover_apis(entries, "proj.urls", ())  # type: ignore[arg-type]
    assert text in str(caught.value)


def test_a_bad_hint_names_the_config(modules: Path) -> None:
    with pytest.raises(DiscoveryError, match=r"App\.bolt_api: there is no module 'nowhere'"):
        found(None, "proj.urls", App("blog", "nowhere:api"))


def test_a_missing_import_inside_a_found_module_is_not_hidden(modules: Path) -> None:
    write(modules, {"a/x.py": API + "import not_installed_anywhere\n"})
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        found(["a.x:api"], None)


def test_what_a_module_raises_passes_through(modules: Path) -> None:
    write(modules, {"proj/api.py": API + MINE})
    with pytest.raises(RuntimeError, match="imported"):
        found(None, "proj.urls")
