"""Every kind: accepted texts, refused texts with the sentence clients read, limits (surface section 5)."""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import uuid
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import quote, quote_from_bytes

import pytest
from tests.python.support.binding import Binding, bound, param, query
from tests.python.support.wire import ErrorHooks

from django_bolt import _core
from django_bolt._plan import Kind, Source


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"


UTC = datetime.UTC
CHOICES = {"red": Color.RED, "green": Color.GREEN, "7": 7, "true": True}
UUID_TEXT = "12345678-1234-5678-9abc-def012345678"


def zone(hours: int, minutes: int = 0) -> datetime.timezone:
    return datetime.timezone(datetime.timedelta(hours=hours, minutes=minutes))


ACCEPTED = [
    (Kind.STR, "", ""),
    (Kind.STR, "grüße €", "grüße €"),
    (Kind.STR, "a\x00b", "a\x00b"),
    (Kind.STR, "\U0010ffff", "\U0010ffff"),
    (Kind.INT, "0", 0),
    (Kind.INT, "-0", 0),
    (Kind.INT, "+7", 7),
    (Kind.INT, "007", 7),
    (Kind.INT, "9223372036854775807", 2**63 - 1),
    (Kind.INT, "-9223372036854775808", -(2**63)),
    (Kind.FLOAT, "1", 1.0),
    (Kind.FLOAT, "-1.5e-3", -0.0015),
    (Kind.FLOAT, ".5", 0.5),
    (Kind.FLOAT, "5.", 5.0),
    (Kind.FLOAT, "1e999", math.inf),
    (Kind.FLOAT, "-Infinity", -math.inf),
    (Kind.FLOAT, "0." + "3" * 100, 1 / 3),
    (Kind.BOOL, "true", True),
    (Kind.BOOL, "YES", True),
    (Kind.BOOL, "On", True),
    (Kind.BOOL, "1", True),
    (Kind.BOOL, "False", False),
    (Kind.BOOL, "no", False),
    (Kind.BOOL, "OFF", False),
    (Kind.BOOL, "0", False),
    (Kind.BYTES, "", b""),
    (Kind.BYTES, "é", "é".encode()),
    (Kind.UUID, UUID_TEXT, uuid.UUID(UUID_TEXT)),
    (Kind.UUID, UUID_TEXT.upper(), uuid.UUID(UUID_TEXT)),
    (Kind.UUID, UUID_TEXT.replace("-", ""), uuid.UUID(UUID_TEXT)),
    (Kind.UUID, "{" + UUID_TEXT + "}", uuid.UUID(UUID_TEXT)),
    (Kind.UUID, "urn:uuid:" + UUID_TEXT, uuid.UUID(UUID_TEXT)),
    (Kind.DATETIME, "2024-01-15T10:30:00Z", datetime.datetime(2024, 1, 15, 10, 30, tzinfo=UTC)),
    (Kind.DATETIME, "2024-01-15 10:30:00", datetime.datetime(2024, 1, 15, 10, 30)),
    (Kind.DATETIME, "2024-01-15T10:30:00.123456789+02:00", datetime.datetime(2024, 1, 15, 10, 30, 0, 123456, zone(2))),
    (Kind.DATETIME, "0001-01-01T00:00:00-2359", datetime.datetime(1, 1, 1, tzinfo=zone(-23, -59))),
    (Kind.DATETIME, "9999-12-31T23:59:59.999999", datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)),
    (Kind.DATE, "2024-02-29", datetime.date(2024, 2, 29)),
    (Kind.TIME, "10:30", datetime.time(10, 30)),
    (Kind.TIME, "10:30:59.5", datetime.time(10, 30, 59, 500000)),
    (Kind.TIME, "10:30:59+01:30", datetime.time(10, 30, 59, tzinfo=zone(1, 30))),
    (Kind.DECIMAL, "1.10", decimal.Decimal("1.10")),
    (Kind.DECIMAL, "-.5e3", decimal.Decimal("-.5e3")),
    (Kind.DECIMAL, "1" * 60, decimal.Decimal("1" * 60)),
    (Kind.CHOICE, "red", Color.RED),
    (Kind.CHOICE, "7", 7),
    (Kind.CHOICE, "true", True),
]

INTEGER_SYNTAX = "invalid digit found in string"
BOOLEAN = "expected true/false/1/0/yes/no/on/off"
DATETIME = "expected ISO 8601 format (e.g., 2024-01-15T10:30:00Z)"
DATE = "expected ISO 8601 format (e.g., 2024-01-15)"
TIME = "expected ISO 8601 format (e.g., 10:30:00)"
UUID = "expected 32 hexadecimal digits, with or without hyphens"

