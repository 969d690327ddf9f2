"""Each allocation of a bind and of a request's attributes fails in turn: MemoryError or a right result, never a crash.

The N-th allocation after a given point returns NULL (``_testcapi.set_nomemory``), for N from 0 until none is left.
Only allocations between two points of ours fail: greenlet aborts the process when it cannot save a stack.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import msgspec
import pytest
from tests.python.support.binding import bound, param, query, route
from tests.python.support.requests import kept_request
from tests.python.support.wire import ErrorHooks

from django_bolt import _core
from django_bolt._plan import Container, GroupSpec, Kind, ParamSpec, Source

_testcapi = pytest.importorskip("_testcapi", reason="this interpreter was built without its C API test module")

MOST_ALLOCATIONS = 400


class FailNth:
    """``arm()`` starts counting; the N-th allocation from there on fails once."""

    def __init__(self) -> None:
        self.n = 0

    def arm(self) -> None:
        _testcapi.set_nomemory(self.n, self.n + 1)

    def __enter__(self) -> FailNth:
        self.arm()
        return self

    def __exit__(self, *_: object) -> None:
        _testcapi.remove_mem_hooks()


def each_allocation(attempt: Callable[[FailNth], bool]) -> int:
    """Runs ``attempt`` (which says whether it met MemoryError) for every N until five in a row met none."""
    fail, quiet = FailNth(), 0
    for fail.n in range(MOST_ALLOCATIONS):
        quiet = 0 if attempt(fail) else quiet + 1
        if quiet == 20:
            return fail.n - quiet + 1
    raise AssertionError("still failing")


@contextlib.contextmanager
def no_hooks_left() -> Iterator[None]:
    try:
        yield
    finally:
        _testcapi.remove_mem_hooks()


UUID = "12345678-1234-5678-9abc-def012345678"
EVERYTHING = (
    query("u", Kind.UUID),
    query("d", Kind.DATETIME),
    query("t", Kind.TIME),
    query("n", Kind.DECIMAL),
    query("f", Kind.FLOAT),
    query("long"),
    query("c", Kind.CHOICE, choices={"x": 1}),
    query("l", Kind.INT, container=Container.FROZENSET),
    query("g", group=GroupSpec((query("g1", Kind.INT), query("g2", container=Container.TUPLE)), dict, frozenset())),
    param("h", Source.HEADER, container=Container.LIST),
    param("k", Source.COOKIE),
    ParamSpec("item", Source.BODY, decode=msgspec.json.Decoder(dict[str, int]).decode),
)
TARGET = (
    f"/?u={UUID}&d=2024-01-15T10:30:00%2B01:00&t=10:30Z&n=1.5&f=0.{'3' * 80}&long={'%78' * 200}"
    "&c=x&l=1&l=2&g1=1&g2=a&g2=b"
)
REQUEST_PARTS = {"method": "POST", "body": b'{"a": 1}', "headers": (("H", "a"), ("H", "b"), ("Cookie", "k=v"))}


def test_registering() -> None:
    def attempt(fail: FailNth) -> bool:
        app = _core.App(ErrorHooks())
        spec = route(*EVERYTHING, path="/", method="POST", handler=print)
        try:
            with fail:
                app.add_route(spec)
        except MemoryError:
            return True
        return False

    assert each_allocation(attempt) > 20


def test_binding() -> None:
    """The default factory of the first parameter starts the count, the last one's stops it."""
    fail = FailNth()
    first = query("first", required=False, default_factory=lambda: fail.arm())
    last = query("last", required=False, default_factory=lambda: _testcapi.remove_mem_hooks())
    with no_hooks_left(), bound(first, *EVERYTHING, last, method="POST") as binding:

        def attempt(nth: FailNth) -> bool:
            fail.n = nth.n
            try:
                arguments, _ = binding.call(TARGET, **REQUEST_PARTS)
            except MemoryError:
                return True
            assert arguments[6:9] == ("x" * 200, 1, frozenset({1, 2}))
            return False

        assert each_allocation(attempt) > 20


@pytest.mark.parametrize("name", ["query", "params", "headers", "raw_cookies", "cookies", "META", "path", "method"])
def test_building_an_attribute(name: str) -> None:
    params = (query("q", Kind.INT), param("c", Source.COOKIE, Kind.INT), param("x", Source.PATH, capture=0))

    def fresh() -> _core.Request:
        headers = (("Cookie", "c=7; other=value"), ("X-A", "1"), ("X-A", "2"), ("X-B", b"\xff"))
        return kept_request(*params, path="/{x}", target="/a%20b?q=7&%72=s", headers=headers)

    expected = getattr(fresh(), name)

    def attempt(fail: FailNth) -> bool:
        request = fresh()
        try:
            with fail:
                value = getattr(request, name)
        except MemoryError:
            assert getattr(request, name) == expected  # nothing half-built is kept
            return True
        assert value == expected
        return False

    assert each_allocation(attempt) >= 1
