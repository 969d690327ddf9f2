"""Processes that die, restart and stop under load, and a server without room: what clients see of it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from tests.python.soak.load import Load, loaded
from tools import soak, soak_client

CLIENTS = 40


def workers(server: soak.Server) -> set[int]:
    """The supervisor's children."""
    pid = server.process.pid
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


async def until(condition: Callable[[], object]) -> None:
    """There is nothing to wait on for another process's children."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


def under_load(act: Callable[[soak.Server, Load], Coroutine[Any, Any, None]]) -> Load:
    """Two workers under load while ``act`` runs; the load when all clients have finished."""

    async def main(server: soak.Server) -> Load:
        async with loaded(server.address, CLIENTS) as load:
            await act(server, load)
        return load

    with soak.running("--processes", "2") as server:
        load = asyncio.run(main(server))
        if server.process.poll() is None:
            assert server.stop() == 0
        assert server.errors() == ""
    return load


def test_a_rolling_restart_fails_no_request() -> None:
    async def act(server: soak.Server, load: Load) -> None:
        for _ in range(2):
            before = workers(server)
            os.kill(server.process.pid, signal.SIGHUP)
            await until(lambda before=before: not before & workers(server))
            await load.answers(CLIENTS)

    load = under_load(act)
    assert load.failures == {}
    assert load.closed_politely >= CLIENTS, "every connection of a worker that ends is closed by an answer"


def test_sigterm_answers_every_request_in_flight() -> None:
    async def act(server: soak.Server, load: Load) -> None:
        server.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(server.process.wait, 30) == 0

    load = under_load(act)
    # A connection made in the instant between the last accept() and close() is reset by the kernel.
    late = {what: count for what, count in load.failures.items() if not what.startswith(("connecting", "first"))}
    assert late == {}


def test_a_killed_worker_takes_only_its_own_requests_along() -> None:
    async def act(server: soak.Server, load: Load) -> None:
        for _ in range(2):
            before = workers(server)
            victim = min(before)
            os.kill(victim, signal.SIGKILL)
            await until(lambda before=before, victim=victim: len(workers(server) - {victim}) == len(before))
            await load.answers(CLIENTS * 5)

    load = under_load(act)
    assert not [what for what in load.failures if what.startswith("connecting")], load.failures
    assert 0 < load.failures.total() <= 2 * CLIENTS, load.failures


def test_clients_wait_when_there_are_no_descriptors() -> None:
    """More clients than the server may have files open: all are served in the end."""
    with soak.running(limit_descriptors=40) as server:
        report = soak_client.soak(server.address, requests=600, connections=120, errors=0.0)
        assert report.failures == []
        assert server.quiet_state()["fds"] < 40
        assert server.stop() == 0
        assert server.errors() == ""
