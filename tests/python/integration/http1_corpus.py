"""Requests for the differential test: written by a grammar, broken by mutations, taken from the literature.

Everything follows from SEED, so a difference found once is found again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

SEED = 9112
GRAMMAR_COUNT = 6000
MUTATED_COUNT = 6000

METHODS = [b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE"]
ODD_METHODS = [b"CONNECT", b"QUERY", b"M-SEARCH", b"get", b"G@T", b"", b"PRI", b"X" * 40]
TARGETS = [b"/", b"/a/b?x=1&y=%41", b"/index.html", b"//a//b", b"/a;p=1?", b"http://b.example:81/p?q", b"HTTPS://h"]
ODD_TARGETS = [
    b"*",
    b"/a#b",
    b"/caf\xc3\xa9",
    b"/a b",
    b"",
    b"a",
    b"*?",
    b"http:///",
    b"ftp://h/",
    b"b.example:443",
    b"http://u@h/",
    b"/{x}|y",
    b"/a\x7f",
    b"/\x00",
    b"http://h?a",
    b'/a\\b"',
    b"http://[::1]:80/",
]
VERSIONS = [b"HTTP/1.1"] * 12 + [b"HTTP/1.0"] * 4
ODD_VERSIONS = [
    b"HTTP/1.2",
    b"HTTP/2.0",
    b"HTTP/0.9",
    b"http/1.1",
    b"HTTP/1",
    b"HTTP/1.10",
    b"HTTP/01.1",
    b"HTTP /1.1",
    b"",
    b"ICE/1.0",
]
HOSTS = [b"a", b"www.example.org:8080", b"[::1]:80", b"", b"127.0.0.1"]
ODD_HOSTS = [b"a b", b"a/b", b"u@h", b"a,b", b"h:99999", b"[::1", b"\xc3\xa9", b"h\x00", b"%41", b"a\tb", b":80", b"h:"]
FIELDS = [
    b"Accept: */*",
    b"User-Agent: x/1.0 (y; z)",
    b"Cookie: a=b; c=d",
    b"X-Empty:",
    b"x-token!#$%&'*+-.^_`|~: v",
    b"X-Space:  \t v w \t",
    b"X-Text: caf\xe9",
    b"Connection: close",
    b"Connection: keep-alive",
    b"Connection: Foo, CLOSE",
    b"Connection: upgrade",
    b"Upgrade: websocket",
    b"Expect: 100-continue",
    b"Keep-Alive: 5",
    b"TE: trailers",
]
ODD_FIELDS = [
    b"A : b",
    b"A\t: b",
    b" A: b",
    b": b",
    b"A",
    b"A: b\x00c",
    b"A: b\x01",
    b"A: b\rc",
    b"A: b\nC: d",
    b"A: b\r\n c",
    b"A: b\r\n\tc",
    b"\xc3\xa9: b",
    b"A[]: b",
    b"A: \x7f",
    b"A: b\x0b",
    b"A: \r\n b",
    b"A:\x0cb",
]
LENGTHS = [b"Content-Length: %d", b"content-length:%d ", b"Content-Length: 0%d"]
ODD_LENGTHS = [
    b"Content-Length: +%d",
    b"Content-Length: -%d",
    b"Content-Length: %d, %d",
    b"Content-Length: %d,9",
    b"Content-Length: 0x%d",
    b"Content-Length: %d\r\nContent-Length: %d",
    b"Content-Length: %d\r\nContent-Length: 99",
    b"Content-Length: %d %d",
    b"Content-Length:",
    b"Content-Length: %d0000000000000000000000",
    b"Content-Length : %d",
    b"Content-Length: %d;",
    b"Content_Length: %d",
    b"Content-Length: 1_%d",
    b"Content-Length: %d\r\nTransfer-Encoding: chunked",
]
CODINGS = [b"Transfer-Encoding: chunked"] * 4 + [b"transfer-encoding:CHUNKED"]
ODD_CODINGS = [
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, gzip",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding: chunked,",
    b"Transfer-Encoding: chunked;q=1",
    b"Transfer-Encoding:\x0bchunked",
    b'Transfer-Encoding: "chunked"',
    b"Transfer-Encoding:\r\n chunked",
    b"Transfer_Encoding: chunked",
    b"Transfer-Encoding: chu\nnked",
    b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding: chunked\r\nContent-Length: 4",
    b"Transfer-Encoding:",
    b"X: y\nTransfer-Encoding: chunked",
    b"Transfer-Encoding\x00: chunked",
    b"Transfer-Encoding: \xa0chunked",
    b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
]
CHUNK_ENDS = [b"\r\n"] * 12 + [b";a=b\r\n", b";a\r\n", b';a="b c"\r\n']
ODD_CHUNK_ENDS = [
    b"\n",
    b" \r\n",
    b";\r\n",
    b"; a\r\n",
    b" ;a\r\n",
    b";a\n",
    b";a\rb\r\n",
    b";\x00\r\n",
    b"\r",
    b"\t\r\n",
    b';a="\n"\r\n',
    b";a=\x80\r\n",
]
ODD_SIZES = [
    b"",
    b"0x%x",
    b"+%x",
    b" %x",
    b"-%x",
    b"%xg",
    b"00000000000000000000%x",
    b"fffffffffffffffff",
    b"%x_0",
    b"\n%x",
]
TRAILERS = [b"", b"", b"", b"X-Sum: 1\r\n", b"X-A: 1\r\nX-B: 2\r\n"]
ODD_TRAILERS = [
    b"A : b\r\n",
    b"A: b\n",
    b" A: b\r\n",
    b"A\r\n",
    b"A: \x00\r\n",
    b"Content-Length: 5\r\n",
    b"GET / HTTP/1.1\r\n",
    b"A: b\r\n c\r\n",
]
LINE_ENDS = [b"\n", b"\r\r\n", b"\r", b"\n\r\n"]
NEXT = b"GET /next HTTP/1.1\r\nHost: n\r\n\r\n"
OCTETS = b'\x00\x01\t\n\x0b\r "#%,-/0159:;?AZ[\\]_az{|}~\x7f\x80\xa0\xff'


class Generator:
    """Writes requests; each choice is usually sound and `odds` of the time from a list of bad examples."""

    def __init__(self, seed: int, odds: float) -> None:
        self.random = random.Random(seed)
        self.odds = odds

    def pick(self, usual: list[bytes], odd: list[bytes]) -> bytes:
        return self.random.choice(odd if self.random.random() < self.odds else usual)

    def fields(self, version: bytes) -> list[bytes]:
        """Host and up to five others."""
        lines = [self.pick(FIELDS, ODD_FIELDS) for _ in range(self.random.randrange(6))]
        hosts = 1
        if self.random.random() < self.odds:
            hosts = self.random.choice([0, 2])
        elif version == b"HTTP/1.0":
            hosts = self.random.choice([0, 1])
        for _ in range(hosts):
            lines.insert(self.random.randrange(len(lines) + 1), b"Host: " + self.pick(HOSTS, ODD_HOSTS))
        return lines

    def content(self) -> bytes:
        return bytes(self.random.choice(b"abc \r\n0:") for _ in range(self.random.randrange(1, 20)))

    def chunked(self) -> bytes:
        """Chunks, the last one and trailer fields."""
        out = b""
        for _ in range(self.random.randrange(4)):
            data = self.content()
            size = self.pick([b"%x", b"%X", b"0%x"], ODD_SIZES)
            out += (size % len(data) if b"%" in size else size) + self.pick(CHUNK_ENDS, ODD_CHUNK_ENDS)
            out += data + self.pick([b"\r\n"], LINE_ENDS)
        return (
            out
            + self.pick([b"0", b"000"], [b"", b"0x0"])
            + self.pick(CHUNK_ENDS, ODD_CHUNK_ENDS)
            + self.pick(TRAILERS, ODD_TRAILERS)
            + b"\r\n"
        )

    def request(self) -> bytes:
        version = self.pick(VERSIONS, ODD_VERSIONS)
        lines = self.fields(version)
        content = b""
        kind = self.random.choice(["none", "length", "chunked", "chunked"])
        if kind == "length":
            content = self.content()
            line = self.pick(LENGTHS, ODD_LENGTHS)
            lines.append(line.replace(b"%d", b"%d" % len(content)))
        elif kind == "chunked" and (version != b"HTTP/1.0" or self.random.random() < self.odds):
            content = self.chunked()
            lines.append(self.pick(CODINGS, ODD_CODINGS))
        space = self.pick([b" "], [b"  ", b"\t", b""])
        method = self.pick(METHODS, ODD_METHODS)
        target = self.pick([*TARGETS, b"*"] if method == b"OPTIONS" else TARGETS, ODD_TARGETS)
        start = method + space + target + space + version
        head = b"".join(line + self.pick([b"\r\n"] * 3, [b"\r\n"] * 3 + LINE_ENDS) for line in [start, *lines])
        return self.pick([b""], [b"\r\n", b"\n", b"\r\n\r\n", b" "]) + head + b"\r\n" + content

    def mutated(self) -> bytes:
        """A sound request with one to three octets or runs changed."""
        octets = bytearray(self.request())
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(len(octets))
            how = self.random.randrange(5)
            if how == 0:
                octets[at] = self.random.choice(OCTETS)
            elif how == 1:
                octets[at:at] = bytes([self.random.choice(OCTETS)])
            elif how == 2:
                del octets[at : at + self.random.randrange(1, 4)]
            elif how == 3:
                octets[at:at] = octets[at : at + self.random.randrange(1, 30)]
            else:
                octets[at] ^= 1 << self.random.randrange(8)
            if not octets:
                break
        return bytes(octets)


# Messages as the literature on request smuggling gives them, each with what ours must do.
CHUNKED_HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
SMUGGLING = [
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5\r\nGPOST\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-encoding: x\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tchunked\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nHost: a\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\r\n : chunked\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nHost: a\r\nX: y\rContent-Length: 4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 5\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\x00\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length\x00: 4\r\n\r\nabcd",
    b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
    b"GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\x0b\r\nHost: a\r\n\r\n",
    b"GET /\r\nHost: a\r\n\r\n",
    CHUNKED_HEAD + b"5;a\nhello\r\n0\r\n\r\n",
    CHUNKED_HEAD + b"2;\nxx\r\n10\r\n\r\nGET / HTTP/1.1\r\n0\r\n\r\n",
    CHUNKED_HEAD + b"5\rXhello\r\n0\r\n\r\n",
    CHUNKED_HEAD + b"5\r\nhelloXX0\r\n\r\n",
    CHUNKED_HEAD + b"5\r\nhello\n0\r\n\r\n",
    CHUNKED_HEAD + b"0x5\r\nhello\r\n0\r\n\r\n",
    CHUNKED_HEAD + b"100000000000000005\r\nhello\r\n0\r\n\r\n",
    CHUNKED_HEAD + b"0\r\nX: y\nGET / HTTP/1.1\r\n\r\n",
    CHUNKED_HEAD + b"0\n\n",
]


def requests() -> Iterator[bytes]:
    """The whole corpus; each message is followed by another request, as on a connection."""
    usual, sound = Generator(SEED, 0.02), Generator(SEED + 1, 0.0)
    for _ in range(GRAMMAR_COUNT):
        yield usual.request() + NEXT
    for _ in range(MUTATED_COUNT):
        yield sound.mutated() + NEXT
    for message in SMUGGLING:
        yield message + NEXT
