"""Three HTTP/1 parsers behind one interface: ours, llhttp (through httptools) and h11.

Each reads the first request in some octets, as on a connection, and says what it became as a Reading.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import h11
import httptools

from django_bolt import _core

Outcome = Literal["complete", "incomplete", "refused"]


@dataclass
class Reading:
    """What a parser made of the first request in some octets. Nothing but `outcome` counts unless complete."""

    outcome: Outcome = "incomplete"
    error: str = ""
    method: bytes = b""
    target: bytes = b""
    version: str = ""
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    content: bytes = b""
    keep_alive: bool = False
    end: int = 0
    upgrade: bool = False


# Our parser


def read_ours(messages: list[bytes]) -> list[Reading]:
    """All messages through tests/c/http/http1_events.c in one process."""
    assert _core.__file__ is not None
    build = Path(os.environ.get("BOLT_BUILD_DIR", Path(_core.__file__).parents[1]))
    program = build / "tests" / "c" / "http1_events"
    octets = b"".join(struct.pack("<I", len(message)) + message for message in messages)
    run = subprocess.run([program], input=octets, stdout=subprocess.PIPE, check=True, timeout=60)
    readings = [reading_of_events(json.loads(line)) for line in run.stdout.splitlines()]
    assert len(readings) == len(messages)
    return readings


def reading_of_events(events: dict[str, Any]) -> Reading:
    """One line of http1_events as a Reading."""
    reading = Reading(outcome=events["outcome"], error=events.get("error", ""), end=events["consumed"])
    head = events["head"]
    if head is not None:
        reading.method = bytes.fromhex(head["method"])
        reading.target = bytes.fromhex(head["target"])
        reading.version = f"1.{head['minor']}"
        reading.fields = [(bytes.fromhex(name).lower(), bytes.fromhex(value)) for name, value in head["fields"]]
        reading.keep_alive = head["keep_alive"]
        reading.upgrade = head["upgrade"]
    reading.content = bytes.fromhex(events["content"])
    return reading


# llhttp


class LlhttpReader:
    """Callbacks of httptools.HttpRequestParser that collect a Reading and stop at the end of the first request."""

    def __init__(self) -> None:
        self.reading = Reading()
        self.parser = httptools.HttpRequestParser(self)

    def on_url(self, url: bytes) -> None:
        self.reading.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        # httptools calls this for trailer fields too
        if not self.reading.version:
            self.reading.fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.reading.method = self.parser.get_method()
        self.reading.version = self.parser.get_http_version()
        self.reading.keep_alive = self.parser.should_keep_alive()
        self.reading.upgrade = self.parser.should_upgrade()

    def on_body(self, data: bytes) -> None:
        self.reading.content += data

    def on_message_complete(self) -> None:
        self.reading.outcome = "complete"

    def read(self, message: bytes) -> Reading:
        """Octet by octet, because httptools does not tell where a request ended."""
        reading = self.reading
        try:
            for end in range(1, len(message) + 1):
                reading.end = end
                self.parser.feed_data(message[end - 1 : end])
                if reading.outcome == "complete":
                    break
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserError as error:
            reading.outcome = "refused"
            reading.error = f"{type(error).__name__}: {error}"
        return reading


def read_llhttp(message: bytes) -> Reading:
    return LlhttpReader().read(message)


# h11


def read_h11(message: bytes) -> Reading:
    """The first request as h11's server side sees it."""
    connection = h11.Connection(h11.SERVER)
    reading = Reading()
    connection.receive_data(message)
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                reading.method = event.method
                reading.target = event.target
                reading.version = event.http_version.decode()
                reading.fields = [(name.lower(), value) for name, value in event.headers.raw_items()]
            elif isinstance(event, h11.Data):
                reading.content += event.data
            elif isinstance(event, h11.EndOfMessage):
                reading.outcome = "complete"
                break
            else:
                break
    except h11.RemoteProtocolError as error:
        reading.outcome = "refused"
        reading.error = str(error)
    if connection.their_state is h11.MIGHT_SWITCH_PROTOCOL:
        connection.send(h11.Response(status_code=400, headers=[("content-length", "0")]))
        connection.send(h11.EndOfMessage())
    reading.keep_alive = connection.their_state is h11.DONE
    reading.end = len(message) - len(connection.trailing_data[0])
    return reading
