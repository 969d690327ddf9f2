"""``runbolt``'s processes over real sockets: draining, stopping at once, replacement, restart, UNIX sockets."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
from program import is_alive
from runbolt import API, Runbolt, runbolt, status_line, write_project

#: Alone, with the supervisor over one worker, and with two workers.
MODES = [[], ["--respawn-failed-workers"], ["--processes", "2"]]
modes = pytest.mark.parametrize("mode", MODES, ids=["alone", "supervised", "two"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project")


def connect_until_refused(run: Runbolt) -> None:
    """New connections are refused from some moment on, while requests in flight go on."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", run.port), timeout=30).close()
        except (ConnectionRefusedError, ConnectionResetError):
            return


@modes
def test_sigterm_finishes_what_is_in_flight_and_exits_with_0(project: Path, mode: list[str]) -> None:
    release = project / "release"
    with runbolt(project, *mode) as run:
        run.wait_ready()
        slow = run.open(f"/slow?release={release}")
        run.expect("^slow started")
        idle = run.open("/pid")
        assert b"200" in idle.recv(4096)
        run.signal(signal.SIGTERM)
        run.expect(r"runbolt: draining \(at most 30 s\)")
        assert idle.recv(1) == b"", "an idle connection is closed"
        connect_until_refused(run)
        release.touch()
        assert status_line(slow) == "HTTP/1.1 200 OK"
        assert run.end() == 0
        idle.close()


@modes
def test_sigint_cancels_what_is_in_flight_and_exits_with_0(project: Path, mode: list[str]) -> None:
    with runbolt(project, *mode) as run:
        run.wait_ready()
        slow = run.open(f"/slow?release={project / 'never'}")
        run.expect("^slow started")
        run.signal(signal.SIGINT)
        assert status_line(slow) == ""
        run.expect("^slow cancelled")
        assert run.end() == 0


@modes
def test_the_kill_timeout_cuts_off_what_does_not_finish(project: Path, mode: list[str]) -> None:
    with runbolt(project, "--workers-kill-timeout", "0.3", *mode) as run:
        run.wait_ready()
        slow = run.open(f"/slow?release={project / 'never'}")
        run.expect("^slow started")
        run.signal(signal.SIGTERM)
        assert status_line(slow) == ""
        run.expect("^slow cancelled")
        assert run.end() == 1


@modes
def test_a_second_sigterm_ends_a_blocked_server(project: Path, mode: list[str]) -> None:
    with runbolt(project, *mode) as run:
        run.wait_ready()
        with run.open("/block"):
            run.expect("^blocking")
            run.signal(signal.SIGTERM)
            if mode:
                run.expect("draining")
                run.signal(signal.SIGTERM)
                run.expect("killing the workers")
                assert run.end() == 1
            else:
                # The first one is acted upon by the blocked handler's own thread, with no line to wait for: repeat.
                while run.process.poll() is None:
                    run.signal(signal.SIGTERM)
                assert run.end() == -signal.SIGTERM


def test_a_crashed_worker_is_replaced_and_no_connection_is_refused(project: Path) -> None:
    with runbolt(project, "--processes", "2") as run:
        run.wait_ready()
        crashed = run.open("/crash")
        assert status_line(crashed) == ""
        match = run.expect(r"worker (\d) \(pid (\d+)\) was killed by SIGKILL: replacing it")
        pids = {run.get("/pid")["pid"] for _ in range(64)}
        assert len(pids) == 2
        assert int(match.group(2)) not in pids
        run.signal(signal.SIGTERM)
        assert run.end() == 0


def test_workers_know_their_slot(project: Path) -> None:
    with runbolt(project, "--processes", "2") as run:
        run.wait_ready()
        assert {run.get("/pid")["slot"] for _ in range(64)} == {"0", "1"}
        run.signal(signal.SIGTERM)
        assert run.end() == 0
    with runbolt(project) as run:
        run.wait_ready()
        assert run.get("/pid") == {"pid": run.process.pid, "slot": None}
        run.signal(signal.SIGTERM)
        assert run.end() == 0


