"""A program for test_supervisor.py: the supervisor with workers that need no event loop and no Django.

Usage: supervised.py OPTIONS, a Python expression of ServeOptions' arguments; ``fail_once`` names a file whose presence
makes a starting worker fail. It prints "ready PORT PID..." and the supervisor's messages. A worker reads one line of
each connection: "pid" is answered by its process id, "crash" and "hang" do what they say.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time

from django_bolt._listeners import Listeners, open_listeners
from django_bolt._options import Address, ServeOptions
from django_bolt._supervisor import Supervisor, WorkerRole


def say(line: str) -> None:
    """One write: print() makes two when PYTHONUNBUFFERED is set, and lines of several processes would mix."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def answer(listener: socket.socket) -> None:
    try:
        connection, _ = listener.accept()
    except BlockingIOError:  # a successor on the same listener was faster
        return
    with connection, connection.makefile("rw") as stream:
        order = stream.readline().strip()
        if order == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        elif order == "hang":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            say("hanging")
            while True:
                signal.pause()
        elif order.startswith("hold"):
            ballast.append(b"x" * (int(order.split()[1]) << 20))
        stream.write(f"{os.getpid()}\n")


ballast: list[bytes] = []


def work(role: WorkerRole, fail_file: str) -> int:
    if fail_file and os.path.exists(fail_file):
        return 4
    draining = False

    def drain(number: int, frame: object) -> None:
        nonlocal draining
        draining = True

    wakeup_r, wakeup_w = os.pipe2(os.O_NONBLOCK)
    signal.set_wakeup_fd(wakeup_w)
    signal.signal(signal.SIGTERM, drain)
    signal.signal(signal.SIGQUIT, drain)
    os.write(role.ready_fd, b"+")
    os.close(role.ready_fd)
    while not draining:
        ready, _, _ = select.select([role.listener, role.lifeline_fd, wakeup_r], [], [])
        if role.lifeline_fd in ready:
            say(f"orphan {os.getpid()}")
            return 0
        if role.listener in ready:
            answer(role.listener)
    say(f"drained {os.getpid()}")
    return 0


def main() -> int:
    options = eval(sys.argv[1])
    fail_file = sys.argv[2]
    serve = ServeOptions(**options)
    listeners: Listeners = open_listeners(Address("127.0.0.1", 0), serve.processes, 64)

    def announce(pids: list[int]) -> None:
        say(f"ready {listeners.address.port} {' '.join(map(str, pids))}")

    def log(message: str) -> None:
        say(f"{time.monotonic():.3f} {message}")

    outcome = Supervisor(listeners, serve, on_ready=announce, log=log, before_fork=lambda: None).run()
    return work(outcome, fail_file) if isinstance(outcome, WorkerRole) else outcome


if __name__ == "__main__":
    sys.exit(main())
