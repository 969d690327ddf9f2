"""Whatever Python writes, the binder reads back; whatever it accepts, Python reads the same."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import math
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.python.support.binding import Binding, bound, param, query

from django_bolt._plan import Container, Kind, Source
from django_bolt.exceptions import HTTPException

# One request per example; the limit is on examples, not on time (a busy machine must not fail a test).
quick = settings(max_examples=150, deadline=None)
LONG = {"target_bytes": 60_000, "header_bytes": 60_000}

fixed_zones = st.integers(-1439, 1439).map(lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes)))
zones = st.none() | st.just(datetime.UTC) | fixed_zones


@pytest.fixture(scope="module")
def by_kind() -> Iterator[dict[Kind, Binding]]:
    with contextlib.ExitStack() as stack:
        kinds = set(Kind) - {Kind.CHOICE}
        yield {kind: stack.enter_context(bound(query("v", kind), **LONG)) for kind in kinds}


def read(binding: Binding, text: str) -> Any:
    return binding.value("/?v=" + quote(text, safe=""))


@quick
@given(st.integers(-(2**63), 2**63 - 1))
def test_int(by_kind: dict[Kind, Binding], value: int) -> None:
    assert read(by_kind[Kind.INT], str(value)) == value


@quick
@given(st.integers())
def test_int_outside_64_bits_is_refused(by_kind: dict[Kind, Binding], value: int) -> None:
    if -(2**63) <= value < 2**63:
        assert read(by_kind[Kind.INT], str(value)) == value
    else:
        with pytest.raises(HTTPException, match=r"number too (large|small) to fit in target type"):
            read(by_kind[Kind.INT], str(value))


@quick
@given(st.floats())
def test_float(by_kind: dict[Kind, Binding], value: float) -> None:
    result = read(by_kind[Kind.FLOAT], repr(value))
    assert result == value or (math.isnan(result) and math.isnan(value))
    assert math.copysign(1, result) == math.copysign(1, value) or math.isnan(value)


@quick
@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimal(by_kind: dict[Kind, Binding], value: decimal.Decimal) -> None:
    assert read(by_kind[Kind.DECIMAL], str(value)).as_tuple() == value.as_tuple()


@quick
@given(
    st.uuids(), st.sampled_from([str, lambda value: value.hex, lambda value: value.urn, lambda value: f"{{{value}}}"])
)
def test_uuid(by_kind: dict[Kind, Binding], value: uuid.UUID, write: Any) -> None:
    assert read(by_kind[Kind.UUID], write(value)) == value


@quick
@given(st.datetimes(timezones=zones), st.sampled_from("T "))
def test_datetime(by_kind: dict[Kind, Binding], value: datetime.datetime, separator: str) -> None:
    result = read(by_kind[Kind.DATETIME], value.isoformat(separator))
    assert (result, result.utcoffset()) == (value, value.utcoffset())


@quick
@given(st.dates())
def test_date(by_kind: dict[Kind, Binding], value: datetime.date) -> None:
    assert read(by_kind[Kind.DATE], value.isoformat()) == value


@quick
@given(st.times(timezones=zones))
def test_time(by_kind: dict[Kind, Binding], value: datetime.time) -> None:
    result = read(by_kind[Kind.TIME], value.isoformat())
    assert (result, result.utcoffset()) == (value, value.utcoffset())


@quick
@given(st.text())
@example("+ %2B&=;#?\x00\r\n")
def test_str_in_either_escaping(by_kind: dict[Kind, Binding], value: str) -> None:
    for escape in (quote_plus, quote):
        assert by_kind[Kind.STR].value("/?v=" + escape(value, safe="")) == value


@quick
@given(st.binary())
def test_bytes(by_kind: dict[Kind, Binding], value: bytes) -> None:
    assert by_kind[Kind.BYTES].value("/?v=" + quote(value, safe="")) == value


@quick
@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_path_segment(path_binding: Binding, value: str) -> None:
    assert path_binding.value("/p/" + quote(value, safe="")) == value


@pytest.fixture(scope="module")
def path_binding() -> Iterator[Binding]:
    with bound(param("v", Source.PATH, capture=0), path="/p/{v}", **LONG) as binding:
        yield binding


KEYS = ["a", "bb", "c d", "é", "x[]"]
pairs = st.lists(st.tuples(st.sampled_from([*KEYS, "unknown", ""]), st.text(max_size=8)), max_size=12)


@pytest.fixture(scope="module")
def many_keys() -> Iterator[Binding]:
    scalars = [query(f"s{i}", key=key, required=False) for i, key in enumerate(KEYS)]
    with bound(*scalars, **LONG) as binding:
        yield binding


@pytest.fixture(scope="module")
def many_lists() -> Iterator[Binding]:
    lists = [query(f"l{i}", key=key, container=Container.LIST, required=False) for i, key in enumerate(KEYS)]
    with bound(*lists, **LONG) as binding:
        yield binding


@quick
@given(pairs)
def test_repeated_keys(many_keys: Binding, many_lists: Binding, sent: list[tuple[str, str]]) -> None:
    """The last value for scalars, all in order for sequences, as the standard library reads them."""
    target = "/?" + urlencode(sent)
    read_back = parse_qsl(target[2:], keep_blank_values=True)
    all_of = {key: [value for name, value in read_back if name == key] for key in KEYS}
    scalars, _ = many_keys.call(target)
    assert list(scalars) == [all_of[key][-1] if all_of[key] else None for key in KEYS]
    lists, _ = many_lists.call(target)
    assert list(lists) == [all_of[key] or None for key in KEYS]


@quick
@given(st.text(alphabet="0123456789+-.eE_ infatyINFATY", max_size=12))
def test_numbers_that_python_refuses_are_refused(by_kind: dict[Kind, Binding], text: str) -> None:
    """Accepted texts mean the same to Python; Python accepts more (underscores, spaces)."""
    for kind, convert in ((Kind.INT, int), (Kind.FLOAT, float), (Kind.DECIMAL, decimal.Decimal)):
        with contextlib.suppress(HTTPException):
            ours = read(by_kind[kind], text)
            assert repr(ours) == repr(convert(text))