REFUSED = [
    (Kind.INT, "abc", f"Invalid integer 'abc': {INTEGER_SYNTAX}"),
    (Kind.INT, "1.0", f"Invalid integer '1.0': {INTEGER_SYNTAX}"),
    (Kind.INT, " 1", f"Invalid integer ' 1': {INTEGER_SYNTAX}"),
    (Kind.INT, "1_0", f"Invalid integer '1_0': {INTEGER_SYNTAX}"),
    (Kind.INT, "-", f"Invalid integer '-': {INTEGER_SYNTAX}"),
    (Kind.INT, "٣", f"Invalid integer '٣': {INTEGER_SYNTAX}"),
    (Kind.INT, "", "Invalid integer '': cannot parse integer from empty string"),
    (Kind.INT, str(2**63), f"Invalid integer '{2**63}': number too large to fit in target type"),
    (Kind.INT, str(-(2**63) - 1), f"Invalid integer '{-(2**63) - 1}': number too small to fit in target type"),
    (Kind.FLOAT, "zz", "Invalid float 'zz': invalid float literal"),
    (Kind.FLOAT, "0x1p3", "Invalid float '0x1p3': invalid float literal"),
    (Kind.FLOAT, "1_0.0", "Invalid float '1_0.0': invalid float literal"),
    (Kind.FLOAT, "", "Invalid float '': cannot parse float from empty string"),
    (Kind.BOOL, "t", f"Invalid boolean 't': {BOOLEAN}"),
    (Kind.BOOL, "y", f"Invalid boolean 'y': {BOOLEAN}"),
    (Kind.BOOL, "", f"Invalid boolean '': {BOOLEAN}"),
    (Kind.UUID, "zz", f"Invalid UUID 'zz': {UUID}"),
    (Kind.UUID, UUID_TEXT[:-1], f"Invalid UUID '{UUID_TEXT[:-1]}': {UUID}"),
    (Kind.DATETIME, "x", f"Invalid datetime 'x': {DATETIME}"),
    (Kind.DATETIME, "2023-02-29T00:00:00", f"Invalid datetime '2023-02-29T00:00:00': {DATETIME}"),
    (Kind.DATETIME, "2024-01-15", f"Invalid datetime '2024-01-15': {DATETIME}"),
    (Kind.DATE, "2024-13-01", f"Invalid date '2024-13-01': {DATE}"),
    (Kind.DATE, "2024-01-15T00:00:00", f"Invalid date '2024-01-15T00:00:00': {DATE}"),
    (Kind.TIME, "24:00", f"Invalid time '24:00': {TIME}"),
    (Kind.DECIMAL, "abc", "Invalid decimal 'abc'"),
    (Kind.DECIMAL, "nan", "Invalid decimal 'nan'"),
    (Kind.DECIMAL, "-inf", "Invalid decimal '-inf'"),
    (Kind.DECIMAL, "1_0", "Invalid decimal '1_0'"),
    (Kind.DECIMAL, "1e99999999999999999999", "Invalid decimal '1e99999999999999999999'"),
    (Kind.CHOICE, "blue", "Invalid value 'blue': expected one of 'red', 'green', '7', 'true'"),
    (Kind.CHOICE, "", "Invalid value '': expected one of 'red', 'green', '7', 'true'"),
]


@pytest.fixture(scope="module")
def by_kind() -> Iterator[dict[Kind, Binding]]:
    """One served handler per kind, with a single query parameter ``v``."""
    contexts = {kind: bound(query("v", kind, choices=CHOICES if kind is Kind.CHOICE else None)) for kind in Kind}
    served = {kind: context.__enter__() for kind, context in contexts.items()}
    yield served
    for context in contexts.values():
        context.__exit__(None, None, None)


@pytest.mark.parametrize(("kind", "text", "expected"), ACCEPTED)
def test_accepted(by_kind: dict[Kind, Binding], kind: Kind, text: str, expected: Any) -> None:
    value = by_kind[kind].value("/?v=" + quote(text, safe=""))
    assert value == expected
    assert type(value) is type(expected)
    assert repr(value) == repr(expected)  # signs of zero, time zones, UUID.is_safe


@pytest.mark.parametrize(("kind", "text", "sentence"), REFUSED)
def test_refused(by_kind: dict[Kind, Binding], kind: Kind, text: str, sentence: str) -> None:
    assert by_kind[kind].detail("/?v=" + quote(text, safe="")) == f"Query parameter 'v': {sentence}"


def test_utc_is_the_singleton(by_kind: dict[Kind, Binding]) -> None:
    for suffix in ("Z", "%2B00:00", "-00:00"):
        assert by_kind[Kind.DATETIME].value(f"/?v=2024-01-15T10:30:00{suffix}").tzinfo is UTC


def test_uuid_behaves_like_one_made_in_python(by_kind: dict[Kind, Binding]) -> None:
    ours, theirs = by_kind[Kind.UUID].value("/?v=" + UUID_TEXT), uuid.UUID(UUID_TEXT)
    assert ours.is_safe is theirs.is_safe
    assert (ours.int, hash(ours), ours.version, str(ours)) == (theirs.int, hash(theirs), theirs.version, str(theirs))
    with pytest.raises(TypeError, match="immutable"):
        ours.int = 1


def test_nan_is_a_float(by_kind: dict[Kind, Binding]) -> None:
    assert math.isnan(by_kind[Kind.FLOAT].value("/?v=NaN"))


