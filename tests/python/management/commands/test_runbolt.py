"""The command itself: what it refuses before it binds, what it says, which flags it knows."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
from runbolt import runbolt, write_project

SERVES = "from django_bolt import BoltAPI\napi = BoltAPI()\n@api.get('/x')\nasync def x():\n    return 1\n"

REFUSED: dict[str, tuple[str, dict[str, str], list[str], list[str]]] = {
    "no API": ("", {}, [], ["No BoltAPI found.", "in proj.api", "settings.BOLT_API"]),
    "an empty BOLT_API": (SERVES, {"proj__settings": "BOLT_API = []\n"}, [], ["settings.BOLT_API is empty"]),
    "a bad BOLT_API": (
        SERVES,
        {"proj__settings": 'BOLT_API = ["proj.web:api"]\n'},
        [],
        ["settings.BOLT_API: there is no module 'proj.web'"],
    ),
    "two handlers for one route": (
        SERVES,
        {
            "proj__settings": 'BOLT_API = ["proj.api:api", "proj.other:api"]\n',
            "proj__other": SERVES.replace("def x", "def y"),
        },
        [],
        ["proj.api:api, proj.other:api: GET /x is served by proj.api.x and by proj.other.y"],
    ),
    "a syntax error": ("def x(:\n", {}, [], ["proj/api.py:1: "]),
    "a host that is not ours": (SERVES, {}, ["--host", "192.0.2.1"], ["http://192.0.2.1:0: this machine has no such"]),
    "a directory that is not there": (
        SERVES,
        {},
        ["--uds", "nowhere/app.sock"],
        ["unix:nowhere/app.sock: No such file or directory"],
    ),
    "a bad setting": (
        SERVES,
        {"proj__settings": "BOLT_MAX_UPLOAD_SIZE = '1M'\n"},
        [],
        ["settings.BOLT_MAX_UPLOAD_SIZE must be a number of octets above 0, not '1M'"],
    ),
    "no workers": (SERVES, {}, ["--processes", "0"], ["--processes: '0' is not a whole number above 0"]),
    "an impossible port": (SERVES, {}, ["--port", "65536"], ["--port: '65536' is not a port from 0 to 65535"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_one_message(tmp_path: Path, name: str) -> None:
    api, files, flags, expected = REFUSED[name]
    with runbolt(write_project(tmp_path, api, **files), *flags) as run:
        assert run.end() in (1, 2)
        output = run.rest()
    assert all(text in output for text in expected), output
    assert "Traceback" not in output
    assert "Serving" not in output


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_port_in_use_is_refused_with_address_and_owner(tmp_path: Path, processes: str) -> None:
    project = write_project(tmp_path, SERVES)
    with runbolt(project, "--processes", processes) as first:
        first.wait_ready()
        with runbolt(project, "--processes", "2", port=str(first.port)) as second:
            assert second.end() == 1
            output = second.rest()
        assert f"CommandError: Cannot listen on http://127.0.0.1:{first.port}: the address is already in use" in output
        assert f"by process {first.process.pid} (" in output
        assert "manage.py runbolt" in output
        assert first.get("/x") == 1
        first.signal(signal.SIGTERM)
        assert first.end() == 0


CHECK = """
from django.core import checks
@checks.register()
def failing(**kwargs):
    return [checks.Error("the check says no")]
