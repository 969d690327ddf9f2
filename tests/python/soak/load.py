"""Steady load from clients that keep their connections, honour ``connection: close`` and never retry."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tools.soak_client import Ask, Connection, WrongAnswer, check, plain_ask

_ROUTES = ("immediate", "sync", "sleep", "zero")
_TIMEOUT_S = 30.0


class Load:
    """``clients`` coroutines, each asking one request after the other. ``failures`` counts by what happened when."""

    def __init__(self, address: tuple[str, int], clients: int) -> None:
        self.answered = 0
        self.failures: Counter[str] = Counter()
        self.closed_politely = 0
        self._address = address
        self._clients = clients
        self._stopping = False
        self._progress = asyncio.Event()

    async def run(self) -> None:
        """Until ``stop()``."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._clients):
                group.create_task(self._ask_on(number))

    def stop(self) -> None:
        """Let every client finish the request it waits for."""
        self._stopping = True

    async def answers(self, count: int) -> None:
        """Until that many more requests have been answered."""
        goal = self.answered + count
        async with asyncio.timeout(_TIMEOUT_S):
            while self.answered < goal:
                self._progress.clear()
                await self._progress.wait()

    async def _ask_on(self, number: int) -> None:
        rng = random.Random(number)
        connection: Connection | None = None
        used = 0
        while not self._stopping:
            phase = "connecting"
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    if connection is None:
                        connection, used = await Connection.open(self._address, f"127.0.0.{2 + number % 8}"), 0
                    phase = "first request" if used == 0 else "later request"
                    stays = await self._one(connection, plain_ask(rng.choice(_ROUTES), rng.randrange(1000)))
            except (OSError, WrongAnswer, TimeoutError) as exc:
                self.failures[f"{phase}: {type(exc).__name__}: {exc}"] += 1
                stays = False
                await asyncio.sleep(0.005)
            used += 1
            if not stays and connection is not None:
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    async def _one(self, connection: Connection, ask: Ask) -> bool:
        await connection.send(ask.octets)
        status, content, stays = await connection.receive()
        check(ask, status, content)
        self.answered += 1
        self.closed_politely += not stays
        self._progress.set()
        return stays


@asynccontextmanager
async def loaded(address: tuple[str, int], clients: int) -> AsyncIterator[Load]:
    """Load for the duration of the block; it is warm when the block begins."""
    load = Load(address, clients)
    task = asyncio.create_task(load.run())
    try:
        await load.answers(clients * 5)
        yield load
    finally:
        load.stop()
        await task
