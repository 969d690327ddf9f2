"""Declared types to conversions of text: kinds, containers, choices, checks."""

from __future__ import annotations

import datetime
import decimal
import enum
import ipaddress
import pathlib
import uuid
from collections.abc import Sequence, Set
from typing import Annotated, Any, Literal

import msgspec
import pytest

from django_bolt._annotations import peel
from django_bolt._plan import Container, Kind
from django_bolt._text import read_text, shortest_length

POSITIVE = msgspec.Meta(gt=0)


class Color(enum.Enum):
    RED = "red"
    CRIMSON = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1


NONE, LIST, SET, FROZENSET, TUPLE = Container


@pytest.mark.parametrize(
    ("annotation", "kind", "container", "checked"),
    [
        (str, Kind.STR, NONE, False),
        (int, Kind.INT, NONE, False),
        (float, Kind.FLOAT, NONE, False),
        (bool, Kind.BOOL, NONE, False),
        (bytes, Kind.BYTES, NONE, False),
        (uuid.UUID, Kind.UUID, NONE, False),
        (datetime.datetime, Kind.DATETIME, NONE, False),
        (datetime.date, Kind.DATE, NONE, False),
        (datetime.time, Kind.TIME, NONE, False),
        (decimal.Decimal, Kind.DECIMAL, NONE, False),
        (Any, Kind.STR, NONE, False),
        (object, Kind.STR, NONE, False),
        (Color, Kind.CHOICE, NONE, False),
        (Literal["a", 1], Kind.CHOICE, NONE, False),
        (Annotated[int, POSITIVE], Kind.INT, NONE, True),
        (dict, Kind.STR, NONE, True),
        (int | str, Kind.STR, NONE, True),
        (datetime.timedelta, Kind.STR, NONE, True),
        (list, Kind.STR, LIST, False),
        (list[int], Kind.INT, LIST, False),
        (list[int | None], Kind.INT, LIST, False),
        (set[uuid.UUID], Kind.UUID, SET, False),
        (frozenset[str], Kind.STR, FROZENSET, False),
        (Sequence[int], Kind.INT, LIST, False),
        (Set[int], Kind.INT, FROZENSET, False),
        (tuple[int, ...], Kind.INT, TUPLE, False),
        (tuple, Kind.STR, TUPLE, False),
        (tuple[int, int], Kind.INT, TUPLE, True),
        (tuple[int, str], Kind.STR, TUPLE, True),
        (list[Color], Kind.CHOICE, LIST, False),
        (list[Annotated[int, POSITIVE]], Kind.INT, LIST, True),
        (Annotated[list[int], msgspec.Meta(max_length=2)], Kind.INT, LIST, True),
        (list[dict], Kind.STR, LIST, True),
    ],
)
def test_reading(annotation: Any, kind: Kind, container: Container, checked: bool) -> None:
    reading = read_text(peel(annotation), {})
    assert (reading.kind, reading.container, reading.check is not None) == (kind, container, checked)


def test_choices() -> None:
    assert read_text(peel(Color), {}).choices == {"red": Color.RED, "green": Color.GREEN}
    assert read_text(peel(Level), {}).choices == {"1": Level.LOW}
    assert read_text(peel(Literal["a", 1, True, None]), {}).choices == {"a": "a", "1": 1, "true": True}
    assert read_text(peel(int), {}).choices is None


@pytest.mark.parametrize(
    ("annotation", "constraints", "good", "bad"),
    [
        (int, {"ge": 1, "le": 3}, 3, 4),
        (str, {"pattern": "^a"}, "ab", "b"),
        (str, {"min_length": 2}, "ab", "a"),
        (list[int], {"max_length": 1}, [1], [1, 2]),
        (Annotated[int, POSITIVE], {"lt": 5}, 4, 5),
        (int | None, {"ge": 1}, 1, 0),
        (list[Annotated[int, POSITIVE]], {}, [1], [0]),
        (tuple[int, int], {}, (1, 2), (1,)),
        (list[Color], {"min_length": 1}, [Color.RED], []),
        (frozenset[int], {"max_length": 1}, frozenset([1]), frozenset([1, 2])),
        (dict, {}, None, "x"),
    ],
)
def test_check(annotation: Any, constraints: dict[str, Any], good: Any, bad: Any) -> None:
    check = read_text(peel(annotation), constraints).check
    assert check is not None
    if good is not None:
        assert check(good) == good
    with pytest.raises(msgspec.ValidationError):
        check(bad)


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (datetime.timedelta, "PT90S", datetime.timedelta(seconds=90)),
        (ipaddress.IPv4Address, "10.0.0.1", ipaddress.IPv4Address("10.0.0.1")),
        (pathlib.PurePosixPath, "/a", pathlib.PurePosixPath("/a")),
        (int | bool, "5", 5),
        (tuple[int, str], ("1", "b"), (1, "b")),
        (list[ipaddress.IPv4Address], ["10.0.0.1"], [ipaddress.IPv4Address("10.0.0.1")]),
    ],
)
def test_check_finishes_the_conversion(annotation: Any, text: Any, value: Any) -> None:
    check = read_text(peel(annotation), {}).check
    assert check is not None
    assert check(text) == value


@pytest.mark.parametrize(
    ("annotation", "constraints"),
    [(int, {"pattern": "a"}), (str, {"ge": 1}), (list[int], {"ge": 1}), (bool, {"gt": 0}), (Color, {"max_length": 1})],
)
def test_constraints_that_do_not_apply(annotation: Any, constraints: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="Can only set"):
        read_text(peel(annotation), constraints)


def test_shortest_length() -> None:
    assert [shortest_length(core) for core in (int, tuple[int, str], tuple[int, ...], list[int])] == [1, 2, 1, 1]
