"""Starting, watching and ending servers under test."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
from bench.peers import HOST
from bench.process import Server, ServerError, free_port, parse_stat, require_free

CORE = min(os.sched_getaffinity(0))
FORKING_SERVER = """
import os, signal, socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    listener.accept()[0].close()
"""


def test_parse_stat_reads_past_a_command_name_with_parentheses() -> None:
    fields = ["S", "1", "2", "77", *["0"] * 7, "100", "50", "25", "25", "0"]
    stat = parse_stat("123 (a) (b c) " + " ".join(fields))
    assert stat.session == 77
    assert stat.cpu_seconds == 200 / os.sysconf("SC_CLK_TCK")


def test_require_free_sees_a_leftover_that_shares_its_port() -> None:
    with socket.socket() as leftover:
        leftover.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        leftover.bind((HOST, 0))
        leftover.listen()
        with pytest.raises(ServerError, match="in use"):
            require_free(leftover.getsockname()[1])


def test_a_server_is_measured_and_ended(ceiling: Path, tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    answer.write_bytes(b"{}")
    port = free_port()
    with Server([str(ceiling), str(port), str(answer)], core=CORE, port=port, log=tmp_path / "log") as server:
        server.start(tmp_path, os.environ)
        (pid,) = server.pids()
        assert os.sched_getaffinity(pid) == {CORE}
        assert server.cpu_seconds() >= 0
        assert server.resident_bytes() > 0
        assert server.log_bytes() == 0
    require_free(port)
    with pytest.raises(ServerError, match="has ended"):
        server.cpu_seconds()


def test_stop_ends_workers_that_ignore_sigterm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.process._STOP_SECONDS", 1)
    port = free_port()
    command = [sys.executable, "-c", FORKING_SERVER, str(port)]
    server = Server(command, core=CORE, port=port, log=tmp_path / "log")
    server.start(tmp_path, os.environ)
    server.stop()
    require_free(port)


def test_a_server_that_dies_at_once_is_reported(tmp_path: Path) -> None:
    server = Server(["false"], core=CORE, port=free_port(), log=tmp_path / "log")
    with pytest.raises(ServerError, match="ended with status 1"):
        server.start(tmp_path, os.environ)
    server.stop()


def test_start_refuses_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServerError, match="in use"):
            Server(["true"], core=CORE, port=port, log=tmp_path / "log").start(tmp_path, os.environ)
