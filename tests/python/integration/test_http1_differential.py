"""The HTTP/1 parser against two foreign ones: llhttp (through httptools) and h11.

Twelve thousand requests go through all three (http1_corpus.py). Each parser completes the first request, refuses it,
or waits for more. Where two disagree about that, or about method, target, version, fields, content, persistence or
where the request ends, one of RULES must claim the difference: a named class with the RFC section that settles it and
a predicate on the octets. A difference that no rule claims fails the test, and so does a rule that claims nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.python.integration.http1_corpus import SMUGGLING, requests
from tests.python.integration.http1_readers import Reading, read_h11, read_llhttp, read_ours


@dataclass(frozen=True)
class Case:
    """One message, read by us and by one of the others."""

    peer: str
    octets: bytes
    ours: Reading
    theirs: Reading

    def differences(self) -> set[str]:
        if self.ours.outcome != self.theirs.outcome:
            return {"outcome"}
        if self.ours.outcome != "complete":
            return set()
        compared = ("method", "target", "version", "fields", "content", "keep_alive", "end")
        return {name for name in compared if getattr(self.ours, name) != getattr(self.theirs, name)}

    @property
    def start(self) -> bytes:
        """The request line, by a reading of the octets that owes nothing to any of the parsers."""
        return re.split(rb"\r?\n", self.octets.lstrip(b"\r\n"), maxsplit=1)[0]

    @property
    def target(self) -> bytes:
        words = self.start.split(b" ")
        return words[1] if len(words) > 1 else b""

    @property
    def head(self) -> bytes:
        """Up to the first empty line, however its ends are written."""
        octets = self.octets.lstrip(b"\r\n")
        end = re.search(rb"\r?\n\r?\n", octets)
        return octets[: end.end()] if end else octets

    @property
    def rest(self) -> bytes:
        return self.octets.lstrip(b"\r\n")[len(self.head) :]

    def lines(self, pattern: bytes) -> bool:
        """Is there a field line, or a chunk size or trailer line of the content, that matches? LINE is its begin."""
        begin_of_content_line = rb"(?m:^)(?:[0-9a-fA-F]+;?|[-\w]+[ \t]*:)"
        return (
            re.search(pattern.replace(b"LINE", b""), self.head) is not None
            or re.search(pattern.replace(b"LINE", begin_of_content_line), self.rest) is not None
        )

    def values(self, name: bytes) -> list[bytes]:
        found = re.findall(rb"(?im)^" + name + rb"[ \t]*:([^\r\n]*)", self.head)
        return [value.strip(b" \t") for value in found]

    def tokens(self, name: bytes) -> set[bytes]:
        return {token.strip().lower() for value in self.values(name) for token in value.split(b",")}

    def we_refuse(self, error: str) -> bool:
        return self.ours.outcome == "refused" and re.match(error, self.ours.error) is not None

    def they_refuse(self, error: str) -> bool:
        return self.theirs.outcome == "refused" and re.match(error, self.theirs.error) is not None


BAD_HOST = "(invalid|malformed|IPv6|port is out|host is empty).*"
HOST = re.compile(
    rb"(\[[0-9a-f.]*:[0-9a-f:.]*\]|([-\w.~!$&'()*+,;=]|%[0-9a-f]{2})+)(:(\d*))?", re.IGNORECASE | re.ASCII
)


def is_host(value: bytes) -> bool:
    """uri-host [ ":" port ] with a port below 65536."""
    match = HOST.fullmatch(value)
    return match is not None and int(match[4] or 0) < 65536


def has_bad_host(case: Case) -> bool:
    authority = re.match(rb"https?://([^/?]*)", case.target, re.IGNORECASE)
    return any(value and not is_host(value) for value in case.values(b"Host")) or (
        authority is not None and not is_host(authority[1])
    )


def is_host_and_port(value: bytes) -> bool:
    return is_host(value) and re.search(rb":\d+$", value) is not None


@dataclass(frozen=True)
class Rule:
    """One class of differences: the peers it concerns, what it explains, the section that decides for us."""

    name: str
    rfc: str
    explains: set[str]
    applies: Callable[[Case], bool]
    peers: tuple[str, ...] = ("llhttp", "h11")


OUTCOME = {"outcome"}
LLHTTP, H11 = ("llhttp",), ("h11",)


def framing_fields(case: Case) -> tuple[list[bytes], list[bytes]]:
    return case.values(b"Content-Length"), case.values(b"Transfer-Encoding")


# What we refuse and others let pass.
STRICTER = [
    Rule(
        "two spaces or a tab in the request line",
        "9112 3",
        OUTCOME,
        lambda c: c.we_refuse("request target is empty|malformed HTTP version|invalid octet") and b"  " in c.start,
    ),
    Rule(
        "HTTP/0.9 request line",
        "9112 3",
        OUTCOME,
        lambda c: c.we_refuse("request line without HTTP version") and b" HTTP/" not in c.start,
    ),
    Rule(
        "method longer than any we know: 501",
        "9112 3",
        OUTCOME,
        lambda c: c.we_refuse("method is too long") and len(c.start.split(b" ")[0]) > 32,
    ),
    Rule(
        "major version is not 1: 505",
        "9110 15.6.6",
        OUTCOME,
        lambda c: c.we_refuse("only HTTP/1") and re.search(rb" HTTP/[^1]\.\d$", c.start) is not None,
    ),
    Rule(
        "target * for another method than OPTIONS",
        "9112 3.2.4",
        OUTCOME,
        lambda c: c.we_refuse("request target \\*") and c.target == b"*" and not c.start.startswith(b"OPTIONS "),
    ),
    Rule(
        "target neither a path nor an http(s) URI",
        "9112 3.2",
        OUTCOME,
        lambda c: c.we_refuse("request target is neither") and re.match(rb"(?i)/|https?://|\*$", c.target) is None,
    ),
    Rule("fragment in the target", "9112 3.2", OUTCOME, lambda c: c.we_refuse("fragment") and b"#" in c.target),
    Rule(
        "CONNECT target is not host:port",
        "9112 3.2.3",
        OUTCOME,
        lambda c: c.start.startswith(b"CONNECT ") and c.ours.outcome == "refused" and not is_host_and_port(c.target),
    ),
    Rule(
        "no Host in HTTP/1.1",
        "9112 3.2",
        OUTCOME,
        lambda c: c.we_refuse("HTTP/1.1 request without Host") and not c.values(b"Host"),
    ),
    Rule(
        "Host repeated", "9112 3.2", OUTCOME, lambda c: c.we_refuse("Host is repeated") and len(c.values(b"Host")) > 1
    ),
    Rule("malformed host or port", "9112 3.2, 3986 3.2", OUTCOME, lambda c: c.we_refuse(BAD_HOST) and has_bad_host(c)),
    Rule(
        "bare LF as line end",
        "9112 2.2",
        OUTCOME,
        lambda c: c.we_refuse("bare LF|request line does not (begin|end)|malformed chunk size")
        and (c.octets.startswith(b"\n") or b"\r\n\n" in c.rest or c.lines(rb"LINE[^\r\n]*(?<!\r)\n")),
    ),
    Rule("bare CR", "9112 2.2", OUTCOME, lambda c: c.we_refuse("bare CR") and c.lines(rb"LINE[^\r\n]*\r(?!\n)")),
    Rule(
        "obs-fold or white space before a field",
        "9112 5.2, 2.2",
        OUTCOME,
        lambda c: c.we_refuse("folded field line") and re.search(rb"\n[ \t]", c.octets) is not None,
        H11,
    ),
    Rule(
        "control character in a field value",
        "9110 5.5",
        OUTCOME,
        lambda c: c.we_refuse("control character in field") and c.lines(rb"LINE[^\n]*[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"),
        H11,
    ),
    Rule(
        "Content-Length repeated or a list of equals",
        "9112 6.3",
        OUTCOME,
        lambda c: c.we_refuse("Content-Length is (repeated|not a number)")
        and (len(framing_fields(c)[0]) > 1 or b"," in framing_fields(c)[0][0]),
        H11,
    ),
    Rule(
        "Transfer-Encoding and Content-Length",
        "9112 6.1",
        OUTCOME,
        lambda c: c.we_refuse("both") and all(framing_fields(c)),
        H11,
    ),
    Rule(
        "Transfer-Encoding in HTTP/1.0",
        "9112 6.1",
        OUTCOME,
        lambda c: c.we_refuse("Transfer-Encoding in an HTTP/1.0")
        and c.start.endswith(b"HTTP/1.0")
        and framing_fields(c)[1] != [],
    ),
    Rule(
        "transfer coding that is not ours: 501",
        "9112 6.1",
        OUTCOME,
        lambda c: c.we_refuse("unknown transfer coding") and framing_fields(c)[1] != [b"chunked"],
        LLHTTP,
    ),
    Rule(
        "malformed transfer coding",
        "9112 6.1",
        OUTCOME,
        lambda c: c.we_refuse("malformed Transfer")
        and any(not re.fullmatch(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+", token) for token in c.tokens(b"Transfer-Encoding")),
        LLHTTP,
    ),
    Rule(
        "chunk size with more than 16 digits",
        "9112 7.1",
        OUTCOME,
        lambda c: c.we_refuse("chunk size has too many") and re.search(rb"(?m)^[0-9a-fA-F]{17}", c.rest) is not None,
    ),
    Rule(
        "white space after a chunk size",
        "9112 7.1",
        OUTCOME,
        lambda c: c.we_refuse("malformed chunk size")
        and re.search(rb"(?m)^[0-9a-fA-F]+[ \t]+\r\n", c.rest) is not None,
        H11,
    ),
    Rule(
        "control character in a chunk extension",
        "9112 7.1.1",
        OUTCOME,
        lambda c: c.we_refuse("control character in chunk ext")
        and c.lines(rb"LINE[^\n]*[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"),
        H11,
    ),
]

# What others refuse and we let pass.
LOOSER = [
    Rule(
        "methods are any token",
        "9110 9.1",
        OUTCOME,
        lambda c: c.they_refuse("HttpParserInvalidMethodError")
        and re.match(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]{1,32} ", c.start) is not None,
        LLHTTP,
    ),
    Rule(
        "method PRI is a method like others in HTTP/1",
        "9110 9.1",
        OUTCOME,
        lambda c: c.they_refuse("HttpParserError: Expected HTTP/2")
        and re.match(rb"PRI \S+ HTTP/1\.", c.start) is not None,
        LLHTTP,
    ),
    Rule(
        "HTTP/1.2 and later are served as 1.1",
        "9110 2.5",
        OUTCOME,
        lambda c: c.they_refuse("HttpParserError: Invalid HTTP version")
        and re.search(rb" HTTP/1\.[2-9]$", c.start) is not None,
        LLHTTP,
    ),
    Rule(
        "empty lines before the request line",
        "9112 2.2",
        OUTCOME,
        lambda c: c.they_refuse("no request line received") and c.octets.startswith(b"\r\n"),
        H11,
    ),
    Rule(
        "chunk extensions are ignored, whatever they say",
        "9112 7.1.1",
        OUTCOME,
        lambda c: c.they_refuse("HttpParserError: Invalid character in chunk extensions")
        and re.search(rb"(?m)^[0-9a-fA-F]+;", c.rest) is not None,
        LLHTTP,
    ),
    Rule(
        "trailer fields are dropped, also framing fields",
        "9110 6.5.1",
        OUTCOME,
        lambda c: c.they_refuse("HttpParserError: Content-Length can't be present") and b"Content-Length" in c.rest,
        LLHTTP,
    ),
]

# What both complete and read differently.
READINGS = [
    Rule(
        "white space after a value is not part of it",
        "9112 5.1",
        {"fields"},
        lambda c: c.ours.fields == [(name, value.rstrip(b" \t")) for name, value in c.theirs.fields],
        LLHTTP,
    ),
    Rule(
        "h11 writes the transfer coding in lower case",
        "9112 7",
        {"fields"},
        lambda c: c.theirs.fields == [(n, v.lower() if n == b"transfer-encoding" else v) for n, v in c.ours.fields],
        H11,
    ),
    Rule(
        "HTTP/1.2 and later are served as 1.1",
        "9110 2.5",
        {"version"},
        lambda c: re.search(rb" HTTP/1\.[2-9]$", c.start) is not None and c.ours.version == "1.1",
        H11,
    ),
    Rule(
        "HTTP/1.0 persists when asked to",
        "9112 9.3",
        {"keep_alive"},
        lambda c: c.ours.version == "1.0" and c.ours.keep_alive and b"keep-alive" in c.tokens(b"Connection"),
        H11,
    ),
    Rule(
        "close wins over keep-alive",
        "9112 9.3",
        {"keep_alive"},
        lambda c: not c.ours.keep_alive and {b"close", b"keep-alive"} <= c.tokens(b"Connection"),
        LLHTTP,
    ),
    Rule(
        "content comes before a protocol switch",
        "9110 7.8",
        {"outcome", "content", "end"},
        lambda c: c.theirs.upgrade
        and c.theirs.outcome == "complete"
        and not c.theirs.content
        and any(framing_fields(c)),
        LLHTTP,
    ),
]
RULES = [*STRICTER, *LOOSER, *READINGS]


def explain(case: Case, counts: Counter[tuple[str, str]]) -> set[str]:
    """The differences of a case that no rule claims; counts the rules that did."""
    open_differences = case.differences()
    for rule in RULES if open_differences else ():
        if case.peer in rule.peers and rule.explains & open_differences and rule.applies(case):
            counts[rule.name, case.peer] += 1
            open_differences -= rule.explains
    return open_differences


def table(counts: Counter[tuple[str, str]], total: int) -> str:
    rows = [f"{'class of difference':58} {'RFC':20} {'llhttp':>7} {'h11':>7}   of {total} requests"]
    for rule in RULES:
        row = f"{rule.name:58} {rule.rfc:20} {counts[rule.name, 'llhttp']:7} {counts[rule.name, 'h11']:7}"
        if row not in rows:
            rows.append(row)
    return "\n".join(rows)


def test_agrees_with_llhttp_and_h11() -> None:
    messages = list(requests())
    assert len(messages) >= 10_000
    counts: Counter[tuple[str, str]] = Counter()
    unexplained: list[str] = []
    outcomes: Counter[str] = Counter()
    for octets, ours in zip(messages, read_ours(messages), strict=True):
        outcomes[ours.outcome] += 1
        for peer, theirs in (("llhttp", read_llhttp(octets)), ("h11", read_h11(octets))):
            case = Case(peer, octets, ours, theirs)
            left = explain(case, counts)
            if left:
                unexplained.append(f"{peer} {sorted(left)}\n  {octets!r}\n  ours   {ours}\n  theirs {theirs}")
    print("\n" + table(counts, len(messages)))
    print("ours:", dict(outcomes))
    assert not unexplained, f"{len(unexplained)} differences no rule explains:\n" + "\n".join(unexplained[:10])
    unused = [rule.name for rule in RULES if not any(counts[rule.name, peer] for peer in rule.peers)]
    assert not unused, f"rules that explain nothing: {unused}"
    assert outcomes["complete"] > 4000, "too few sound requests to compare readings of"


@pytest.mark.parametrize("octets", SMUGGLING)
def test_refuses_what_smuggling_uses(octets: bytes) -> None:
    (reading,) = read_ours([octets])
    assert reading.outcome == "refused", reading
