"""Watchers: the same changes are seen through inotify and by comparing times."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from django_bolt._watch import InotifyWatcher, PollingWatcher, Watcher, open_watcher


@pytest.fixture(params=["inotify", "polling"])
def watcher(request: pytest.FixtureRequest) -> Iterator[Watcher]:
    if request.param == "polling":
        yield PollingWatcher()
        return
    inotify = InotifyWatcher()
    yield inotify
    inotify.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("app/api.py", "app/page.html", "app/style.css", ".git/hook.py", "venv/lib.py", "node_modules/x.py"):
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    (tmp_path / "project/venv/pyvenv.cfg").write_text("")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/module.py").write_text("old")
    return tmp_path / "project"


def touch(path: Path) -> None:
    """Write, with a time that differs from the last one whatever the clock's resolution."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text("new")
    os.utime(path, ns=(before + 1, before + 1))


CHANGES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "nothing": (lambda root: None, set()),
    "a module is written": (lambda root: touch(root / "app/api.py"), {"app/api.py"}),
    "a template is written": (lambda root: touch(root / "app/page.html"), {"app/page.html"}),
    "a style sheet is not watched": (lambda root: touch(root / "app/style.css"), set()),
    "a module appears": (lambda root: touch(root / "app/new.py"), {"app/new.py"}),
    "a module vanishes": (lambda root: (root / "app/api.py").unlink(), {"app/api.py"}),
    "a module is replaced as editors do": (
        lambda root: (touch(root / "app/.api.tmp"), (root / "app/.api.tmp").replace(root / "app/api.py")),
        {"app/api.py"},
    ),
    "a module is renamed": (
        lambda root: (root / "app/api.py").rename(root / "app/b.py"),
        {"app/api.py", "app/b.py"},
    ),
    "hidden and foreign directories are skipped": (
        lambda root: [touch(root / name) for name in (".git/hook.py", "venv/lib.py", "node_modules/x.py")],
        set(),
    ),
    "a package appears": (
        lambda root: ((root / "fresh/deep").mkdir(parents=True), touch(root / "fresh/deep/mod.py")),
        {"fresh/deep/mod.py"},
    ),
    "a single file outside": (lambda root: touch(root.parent / "elsewhere/module.py"), {"../elsewhere/module.py"}),
    "its neighbour is not watched": (lambda root: touch(root.parent / "elsewhere/other.py"), set()),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changes(watcher: Watcher, project: Path, name: str) -> None:
    change, expected = CHANGES[name]
    watcher.add_roots([project])
    watcher.add_files([project.parent / "elsewhere/module.py"])
    assert watcher.changes() == set()
    change(project)
    assert {os.path.relpath(path, project) for path in watcher.changes()} == expected
    assert watcher.changes() == set()


def test_a_package_that_appeared_stays_watched(watcher: Watcher, project: Path) -> None:
    watcher.add_roots([project])
    (project / "fresh").mkdir()
    watcher.changes()
    touch(project / "fresh/later.py")
    assert watcher.changes() == {project / "fresh/later.py"}


def test_a_file_that_vanished_before_it_was_added(watcher: Watcher, tmp_path: Path) -> None:
    watcher.add_files([tmp_path / "gone/module.py"])
    assert watcher.changes() == set()


def test_inotify_becomes_readable(project: Path) -> None:
    watcher = InotifyWatcher()
    watcher.add_roots([project])
    touch(project / "app/api.py")
    assert select.select([watcher], [], [], 5)[0] == [watcher]
    watcher.close()


def test_without_watches_left_times_are_compared(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = InotifyWatcher()
    monkeypatch.setattr(InotifyWatcher, "_watch", lambda self, directory: False)
    watcher.add_roots([project])
    watcher.add_files([project.parent / "elsewhere/module.py"])
    assert watcher.interval_s is not None
    touch(project / "app/api.py")
    touch(project.parent / "elsewhere/module.py")
    assert watcher.changes() == {project / "app/api.py", project.parent / "elsewhere/module.py"}
    watcher.close()


def test_polling_can_be_forced() -> None:
    assert isinstance(open_watcher(force_polling=True), PollingWatcher)
    best = open_watcher(force_polling=False)
    assert isinstance(best, InotifyWatcher)
    best.close()
