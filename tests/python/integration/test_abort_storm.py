"""Half of the clients vanish at every possible moment; the others notice nothing and nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct
from typing import Any

import pytest
from tests.python.harness import LOOP_FACTORIES, Application, Client, run

from django_bolt import _core

CONNECTIONS = 200
ROUNDS = 5
LINGER_RESET = struct.pack("ii", 1, 0)  # close() sends RST


@pytest.fixture(params=sorted(LOOP_FACTORIES))
def loop_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def application() -> Application:
    app = Application()

    @app.get("/now")
    async def now() -> dict[str, str]:
        return {"answer": "now"}

    @app.get("/turn")
    async def turn() -> dict[str, str]:
        await asyncio.sleep(0)
        return {"answer": "turn"}

    @app.get("/later")
    async def later() -> dict[str, str]:
        async with asyncio.timeout(5):
            await asyncio.sleep(0.002)
        return {"answer": "later"}

    @app.get("/stubborn")
    async def stubborn() -> dict[str, str]:
        try:
            await asyncio.sleep(0.002)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return {"answer": "stubborn"}

    @app.get("/big")
    def big() -> bytes:
        return bytes(300_000)

    return app


NAMES = ["now", "turn", "later", "stubborn"]


async def patient(address: Any, dice: random.Random) -> int:
    """A client that sends some requests, pipelined or not, and checks every answer."""
    client = Client(*await asyncio.open_connection(*address))
    names = dice.choices(NAMES, k=dice.randrange(1, 6))
    pipelined = dice.random() < 0.5
    for name in names:
        client.send(f"/{name}")
        if not pipelined:
            assert (await client.receive()).json() == {"answer": name}
    if pipelined:
        for name in names:
            assert (await client.receive()).json() == {"answer": name}
    await client.close()
    return len(names)


async def vanishing(address: Any, dice: random.Random) -> None:
    """A client that sends a prefix of some requests, perhaps reads a little, and resets the connection."""
    loop = asyncio.get_running_loop()
    octets = b"".join(b"GET /%s HTTP/1.1\r\nhost: a\r\n\r\n" % dice.choice([*NAMES, "big"]).encode() for _ in range(4))
    with socket.socket() as client:
        client.setblocking(False)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
        await loop.sock_connect(client, address)
        await loop.sock_sendall(client, octets[: dice.randrange(len(octets) + 1)])
        for _ in range(dice.randrange(4)):
            await asyncio.sleep(0)


def test_abort_storm(loop_name: str) -> None:
    async def main() -> None:
        dice = random.Random(20240101)
        app = application()
        server = _core.Server(app.core, asyncio.get_running_loop())
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            server.add_listener(listener.fileno())
            server.start()
            address = listener.getsockname()
            await storm(address, dice)
            await drained(server)
            descriptors = len(os.listdir("/proc/self/fd"))
            for _ in range(ROUNDS):
                await storm(address, dice)
            await drained(server)
            assert len(os.listdir("/proc/self/fd")) == descriptors
            assert server.stats()["requests"] > CONNECTIONS
            server.close()
        assert app.hooks.exceptions == []
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def storm(address: Any, dice: random.Random) -> None:
        clients = [dice.choice([patient, vanishing])(address, dice) for _ in range(CONNECTIONS)]
        async with asyncio.timeout(30):
            await asyncio.gather(*clients)

    async def drained(server: _core.Server) -> None:
        async with asyncio.timeout(10):
            while server.stats()["connections"] or server.pending():
                await asyncio.sleep(0.001)
        assert server.stats()["exchanges_open"] == 0

    run(main(), loop_name)
