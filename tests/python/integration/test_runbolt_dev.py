"""``runbolt --dev``: restarts on changes, survives broken code, keeps the address meanwhile."""

from __future__ import annotations

import os
import select
import signal
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from program import is_alive
from runbolt import Runbolt, runbolt, write_project

API = """
import os
from django_bolt import BoltAPI
from helper import VALUE

api = BoltAPI()

@api.get("/value")
async def value():
    return {"value": VALUE, "pid": os.getpid()}

@api.get("/late")
async def late():
    import late_module
    return {"value": late_module.VALUE}
"""
POLLING = "BOLT_DEV_FORCE_POLLING = True\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose helper module lives outside of it."""
    (tmp_path / "library").mkdir()
    write_value(tmp_path / "library/helper.py", 1)
    write_value(tmp_path / "library/late_module.py", 1)
    return write_project(tmp_path / "project", API)


def write_value(path: Path, value: int) -> None:
    path.write_text(f"VALUE = {value}\n")
    # A time of its own for each value, however fast the test is.
    os.utime(path, ns=(value * 10**9, value * 10**9))


def dev(project: Path, *arguments: str) -> AbstractContextManager[Runbolt]:
    paths = [str(project.parent / "library"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return runbolt(project, "--dev", *arguments, PYTHONPATH=os.pathsep.join(paths))


def restarted(run: Runbolt) -> None:
    run.expect(r"runbolt: \S+ changed, restarting")
    run.wait_ready()


@pytest.mark.parametrize("settings", ["", POLLING], ids=["inotify", "polling"])
def test_changes_restart_the_server(project: Path, settings: str) -> None:
    write_project(project, API, proj__settings=settings)
    library = project.parent / "library"
    with dev(project) as run:
        run.wait_ready()
        url = run.url
        first = run.get("/value")
        assert first["value"] == 1
        assert first["pid"] != run.process.pid
        write_value(library / "helper.py", 2)
        restarted(run)
        assert run.url == url
        second = run.get("/value")
        assert second["value"] == 2
        assert not is_alive(first["pid"])
        (project / "proj/page.html").write_text("a template")
        restarted(run)
        run.signal(signal.SIGTERM)
        assert run.end() == 0
        assert not is_alive(second["pid"])


def test_modules_imported_later_are_watched_too(project: Path) -> None:
    with dev(project) as run:
        run.wait_ready()
        assert run.get("/late") == {"value": 1}
        run.expect("Quit with CONTROL-C")
        # The child tells its new modules once a second: change the file until the change is seen.
        value = 1
        while not select.select([run.process.stdout], [], [], 0.2)[0]:
            value += 1
            write_value(project.parent / "library/late_module.py", value)
        restarted(run)
        assert run.get("/late") == {"value": value}
        run.signal(signal.SIGINT)
        assert run.end() == 0


def test_broken_code_waits_for_the_next_change(project: Path) -> None:
    api = project / "proj/api.py"
    with dev(project) as run:
        run.wait_ready()
        api.write_text("def broken(:\n")
        run.expect(r"runbolt: proj/api\.py changed, restarting")
        run.expect(r"CommandError: .*api\.py:1: ")
        run.expect(r"runbolt: the server exited with code 1; waiting for a change")
        api.write_text("raise RuntimeError('at import')\n" + API)
        run.expect(r"RuntimeError: at import")
        run.expect(r"runbolt: the server exited with code 1; waiting for a change")
        api.write_text(API)
        restarted(run)
        assert run.get("/value")["value"] == 1
        run.signal(signal.SIGINT)
        assert run.end() == 0


def test_requests_wait_while_the_server_restarts(project: Path) -> None:
    with dev(project) as run:
        run.wait_ready()
        (project / "proj/new.py").write_text("")
        run.expect("changed, restarting")
        # The parent holds the listener: this connection is queued, not refused.
        assert run.get("/value")["value"] == 1
        run.signal(signal.SIGTERM)
        assert run.end() == 0


def test_reload_dir_is_watched(project: Path) -> None:
    extra = project.parent / "extra"
    (extra / "deep").mkdir(parents=True)
    with dev(project, "--reload-dir", str(extra)) as run:
        run.wait_ready()
        (extra / "deep/notes.html").write_text("changed")
        restarted(run)
        run.signal(signal.SIGTERM)
        assert run.end() == 0


def test_a_missing_reload_dir_is_refused(project: Path) -> None:
    with dev(project, "--reload-dir", "nowhere") as run:
        assert run.end() == 1
        assert "CommandError: --reload-dir: no such directory: nowhere" in run.rest()