"""


def test_system_checks_run_before_binding(tmp_path: Path) -> None:
    project = write_project(tmp_path, SERVES, proj____init__=CHECK)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with runbolt(project, port=port) as run:
            assert run.end() == 1
            output = run.rest()
        assert "the check says no" in output
        assert "already in use" not in output
        with runbolt(project, "--skip-checks", port=port) as run:
            assert run.end() == 1
            output = run.rest()
        assert "the check says no" not in output
        assert "already in use" in output


AUTH = "INSTALLED_APPS += ['django.contrib.contenttypes', 'django.contrib.auth']\n"
SQLITE = AUTH + "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE_DIR / 'db.sqlite3'}}\n"
UNREACHABLE = (
    AUTH + "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'x', 'HOST': '/nonexistent'}}\n"
)


@pytest.mark.parametrize(
    ("settings", "notice"),
    [
        (SQLITE, r"You have \d+ unapplied migration\(s\)"),
        (UNREACHABLE, r"Cannot tell whether migrations are unapplied: .*/nonexistent"),
    ],
    ids=["unapplied", "database down"],
)
def test_migration_notice(tmp_path: Path, settings: str, notice: str) -> None:
    with runbolt(write_project(tmp_path, SERVES, proj__settings=settings)) as run:
        run.expect(notice)
        run.wait_ready()
        assert run.get("/x") == 1
        run.signal(signal.SIGTERM)
        assert run.end() == 0


def test_flags_without_effect_are_accepted(tmp_path: Path) -> None:
    flags = ["--workers", "2", "--no-admin", "--backlog", "64", "--keep-alive", "5", "--max-rss", "4096"]
    flags += ["--workers-lifetime", "3600", "--workers-kill-timeout", "5", "--no-color", "--verbosity", "0"]
    with runbolt(write_project(tmp_path, SERVES), *flags) as run:
        run.wait_ready()
        run.expect("1 worker process on")
        assert run.get("/x") == 1
        run.signal(signal.SIGTERM)
        assert run.end() == 0


def test_keep_alive_closes_idle_connections(tmp_path: Path) -> None:
    with runbolt(write_project(tmp_path, SERVES), "--keep-alive", "0.2") as run:
        run.wait_ready()
        with run.open("/x") as connection:
            received = b""
            while chunk := connection.recv(4096):
                received += chunk
        assert received.startswith(b"HTTP/1.1 200 OK\r\n"), "answered, and closed by the server"
        run.signal(signal.SIGTERM)
        assert run.end() == 0


def test_limits_come_from_the_settings(tmp_path: Path) -> None:
    settings = "BOLT_MAX_UPLOAD_SIZE = 10\nBOLT_MAX_HEADER_SIZE = 256\n"
    api = SERVES + "@api.post('/echo')\nasync def echo(request):\n    return len(request.body)\n"
    with runbolt(write_project(tmp_path, api, proj__settings=settings)) as run:
        run.wait_ready()
        answers = []
        for head, content in (("", b"x" * 10), ("", b"x" * 11), ("x-long: " + "y" * 256 + "\r\n", b"")):
            with socket.create_connection(("127.0.0.1", run.port), timeout=30) as connection:
                length = f"content-length: {len(content)}\r\n"
                connection.sendall(f"POST /echo HTTP/1.1\r\nhost: x\r\n{length}{head}\r\n".encode() + content)
                answers.append(connection.recv(4096).split(b" ")[1])
        assert answers == [b"200", b"413", b"431"]
        run.signal(signal.SIGTERM)
        assert run.end() == 0


def test_the_banner_names_what_is_served(tmp_path: Path) -> None:
    with runbolt(write_project(tmp_path, SERVES), "--processes", "2") as run:
        run.expect(r"^Serving 1 route of proj\.api:api on http://127\.0\.0\.1:\d+$")
        run.expect(
            r"^  2 worker processes on (uvloop [\d.]+|asyncio); django-cbolt [\d.]+, Django 5\.\d\S*, CPython 3\."
        )
        run.expect(r"^  Access log off \(--access-log\)\. Quit with CONTROL-C\.$")
        run.signal(signal.SIGTERM)
        assert run.end() == 0


SILENT = """
BOLT_ACCESS_LOG = True
LOGGING = {"version": 1, "loggers": {"django.server": {"level": "WARNING"}}}
"""


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ("BOLT_ACCESS_LOG = True\n", "Access log on standard error"),
        (SILENT, "No access log: the logger 'django.server' is not enabled for INFO"),
    ],
    ids=["on", "silenced"],
)
def test_access_log_setting(tmp_path: Path, settings: str, shown: str) -> None:
    with runbolt(write_project(tmp_path, SERVES, proj__settings=settings)) as run:
        run.expect(shown)
        run.wait_ready()
        run.signal(signal.SIGTERM)
        assert run.end() == 0
