"""What /proc tells: memory of a process, holder of a port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from django_bolt._proc import holder_of_port, rss_bytes


def test_memory_grows_with_what_is_held() -> None:
    before = rss_bytes(os.getpid())
    held = b"x" * (64 << 20)
    assert rss_bytes(os.getpid()) - before > len(held) // 2


def test_a_process_that_is_gone_holds_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert rss_bytes(child.pid) == 0


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_the_holder_of_a_port(family: socket.AddressFamily, host: str) -> None:
    with socket.create_server((host, 0), family=family) as server:
        port = server.getsockname()[1]
        holder = holder_of_port(port)
        assert holder is not None
        assert holder.startswith(f"process {os.getpid()} (")
        assert len(holder) < 120
    assert holder_of_port(port) is None


def test_a_port_that_is_only_connected_has_no_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert holder_of_port(client.getsockname()[1]) is None