def test_sighup_replaces_the_workers_while_requests_finish(project: Path) -> None:
    release = project / "release"
    with runbolt(project, "--processes", "2") as run:
        run.wait_ready()
        before = {run.get("/pid")["pid"] for _ in range(64)}
        slow = run.open(f"/slow?release={release}")
        slow_pid = int(run.expect(r"^slow started (\d+)").group(1))
        run.signal(signal.SIGHUP)
        took_over = {int(run.expect(rf"worker {slot} \(pid (\d+)\) took over").group(1)) for slot in (0, 1)}
        assert is_alive(slow_pid)
        release.touch()
        assert status_line(slow) == "HTTP/1.1 200 OK"
        assert not took_over & before
        run.signal(signal.SIGTERM)
        assert run.end() == 0
        assert not any(is_alive(pid) for pid in before | took_over)


def test_workers_drain_when_the_supervisor_is_killed(project: Path) -> None:
    release = project / "release"
    with runbolt(project, "--respawn-failed-workers") as run:
        run.wait_ready()
        slow = run.open(f"/slow?release={release}")
        run.expect("^slow started")
        run.process.kill()
        run.expect(r"worker \d+: the supervisor is gone, draining")
        release.touch()
        assert status_line(slow) == "HTTP/1.1 200 OK"
        assert "Traceback" not in run.rest(), "the output ends when the last process does"


LIFESPANS = """
from contextlib import asynccontextmanager
from django_bolt import BoltAPI

def lifespan(name):
    @asynccontextmanager
    async def span(api):
        print(f"enter {name}", flush=True)
        if fails(name):
            raise RuntimeError(f"{name} failed")
        yield
        print(f"leave {name}", flush=True)
    return span

def fails(name):
    return False

first = BoltAPI(lifespan=lifespan("first"))
second = BoltAPI(prefix="/second", lifespan=lifespan("second"))
"""
TWO_APIS = {"proj__settings": 'BOLT_API = ["proj.api:first", "proj.api:second"]\n'}


def test_lifespans_are_entered_in_order_and_left_in_reverse(tmp_path: Path) -> None:
    project = write_project(tmp_path, LIFESPANS, **TWO_APIS)
    with runbolt(project) as run:
        run.wait_ready()
        assert [line.strip() for line in run.unexpected if "enter" in line] == ["enter first", "enter second"]
        run.signal(signal.SIGTERM)
        assert run.end() == 0
        assert [line for line in run.rest().splitlines() if "leave" in line] == ["leave second", "leave first"]


@modes
def test_a_failing_lifespan_ends_the_start(tmp_path: Path, mode: list[str]) -> None:
    failing = LIFESPANS.replace("return False", 'return name == "second"')
    with runbolt(write_project(tmp_path, failing, **TWO_APIS), *mode) as run:
        assert run.end() == (3 if mode else 1)
        output = run.rest()
        assert "RuntimeError: second failed" in output
        assert "Serving" not in output


def test_unix_socket(project: Path) -> None:
    path = project / "app.sock"
    with runbolt(project, "--uds", str(path), "--processes", "2") as run:
        run.wait_ready()
        assert run.url == f"unix:{path}"
        for _ in range(4):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(path))
                connection.sendall(b"GET /pid HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                assert connection.makefile("rb").read().startswith(b"HTTP/1.1 200 OK\r\n")
        run.signal(signal.SIGTERM)
        assert run.end() == 0
    assert not path.exists()


def test_ipv6(project: Path) -> None:
    with runbolt(project, "--host", "[::1]") as run:
        run.wait_ready()
        assert run.url == f"http://[::1]:{run.port}"
        with socket.create_connection(("::1", run.port), timeout=30) as connection:
            connection.sendall(b"GET /pid HTTP/1.1\r\nhost: x\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
        run.signal(signal.SIGTERM)
        assert run.end() == 0


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_the_loop_is_uvloop_when_it_is_installed(tmp_path: Path, loop: str) -> None:
    api = API + '\n@api.get("/loop")\nasync def loop():\n    return type(asyncio.get_running_loop()).__module__\n'
    project = write_project(tmp_path / "project", api)
    hidden = "" if loop == "uvloop" else 'import sys\nsys.modules["uvloop"] = None\n'
    (project / "proj/settings.py").write_text(hidden + (project / "proj/settings.py").read_text())
    with runbolt(project) as run:
        run.wait_ready()
        run.expect(f"One process on {loop}")
        assert run.request("GET", "/loop")[1].startswith(loop)
        run.signal(signal.SIGTERM)
        assert run.end() == 0


def test_access_log(project: Path) -> None:
    with runbolt(project, "--access-log") as run:
        run.wait_ready()
        run.expect("Access log on standard error")
        run.get("/pid")
        run.signal(signal.SIGTERM)
        run.expect(r"^GET /pid 200 \d+\.\d+ms$")
        assert run.end() == 0
