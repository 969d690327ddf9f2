"""The supervisor with real processes: replacement, back-off, recycling, draining, killing. ``supervised.py`` is run."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from program import Program, is_alive, program

PROGRAM = Path(__file__).with_name("supervised.py")


class Supervised(Program):
    """A running ``supervised.py``."""

    port = 0
    pids: tuple[int, ...] = ()

    def wait_ready(self) -> None:
        port, pids = self.expect(r"^ready (\d+) ([\d ]+)$").groups()
        self.port, self.pids = int(port), tuple(int(pid) for pid in pids.split())

    def send(self, order: str) -> str:
        """One connection, one order; the answer, empty when the worker died of it."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(order.encode() + b"\n")
            try:
                return connection.makefile().readline().strip()
            except ConnectionResetError:
                return ""


@contextmanager
def supervised(fail_file: Path | None = None, **options: object) -> Iterator[Supervised]:
    with program([sys.executable, str(PROGRAM), repr(options), str(fail_file or "")]) as run:
        yield Supervised(run.process)


def test_every_slot_has_a_worker_and_sigterm_drains_them() -> None:
    with supervised(processes=3) as run:
        run.wait_ready()
        assert len(set(run.pids)) == 3
        assert int(run.send("pid")) in run.pids
        run.signal(signal.SIGTERM)
        run.expect("draining")
        drained = {int(run.expect(r"^drained (\d+)").group(1)) for _ in range(3)}
        assert drained == set(run.pids)
        assert run.end() == 0
        with pytest.raises(ConnectionRefusedError):
            run.send("pid")


def test_sigint_stops_and_exits_with_0() -> None:
    with supervised(processes=2) as run:
        run.wait_ready()
        run.signal(signal.SIGINT)
        assert run.end() == 0
        assert not any(is_alive(pid) for pid in run.pids)


def test_a_crashed_worker_is_replaced_on_the_same_listener() -> None:
    with supervised(processes=1, respawn=True) as run:
        run.wait_ready()
        assert run.send("crash") == ""
        run.expect(rf"worker 0 \(pid {run.pids[0]}\) was killed by SIGKILL: replacing it")
        # No wait: the listener is open all the time and queues the connection.
        replacement = int(run.send("pid"))
        assert replacement not in run.pids
        run.signal(signal.SIGTERM)
        assert run.end() == 0


def test_repeated_crashes_back_off() -> None:
    with supervised(processes=1, respawn=True) as run:
        run.wait_ready()
        times = []
        for _ in range(3):
            run.send("crash")
            times.append(float(run.expect(r"^([\d.]+) worker 0 .* replacing it").group(1)))
        # Back-off of 0.1 s before the first replacement, 0.2 s before the second.
        assert times[1] - times[0] >= 0.1
        assert times[2] - times[1] >= 0.2
        run.signal(signal.SIGTERM)
        assert run.end() == 0


def test_a_worker_that_never_comes_up_ends_the_start(tmp_path: Path) -> None:
    fail_file = tmp_path / "fail"
    fail_file.touch()
    with supervised(fail_file, processes=2) as run:
        run.expect(r"exited with code 4 before it served: giving up")
        assert run.end() == 3


def test_sighup_replaces_all_workers_one_by_one() -> None:
    with supervised(processes=2) as run:
        run.wait_ready()
        run.signal(signal.SIGHUP)
        run.expect("restarting the workers one by one")
        took_over = [int(run.expect(rf"worker {index} \(pid (\d+)\) took over").group(1)) for index in range(2)]
        assert not set(took_over) & set(run.pids)
        assert {int(run.expect(r"^drained (\d+)").group(1)) for _ in range(2)} == set(run.pids)
        assert int(run.send("pid")) in took_over
        run.signal(signal.SIGTERM)
        assert run.end() == 0
        assert not any(is_alive(pid) for pid in run.pids)


def test_a_failing_successor_leaves_the_old_worker_serving(tmp_path: Path) -> None:
    fail_file = tmp_path / "fail"
    with supervised(fail_file, processes=2) as run:
        run.wait_ready()
        fail_file.touch()
        run.signal(signal.SIGHUP)
        run.expect(r"the replacement of worker 0 exited with code 4 before it served: keeping the old worker")
        assert int(run.send("pid")) in run.pids
        run.signal(signal.SIGTERM)
        assert run.end() == 0


def test_a_worker_with_too_much_memory_is_recycled() -> None:
    with supervised(processes=1, max_rss_bytes=200 << 20) as run:
        run.wait_ready()
        assert int(run.send("hold 300")) == run.pids[0]
        run.expect(r"recycling worker 0: it holds \d{3} MiB of memory")
        assert int(run.expect(r"worker 0 \(pid (\d+)\) took over").group(1)) not in run.pids
        run.expect(rf"^drained {run.pids[0]}$")
        run.signal(signal.SIGTERM)
        assert run.end() == 0


def test_workers_reach_their_lifetime() -> None:
    with supervised(processes=1, lifetime_s=0.2) as run:
        run.wait_ready()
        for _ in range(2):
            run.expect(r"recycling worker 0: it reached its lifetime")
            run.expect(r"took over")
        run.signal(signal.SIGTERM)
        assert run.end() == 0


@pytest.mark.parametrize("escalation", ["kill timeout", "second SIGTERM"])
def test_a_worker_that_does_not_stop_is_killed(escalation: str) -> None:
    with supervised(processes=2, kill_timeout_s=0.1 if escalation == "kill timeout" else 60.0) as run:
        run.wait_ready()
        with socket.create_connection(("127.0.0.1", run.port)) as connection:
            connection.sendall(b"hang\n")
            run.expect("^hanging")
            run.signal(signal.SIGTERM)
            run.expect("draining")
            run.expect("^drained")
            if escalation == "second SIGTERM":
                run.signal(signal.SIGTERM)
                run.expect("killing the workers")
            else:
                run.expect(r"killing worker \d \(pid \d+\): it did not stop in time")
            assert run.end() == 1
        assert not any(is_alive(pid) for pid in run.pids)


def test_workers_leave_when_the_supervisor_is_killed() -> None:
    with supervised(processes=2) as run:
        run.wait_ready()
        run.process.kill()
        orphans = {int(run.expect(r"^orphan (\d+)").group(1)) for _ in range(2)}
        assert orphans == set(run.pids)
