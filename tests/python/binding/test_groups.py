"""A Struct whose fields are query keys, headers or cookies of their own."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from tests.python.support.binding import bound, param, query

from django_bolt._plan import Container, GroupSpec, Kind, ParamSpec, Source
from django_bolt.exceptions import RequestValidationError


class Filters(msgspec.Struct):
    a: Annotated[int, msgspec.Meta(le=5)]
    b: str
    tags: list[str] = []
    user_id: int = 0


def group(source: Source, known: frozenset[str] | None = None, **fields: Any) -> ParamSpec:
    """The table row of ``filters: Annotated[Filters, Query()]``; header names are dashed."""
    dashed = "user-id" if source is Source.HEADER else "user_id"
    rows = (
        param("a", source, Kind.INT),
        param("b", source),
        param("tags", source, container=Container.LIST, required=False),
        param("user_id", source, Kind.INT, key=dashed, required=False),
    )
    spec = GroupSpec(rows, lambda values: msgspec.convert(values, Filters), known)
    return ParamSpec("filters", source, group=spec, **fields)


def refused(label: str, key: str, msg: str, value: Any) -> dict[str, Any]:
    return {"type": "validation_error", "loc": [label, key], "msg": msg, "input": value}


def missing(label: str, key: str, msg: str) -> dict[str, Any]:
    return {"type": "missing_field", "loc": [label, key], "msg": msg, "input": None}


INTEGER = "Invalid integer 'x': invalid digit found in string"


class TestQuery:
    def test_build(self) -> None:
        with bound(group(Source.QUERY)) as binding:
            assert binding.value("/?a=1&b=x%20y") == Filters(1, "x y")
            assert binding.value("/?a=1&b=2&tags=p&tags=q&user_id=7&other=1") == Filters(1, "2", ["p", "q"], 7)
            assert binding.value("/?a=1&b=2&tags=p").tags == ["p"]

    def test_every_fault_is_reported(self) -> None:
        with bound(group(Source.QUERY)) as binding:
            assert binding.detail("/?a=x&user_id=x") == [
                refused("query parameter", "a", INTEGER, "x"),
                missing("query parameter", "b", "Missing required query parameter: b"),
                refused("query parameter", "user_id", INTEGER, "x"),
            ]

    def test_constraints(self) -> None:
        with bound(group(Source.QUERY)) as binding:
            assert binding.detail("/?a=9&b=") == [refused("query parameter", "a", "Expected `int` <= 5", 9)]

    def test_unknown_keys(self) -> None:
        known = frozenset({"a", "b", "tags", "user_id"})
        with bound(group(Source.QUERY, known), query("page", Kind.INT, required=False)) as binding:
            assert binding.call("/?a=1&b=2&page=3") == ((Filters(1, "2"), 3), {})
            unknown = "Object contains unknown field `%s`"
            assert binding.detail("/?a=1&b=2&zz=1&%C3%A9=+%C3%A9") == [
                refused("query parameter", "zz", unknown % "zz", "1"),
                refused("query parameter", "é", unknown % "é", " é"),
            ]

    def test_unknown_keys_are_ignored_by_default(self) -> None:
        with bound(group(Source.QUERY)) as binding:
            assert binding.value("/?a=1&b=2&zz=1") == Filters(1, "2")

    def test_default_when_nothing_is_sent(self) -> None:
        with bound(group(Source.QUERY, required=False, default="nothing")) as binding:
            assert binding.value("/?zz=1") == "nothing"
            assert binding.value("/?a=1&b=2") == Filters(1, "2")
            assert [item["loc"][1] for item in binding.detail("/?a=1")] == ["b"]

    def test_too_long(self) -> None:
        with bound(group(Source.QUERY), target_bytes=20_000) as binding:
            (item,) = binding.detail("/?a=1&b=" + "x" * 8193)
            assert item["msg"] == "Parameter too long: 8193 bytes (max 8192 bytes)"

    def test_neighbours_keep_their_own_keys(self) -> None:
        with bound(query("b"), group(Source.QUERY), query("c")) as binding:
            assert binding.call("/?a=1&b=2&c=3") == (("2", Filters(1, "2"), "3"), {})


class TestCookie:
    def test_build(self) -> None:
        with bound(group(Source.COOKIE)) as binding:
            assert binding.value(headers=(("Cookie", "a=1; b=2; tags=t; x=y"),)) == Filters(1, "2", ["t"])

    def test_every_fault_is_reported(self) -> None:
        with bound(group(Source.COOKIE, frozenset({"a"}))) as binding:
            assert binding.detail(headers=(("Cookie", "a=x; session=1"),)) == [
                refused("cookie", "a", INTEGER, "x"),
                missing("cookie", "b", "Missing required cookie: b"),
            ]


class TestHeader:
    def test_build(self) -> None:
        with bound(group(Source.HEADER)) as binding:
            headers = (("A", "1"), ("B", "2"), ("User-Id", "7"), ("Tags", "x, y"))
            assert binding.value(headers=headers) == Filters(1, "2", ["x, y"], 7)

    def test_faults_are_one_sentence(self) -> None:
        with bound(group(Source.HEADER)) as binding:
            assert binding.detail(headers=(("A", "1"),)) == "Missing required header: b"
            assert binding.detail(headers=(("A", "x"),)) == f"Header 'a': {INTEGER}"

    def test_constraints_name_the_wire_key(self) -> None:
        def build(values: dict[str, Any]) -> Filters:
            return msgspec.convert({**values, "user_id": "no"}, Filters)

        spec = group(Source.HEADER)
        assert spec.group is not None
        changed = ParamSpec("f", Source.HEADER, group=GroupSpec(spec.group.fields, build))
        with bound(changed) as binding:
            assert binding.detail(headers=(("A", "1"), ("B", "2"))) == [
                {"type": "validation_error", "loc": ["header", "user-id"], "msg": "Expected `int`, got `str`"}
            ]


def test_build_error_about_the_whole_object() -> None:
    def build(values: dict[str, Any]) -> Any:
        return msgspec.convert({}, Filters)

    spec = ParamSpec("f", Source.QUERY, group=GroupSpec((query("a", Kind.INT),), build))
    with bound(spec) as binding:
        msg = "Object missing required field `a`"
        assert binding.detail("/?a=1") == [{"type": "missing_field", "loc": ["query parameter", "a"], "msg": msg}]


def test_cause_is_kept() -> None:
    with bound(group(Source.QUERY)) as binding:
        with pytest.raises(RequestValidationError) as raised:
            binding.call("/?a=9&b=")
        assert isinstance(raised.value.__cause__, msgspec.ValidationError)


def test_other_exceptions_are_the_builders() -> None:
    def build(values: dict[str, Any]) -> Any:
        raise LookupError(values)

    spec = ParamSpec("f", Source.QUERY, group=GroupSpec((query("a"),), build))
    with bound(spec) as binding, pytest.raises(LookupError):
        binding.call("/?a=1")