@pytest.mark.parametrize(
    ("octets", "offset"),
    [
        (b"\xff", 0),
        (b"ab\xc0\x80", 2),
        (b"ab\xed\xa0\x80", 2),
        (b"\xf4\x90\x80\x80", 0),
        (b"abc\xe2\x82", 3),
    ],
    ids=["stray octet", "overlong", "surrogate", "beyond Unicode", "cut"],
)
@pytest.mark.parametrize("kind", [Kind.STR, Kind.CHOICE])
def test_text_must_be_utf8(by_kind: dict[Kind, Binding], kind: Kind, octets: bytes, offset: int) -> None:
    detail = by_kind[kind].detail("/?v=" + quote_from_bytes(octets))
    assert detail == f"Query parameter 'v': Invalid text: byte {offset} is not UTF-8"


def test_refused_octets_are_shown_as_text(by_kind: dict[Kind, Binding]) -> None:
    assert by_kind[Kind.INT].detail("/?v=1%ff") == f"Query parameter 'v': Invalid integer '1\ufffd': {INTEGER_SYNTAX}"


@pytest.mark.parametrize(
    ("source", "kind", "target", "headers", "detail"),
    [
        (Source.PATH, Kind.INT, "/p/abc", (), f"Path parameter 'v': Invalid integer 'abc': {INTEGER_SYNTAX}"),
        (Source.QUERY, Kind.INT, "/p/x?v=abc", (), f"Query parameter 'v': Invalid integer 'abc': {INTEGER_SYNTAX}"),
        (Source.HEADER, Kind.INT, "/p/x", (("V", "abc"),), f"Header 'v': Invalid integer 'abc': {INTEGER_SYNTAX}"),
        (Source.COOKIE, Kind.BOOL, "/p/x", (("Cookie", "v=t"),), f"Cookie 'v': Invalid boolean 't': {BOOLEAN}"),
        (Source.QUERY, Kind.STR, "/p/x", (), "Missing required query parameter: v"),
        (Source.HEADER, Kind.STR, "/p/x", (), "Missing required header: v"),
        (Source.COOKIE, Kind.STR, "/p/x", (), "Missing required cookie: v"),
    ],
)
def test_every_source_names_itself(source: Source, kind: Kind, target: str, headers: Any, detail: str) -> None:
    capture = 0 if source is Source.PATH else -1
    with bound(param("v", source, kind, capture=capture), path="/p/{v}") as binding:
        assert binding.detail(target, headers=headers) == detail


class TestLength:
    """One path or query value may have 8192 bytes after decoding."""

    LIMITS: ClassVar[dict[str, int]] = {"target_bytes": 60_000, "header_bytes": 60_000}

    @pytest.mark.parametrize("kind", [Kind.STR, Kind.BYTES])
    def test_query(self, kind: Kind) -> None:
        with bound(query("v", kind), **self.LIMITS) as binding:
            assert len(binding.value("/?v=" + "x" * 8192)) == 8192
            assert len(binding.value("/?v=" + "%78" * 8192)) == 8192
            detail = "Query parameter 'v': Parameter too long: 8193 bytes (max 8192 bytes)"
            assert binding.detail("/?v=" + "x" * 8193) == detail
            assert binding.detail("/?v=" + "%78" * 8193) == detail

    def test_path(self) -> None:
        with bound(param("v", Source.PATH, capture=0), path="/p/{v}", **self.LIMITS) as binding:
            assert len(binding.value("/p/" + "x" * 8192)) == 8192
            detail = "Path parameter 'v': Parameter too long: 8193 bytes (max 8192 bytes)"
            assert binding.detail("/p/" + "x" * 8193) == detail

    def test_each_item_of_a_sequence(self) -> None:
        with bound(query("v", container=1), **self.LIMITS) as binding:
            detail = "Query parameter 'v': Parameter too long: 8193 bytes (max 8192 bytes)"
            assert binding.detail("/?v=a&v=" + "x" * 8193) == detail

    def test_headers_have_their_own_limit(self) -> None:
        with bound(param("v", Source.HEADER), **self.LIMITS) as binding:
            assert len(binding.value(headers=(("V", "x" * 9000),))) == 9000

    def test_environment_sets_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DJANGO_BOLT_MAX_PARAM_LENGTH", "3")
        with bound(query("v")) as binding:
            monkeypatch.delenv("DJANGO_BOLT_MAX_PARAM_LENGTH")  # read once, when the App is made
            assert binding.value("/?v=abc") == "abc"
            assert binding.detail("/?v=abcd") == "Query parameter 'v': Parameter too long: 4 bytes (max 3 bytes)"

    @pytest.mark.parametrize("text", ["0", "-1", "x", "1x", " 1", "99999999999999999999999"])
    def test_environment_is_checked(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setenv("DJANGO_BOLT_MAX_PARAM_LENGTH", text)
        with pytest.raises(ValueError, match=f"DJANGO_BOLT_MAX_PARAM_LENGTH={text}: expected a positive number"):
            _core.App(ErrorHooks())
