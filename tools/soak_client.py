#!/usr/bin/env python3
"""A client that behaves well half of the time: ``tools/soak_client.py HOST PORT --requests N --connections N``

``connections`` coroutines share ``requests`` tickets. A ticket's number decides everything about it: which route of
``tests/python/soak/project`` it asks, how the request is cut into segments, whether and how the client walks away.
A well-behaved ticket has to be answered with exactly the expected status and content; an aborted one may be answered
or not, but what does arrive must be the beginning of the right answer.

Connections are kept alive until a ticket aborts them. Several loopback addresses are used in turn: one of them has
too few ports for the connections in TIME_WAIT.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import random
import resource
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

_TIMEOUT_S = 60.0
_SOURCES = 16
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_MAX_FAILURES_KEPT = 20


@dataclass(frozen=True, slots=True)
class Ask:
    """One request and the only right answer to it."""

    octets: bytes
    head_len: int
    status: int
    answer: object


@dataclass(slots=True)
class Report:
    """What happened. ``failures`` are the first few, ``failed`` counts all."""

    answered: int = 0
    aborted: int = 0
    connected: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def fail(self, message: str) -> None:
        """Note one broken promise."""
        self.failed += 1
        if len(self.failures) < _MAX_FAILURES_KEPT:
            self.failures.append(message)


class WrongAnswer(Exception):
    """The server answered, but not what was asked."""


# -- what is asked --------------------------------------------------------------------------------------------------


def _request(method: str, target: str, content: bytes, status: int, answer: object, *, chunked: bool = False) -> Ask:
    lines = [f"{method} {target} HTTP/1.1", "host: soak", "user-agent: soak"]
    if chunked:
        lines.append("transfer-encoding: chunked")
        middle = len(content) // 2
        pieces = [piece for piece in (content[:middle], content[middle:]) if piece]
        content = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    elif method == "POST":
        lines.append(f"content-length: {len(content)}")
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return Ask(head + content, len(head), status, answer)


def plain_ask(route: str, n: int) -> Ask:
    """A GET of one of the routes that answer with the number they were asked for."""
    return _request("GET", f"/{route}/{n}", b"", 200, {"n": n})


def _plain(route: str) -> Callable[[random.Random, int], Ask]:
    return lambda rng, n: plain_ask(route, n)


def _sleep(rng: random.Random, n: int) -> Ask:
    return _request("GET", f"/sleep/{n}?ms={rng.randrange(20)}", b"", 200, {"n": n})


def _large(rng: random.Random, n: int) -> Ask:
    size = rng.choice((1_000, 10_000, 10_000, 100_000))
    fill = (f"{n:08d}" * (size // 8 + 1))[:size]
    return _request("GET", f"/large/{n}?size={size}", b"", 200, {"n": n, "fill": fill})


def _body(rng: random.Random, n: int) -> Ask:
    x, label = rng.randrange(1 << 30), "\u00e9" * rng.randrange(50)
    content = json.dumps({"x": x, "y": n, "label": label}).encode()
    answer = {"n": n, "sum": x + n, "label": label}
    return _request("POST", f"/body/{n}", content, 200, answer, chunked=rng.random() < 0.3)


def _digest(rng: random.Random, n: int) -> Ask:
    content = rng.randbytes(rng.choice((1, 500, 20_000, 60_000)))
    digest = hashlib.sha256(content).hexdigest()
    answer = {"n": n, "sha256": digest, "same": digest}
    return _request("POST", f"/digest/{n}", content, 200, answer, chunked=rng.random() < 0.3)


def _wrong_body(rng: random.Random, n: int) -> Ask:
    return _request("POST", f"/body/{n}", b'{"x": 1, "y": "no"}', 422, ...)


def _wrong_path(rng: random.Random, n: int) -> Ask:
    return _request("GET", f"/sync/n{n}", b"", 422, ...)


def _not_found(rng: random.Random, n: int) -> Ask:
    return _request("GET", f"/nowhere/{n}", b"", 404, {"detail": "Not Found"})


def _not_allowed(rng: random.Random, n: int) -> Ask:
    return _request("DELETE", f"/sync/{n}", b"", 405, ...)


def _refused(rng: random.Random, n: int) -> Ask:
    return _request("GET", f"/refused/{n}", b"", 418, {"detail": f"refused {n}"})


def _failing(rng: random.Random, n: int) -> Ask:
    return _request("GET", f"/failing/{n}", b"", 500, ...)


def _page(rng: random.Random, n: int) -> Ask:
    return _request("GET", f"/page/{n}", b"", 200, f"<p>{n}</p>")


def _too_large(rng: random.Random, n: int) -> Ask:
    """Refused for what it announces; the content itself never comes."""
    head = f"POST /body/{n} HTTP/1.1\r\nhost: soak\r\ncontent-length: {1 << 24}\r\n\r\n".encode()
    return Ask(head + b"x" * 1000, len(head), 413, {"detail": "Payload too large"})


def _unencodable(rng: random.Random, n: int) -> Ask:
    return _request("GET", f"/unencodable/{n}", b"", 500, ...)


_SUSPENDING = [_sleep, *map(_plain, ("zero", "future", "group", "timeout", "thread", "context", "cleanup"))]
_SURVIVING = [_plain("kept"), _plain("background")]
_GOOD = [_plain("sync"), _plain("immediate"), _large, _body, _digest, _page, *_SUSPENDING, *_SURVIVING]
_ERRORS = [_wrong_body, _wrong_path, _not_found, _not_allowed, _too_large, _refused, _failing, _unencodable]


def make_ask(rng: random.Random, n: int, errors: float) -> Ask:
    """The request of ticket ``n``; a share ``errors`` of them is meant to be refused."""
    return rng.choice(_ERRORS if rng.random() < errors else _GOOD)(rng, n)


# -- one connection -------------------------------------------------------------------------------------------------


class Connection:
    """A non-blocking socket, and what it has received beyond the last answer."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._received = bytearray()
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(cls, address: tuple[str, int], source: str, *, small: bool = False) -> Connection:
        """``small`` receive buffers make the server feel a slow reader early."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Without it bind() takes a port away from every destination.
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
            if small:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.bind((source, 0))
            await asyncio.get_running_loop().sock_connect(sock, address)
        except BaseException:
            sock.close()
            raise
        return cls(sock)

    async def send(self, octets: bytes) -> None:
        await self._loop.sock_sendall(self._sock, octets)

    async def _more(self, at_most: int = 65536) -> bytes:
        return await self._loop.sock_recv(self._sock, at_most)

    async def receive(self, at_most: int = 65536) -> tuple[int, bytes, bool]:
        """The next answer: status, content and whether the connection stays. ConnectionError when it ends before."""
        while (end := self._received.find(b"\r\n\r\n")) < 0:
            await self._extend(at_most)
        status_line, *lines = bytes(self._received[:end]).decode("latin-1").split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        total = end + 4 + int(fields.get("content-length", "0"))
        while len(self._received) < total:
            await self._extend(at_most)
        content = bytes(self._received[end + 4 : total])
        del self._received[:total]
        return int(status_line.split(" ", 2)[1]), content, fields.get("connection") != "close"

    async def _extend(self, at_most: int) -> None:
        chunk = await self._more(at_most)
        if not chunk:
            raise ConnectionError(f"end of stream after {len(self._received)} octets of the answer")
        self._received += chunk

    async def receive_some(self, at_most: int) -> None:
        """A part of an answer, not looked at."""
        await self._more(at_most)

    async def receive_rest(self) -> bytes:
        """All until the end of the stream or a reset."""
        with contextlib.suppress(ConnectionError):
            while chunk := await self._more():
                self._received += chunk
        return bytes(self._received)

    def finish_sending(self) -> None:
        self._sock.shutdown(socket.SHUT_WR)

    def close(self, *, reset: bool = False) -> None:
        if reset:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._sock.close()


def check(ask: Ask, status: int, content: bytes) -> None:
    """Raises WrongAnswer."""
    if status != ask.status:
        raise WrongAnswer(f"status {status} instead of {ask.status}: {content[:200]!r}")
    if ask.answer is ...:
        return
    if (content.decode() if isinstance(ask.answer, str) else json.loads(content)) != ask.answer:
        raise WrongAnswer(f"content {content[:200]!r} instead of {str(ask.answer)[:200]}")


# -- good manners ---------------------------------------------------------------------------------------------------


async def _send_whole(connection: Connection, ask: Ask, rng: random.Random) -> bool:
    await connection.send(ask.octets)
    status, content, stays = await connection.receive()
    check(ask, status, content)
    return stays


async def _send_in_pieces(connection: Connection, ask: Ask, rng: random.Random) -> bool:
    cuts = sorted(rng.randrange(1, len(ask.octets)) for _ in range(rng.randrange(1, 6)))
    for start, end in zip([0, *cuts], [*cuts, len(ask.octets)], strict=True):
        if start != end:
            await connection.send(ask.octets[start:end])
            await asyncio.sleep(rng.choice((0, 0.001)))
    status, content, stays = await connection.receive()
    check(ask, status, content)
    return stays


async def _read_slowly(connection: Connection, ask: Ask, rng: random.Random) -> bool:
    await connection.send(ask.octets)
    await asyncio.sleep(rng.choice((0, 0.01)))
    status, content, stays = await connection.receive(at_most=1500)
    check(ask, status, content)
    return stays


_MANNERS = [_send_whole, _send_whole, _send_whole, _send_in_pieces, _read_slowly]

# -- and bad ones ---------------------------------------------------------------------------------------------------


async def _leave_in_head(connection: Connection, ask: Ask, rng: random.Random) -> None:
    await connection.send(ask.octets[: rng.randrange(ask.head_len)])
    await asyncio.sleep(rng.choice((0, 0.001)))


async def _leave_in_content(connection: Connection, ask: Ask, rng: random.Random) -> None:
    await connection.send(ask.octets[: rng.randrange(ask.head_len, max(ask.head_len + 1, len(ask.octets)))])
    await asyncio.sleep(rng.choice((0, 0.001)))


async def _leave_before_answer(connection: Connection, ask: Ask, rng: random.Random) -> None:
    await connection.send(ask.octets)
    await asyncio.sleep(rng.choice((0, 0, 0.001, 0.003)))


async def _leave_in_answer(connection: Connection, ask: Ask, rng: random.Random) -> None:
    await connection.send(ask.octets)
    await connection.receive_some(rng.choice((1, 17, 1000)))


async def _leave_pipeline(connection: Connection, ask: Ask, rng: random.Random) -> None:
    await connection.send(ask.octets * 3)
    await connection.receive_some(1)


async def _close_one_half(connection: Connection, ask: Ask, rng: random.Random) -> None:
    await connection.send(ask.octets)
    connection.finish_sending()
    rest = await connection.receive_rest()
    expected = b"HTTP/1.1 %d " % ask.status
    if rest[: len(expected)] != expected[: len(rest)]:
        raise WrongAnswer(f"{rest[:100]!r} after a half-close")


_DESERTIONS: list[Callable[[Connection, Ask, random.Random], Awaitable[None]]] = [
    _leave_in_head,
    _leave_in_content,
    _leave_before_answer,
    _leave_before_answer,
    _leave_in_answer,
    _leave_pipeline,
    _close_one_half,
]

# -- all of them ----------------------------------------------------------------------------------------------------


class Client:
    """Takes tickets from ``tickets`` with each of its connections until there is none left."""

    def __init__(
        self, address: tuple[str, int], *, seed: int, aborts: float, errors: float, tickets: Iterator[int]
    ) -> None:
        self.report = Report()
        self._address = address
        self._seed = seed
        self._aborts = aborts
        self._errors = errors
        self._tickets = tickets

    async def run(self, connections: int) -> Report:
        """Everything there is; ``failures`` tell what went wrong, nothing is raised."""
        start = time.monotonic()
        await asyncio.gather(*(self._serve_tickets(f"127.0.0.{2 + index % _SOURCES}") for index in range(connections)))
        self.report.seconds = time.monotonic() - start
        return self.report

    async def _serve_tickets(self, source: str) -> None:
        connection: Connection | None = None
        for n in self._tickets:
            rng = random.Random(self._seed * 1_000_003 + n)
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    if connection is None:
                        small = rng.random() < 0.1
                        connection = await Connection.open(self._address, source, small=small)
                        self.report.connected += 1
                    stays = await self._one(connection, rng, n)
            except (ConnectionError, TimeoutError, WrongAnswer) as exc:
                self.report.fail(f"ticket {n}: {type(exc).__name__}: {exc}")
                stays = False
            if not stays and connection is not None:
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    async def _one(self, connection: Connection, rng: random.Random, n: int) -> bool:
        """Returns whether the connection can be used again."""
        if rng.random() >= self._aborts:
            ask = make_ask(rng, n, self._errors)
            manner = rng.choice(_MANNERS)
            stays = await manner(connection, ask, rng)
            self.report.answered += 1
            self.report.kinds[manner.__name__.strip("_")] += 1
            return stays
        ask = make_ask(rng, n, self._errors)
        desertion = rng.choice(_DESERTIONS)
        with contextlib.suppress(ConnectionError):
            await desertion(connection, ask, rng)
        reset = rng.random() < 0.5
        connection.close(reset=reset)
        self.report.aborted += 1
        self.report.kinds[f"{desertion.__name__.strip('_')}{', reset' if reset else ''}"] += 1
        return False


def allow_descriptors(count: int) -> None:
    """Raise the soft limit of open files as far as needed. Raises ValueError when the hard limit is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def soak(
    address: tuple[str, int],
    *,
    requests: int,
    connections: int,
    first: int = 0,
    seed: int = 1,
    aborts: float = 0.5,
    errors: float = 0.1,
) -> Report:
    """Tickets ``first`` to ``first + requests``, from ``connections`` connections at a time."""
    allow_descriptors(connections + 64)
    client = Client(address, seed=seed, aborts=aborts, errors=errors, tickets=iter(range(first, first + requests)))
    return asyncio.run(client.run(connections))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--requests", type=int, default=5_000)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--aborts", type=float, default=0.5, help="share of requests that are aborted")
    parser.add_argument("--errors", type=float, default=0.1, help="share of requests the server has to refuse")
    flags = parser.parse_args()
    report = soak(
        (flags.host, flags.port),
        requests=flags.requests,
        connections=flags.connections,
        seed=flags.seed,
        aborts=flags.aborts,
        errors=flags.errors,
    )
    json.dump(
        {name: getattr(report, name) for name in report.__slots__},
        sys.stdout,
        indent=2,
    )
    print()
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
