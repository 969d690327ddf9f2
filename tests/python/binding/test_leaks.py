"""Binds, refusals, requests and whole applications give back everything they take."""

from __future__ import annotations

import gc
import sys
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.python.support.binding import Binding, bound, param, query
from tests.python.support.wire import raw_request

from django_bolt import _core
from django_bolt._plan import Container, GroupSpec, Kind, ParamSpec, Source

ROUNDS = 10_000
BATCH = 100
NOISE = 8 * ROUNDS  # bytes; free lists and string caches fill up, but one lost object per bind is 16 or more


class Item(msgspec.Struct):
    a: int
    b: str


def every_source() -> tuple[ParamSpec, ...]:
    fields = (query("g1", Kind.INT), query("g2", container=Container.LIST, required=False))
    group = GroupSpec(fields, dict, frozenset({"g1", "g2"}))
    return (
        param("p", Source.PATH, Kind.INT, capture=0),
        query("u", Kind.UUID),
        query("d", Kind.DATETIME),
        query("n", Kind.DECIMAL),
        query("c", Kind.CHOICE, choices={"x": object()}),
        query("l", Kind.INT, container=Container.SET),
        query("g", group=group),
        query("missing", required=False, default_factory=list),
        param("h", Source.HEADER, key="x-h", check=str.upper),
        param("k", Source.COOKIE, Kind.FLOAT),
        ParamSpec("item", Source.BODY, decode=msgspec.json.Decoder(Item).decode),
        param("request", Source.REQUEST),
    )


UUID = "12345678-1234-5678-9abc-def012345678"
GOOD = f"/7?u={UUID}&d=2024-01-15T10:30:00%2B01:00&n=1.5&c=x&l=1&l=2&g1=1&g2=a&g2=b"
REQUEST = {
    "method": "POST",
    "body": b'{"a": 1, "b": "x"}',
    "headers": (("X-H", "a"), ("X-H", "b"), ("Cookie", "k=1.5")),
}

TARGETS = {
    "bound": (GOOD, REQUEST),
    "refused scalar": (GOOD.replace("/7", "/x"), REQUEST),
    "refused after others": (GOOD, {**REQUEST, "headers": (("X-H", "a"), ("Cookie", "k=no"))}),
    "refused group": (GOOD.replace("g1=1", "g1=x&zz=1"), REQUEST),
    "refused body": (GOOD, {**REQUEST, "body": b'{"a": "x"}'}),
    "malformed body": (GOOD, {**REQUEST, "body": b"{x}"}),
}


def traced_growth(call: Callable[[], object], rounds: int) -> int:
    """Bytes still allocated after `rounds` calls, once caches are warm."""
    call()
    call()
    tracemalloc.start()
    try:
        call()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(rounds):
            call()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def pipeline(binding: Binding, raw: bytes, status: int) -> Callable[[], None]:
    """A function that sends BATCH requests in one write and reads the responses; the loop runs once."""
    wire = binding.wire
    client = wire.loop.run_until_complete(wire.service.connect())

    async def batch() -> None:
        client.writer.write(raw * BATCH)
        for _ in range(BATCH):
            assert (await client.receive()).status == status

    def call() -> None:
        binding.received.clear()
        wire.exceptions.clear()
        wire.loop.run_until_complete(batch())

    return call


@pytest.mark.parametrize("name", TARGETS)
def test_binds(name: str) -> None:
    target, request = TARGETS[name]
    status = 204 if name == "bound" else 422
    with bound(*every_source(), path="/{p}", method="POST") as binding:
        growth = traced_growth(pipeline(binding, raw_request(target, **request), status), ROUNDS // BATCH)
    assert growth < NOISE, f"{growth} bytes in {ROUNDS} binds"


def test_attributes_of_a_request() -> None:
    names = [name for name in dir(_core.Request) if not name.startswith("_")]
    assert "META" in names
    with bound(*every_source(), path="/{p}", method="POST") as binding:
        call = pipeline(binding, raw_request(GOOD, **REQUEST), 204)

        def build_attributes() -> None:
            call()
            for arguments, _ in binding.received:
                for name in names:
                    getattr(arguments[-1], name)  # built here, after the response

        growth = traced_growth(build_attributes, ROUNDS // BATCH)
    assert growth < NOISE, f"{growth} bytes in {ROUNDS} requests"


def test_a_shared_default_keeps_its_count() -> None:
    marker = object()
    with bound(query("v", required=False, default=marker)) as binding:
        before = sys.getrefcount(marker)
        for _ in range(200):
            binding.call()
        assert sys.getrefcount(marker) == before


def test_requests_in_cycles_are_collected() -> None:
    class Marker:
        pass

    with bound(param("request", Source.REQUEST)) as binding:
        request = binding.value()
    marker = Marker()
    alive = weakref.ref(marker)
    request.state["self"] = request
    request.state["marker"] = marker
    del request, marker
    gc.collect()
    assert alive() is None


def test_applications_in_cycles_are_collected() -> None:
    """A check that refers to its own app: the binder's table takes part in garbage collection."""

    class Check:
        app: Any

        def __call__(self, value: Any) -> Any:
            return value

    check = Check()
    with bound(query("v", check=check)) as binding:
        check.app = binding.wire.service.app
        assert binding.value("/?v=1") == "1"
    alive = weakref.ref(check)
    del check, binding
    gc.collect()
    assert alive() is None
