"""Where values come from: path, query, headers, cookies, defaults, and the order of arguments."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from tests.python.support.binding import bound, param, query

from django_bolt import _core
from django_bolt._plan import Container, Kind, Source
from django_bolt.exceptions import RequestValidationError

Limited = Annotated[int, msgspec.Meta(le=5)]


class TestPath:
    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            ("/f/a%20b", "a b"),
            ("/f/a+b", "a+b"),
            ("/f/a%2Fb", "a/b"),
            ("/f/%C3%A9", "é"),
            ("/f/100%", "100%"),
            ("/f/%zz", "%zz"),
            ("/f/a?name=query", "a"),
        ],
    )
    def test_decoding(self, target: str, expected: str) -> None:
        with bound(param("name", Source.PATH, capture=0), path="/f/{name}") as binding:
            assert binding.value(target) == expected

    def test_rest_of_the_path(self) -> None:
        with bound(param("rest", Source.PATH, capture=0), path="/f/{rest:path}") as binding:
            assert binding.value("/f/a/b%20c/d") == "a/b c/d"

    def test_arguments_follow_the_signature_not_the_path(self) -> None:
        second = param("y", Source.PATH, Kind.INT, capture=1)
        first = param("x", Source.PATH, capture=0)
        with bound(second, first, path="/{x}/z/{y}") as binding:
            assert binding.call("/a/z/7") == ((7, "a"), {})

    def test_sequence_of_one(self) -> None:
        with bound(param("x", Source.PATH, Kind.INT, capture=0, container=Container.TUPLE), path="/{x}") as binding:
            assert binding.value("/5") == (5,)


class TestQuery:
    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            ("/?q=a+b", "a b"),
            ("/?q=a%2Bb", "a+b"),
            ("/?q", ""),
            ("/?q=", ""),
            ("/?q=a=b", "a=b"),
            ("/?q=1&q=2&q=3", "3"),
            ("/?qq=1&q=2&Q=3", "2"),
            ("/?%71=escaped+key", "escaped key"),
            ("/?&&q=x&&", "x"),
            ("/?q=50%", "50%"),
        ],
    )
    def test_scalar(self, target: str, expected: str) -> None:
        with bound(query("q")) as binding:
            assert binding.value(target) == expected

    @pytest.mark.parametrize(
        ("container", "expected"),
        [
            (Container.LIST, [3, 1, 3]),
            (Container.TUPLE, (3, 1, 3)),
            (Container.SET, {1, 3}),
            (Container.FROZENSET, frozenset({1, 3})),
        ],
    )
    def test_sequences(self, container: Container, expected: Any) -> None:
        with bound(query("v", Kind.INT, container=container)) as binding:
            value = binding.value("/?v=3&w=9&v=1&%76=3")
            assert value == expected
            assert type(value) is type(expected)
            assert list(binding.value("/?v=5")) == [5]

    def test_commas_are_not_split(self) -> None:
        with bound(query("v", container=Container.LIST)) as binding:
            assert binding.value("/?v=a,b") == ["a,b"]

    def test_faulty_item(self) -> None:
        with bound(query("v", Kind.INT, container=Container.LIST)) as binding:
            detail = "Query parameter 'v': Invalid integer 'x': invalid digit found in string"
            assert binding.detail("/?v=1&v=x&v=y") == detail

    def test_missing_sequence(self) -> None:
        with bound(query("v", container=Container.SET)) as binding:
            assert binding.detail("/") == "Missing required query parameter: v"

    def test_two_parameters_may_share_a_key(self) -> None:
        with bound(query("a", key="k"), query("b", key="k")) as binding:
            assert binding.call("/?k=1") == (("1", "1"), {})

    @pytest.mark.parametrize("count", [1, 3, 4, 16, 17, 60])
    def test_any_number_of_parameters(self, count: int) -> None:
        params = [query(f"p{i}", Kind.INT) for i in range(count)]
        with bound(*params) as binding:
            target = "/?" + "&".join(f"p{i}={i}" for i in reversed(range(count)))
            assert binding.call(target) == (tuple(range(count)), {})
            missing = target.replace("p0=0", "")
            assert binding.detail(missing) == "Missing required query parameter: p0"


class TestHeader:
    def test_names_are_compared_without_case(self) -> None:
        with bound(param("x_tok", Source.HEADER, key="x-tok")) as binding:
            for name in ("x-tok", "X-Tok", "X-TOK"):
                assert binding.value(headers=((name, "t"),)) == "t"

    def test_repeated_fields_are_one_value(self) -> None:
        with bound(param("x", Source.HEADER)) as binding:
            assert binding.value(headers=(("X", "a"), ("Y", "b"), ("x", "c"), ("X", ""))) == "a, c, "

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("content-type", "text/x"),
            ("authorization", "Bearer abc"),
            ("origin", "https://a.example"),
            ("accept-encoding", "gzip, br"),
            ("user-agent", "tests"),
            ("cookie", "a=1; b=2"),
        ],
    )
    def test_fields_the_parser_knows(self, name: str, value: str) -> None:
        with bound(param("x", Source.HEADER, key=name)) as binding:
            assert binding.value(headers=((name.title(), value),)) == value
            assert binding.detail() == f"Missing required header: {name}"

    def test_host_is_the_effective_one(self) -> None:
        with bound(param("host", Source.HEADER)) as binding:
            assert binding.value() == "testserver"
            assert binding.value("http://absolute.example/") == "absolute.example"

    def test_value_is_not_unescaped(self) -> None:
        with bound(param("x", Source.HEADER)) as binding:
            assert binding.value(headers=(("X", "a+b%20c"),)) == "a+b%20c"

    def test_value_is_utf8(self) -> None:
        with bound(param("x", Source.HEADER)) as binding:
            assert binding.value(headers=(("X", "grüße".encode()),)) == "grüße"
            assert binding.detail(headers=(("X", b"gr\xfc"),)) == "Header 'x': Invalid text: byte 2 is not UTF-8"

    def test_sequences_hold_one_item(self) -> None:
        with bound(param("x", Source.HEADER, Kind.STR, container=Container.LIST)) as binding:
            assert binding.value(headers=(("X", "a, b"), ("X", "c"))) == ["a, b, c"]


class TestCookie:
    def test_several_fields_and_repeated_names(self) -> None:
        params = (param("a", Source.COOKIE, Kind.INT), param("b", Source.COOKIE), param("c", Source.COOKIE))
        with bound(*params) as binding:
            headers = (("Cookie", 'a=1; b="quoted"; a=2'), ("X", "y"), ("cookie", "c=x=y%20; d"))
            assert binding.call(headers=headers) == ((2, "quoted", "x=y%20"), {})

    def test_name_is_case_sensitive(self) -> None:
        with bound(param("sid", Source.COOKIE)) as binding:
            assert binding.detail(headers=(("Cookie", "SID=1"),)) == "Missing required cookie: sid"

    def test_sequence_of_one(self) -> None:
        with bound(param("c", Source.COOKIE, Kind.INT, container=Container.FROZENSET)) as binding:
            assert binding.value(headers=(("Cookie", "c=1; c=2"),)) == frozenset({2})


class TestDefaults:
    SOURCES = (Source.QUERY, Source.HEADER, Source.COOKIE)

    @pytest.mark.parametrize("source", SOURCES)
    def test_default(self, source: Source) -> None:
        marker = object()
        with bound(param("v", source, Kind.INT, required=False, default=marker)) as binding:
            assert binding.value() is marker

    @pytest.mark.parametrize("source", SOURCES)
    def test_factory_wins_and_is_called_each_time(self, source: Source) -> None:
        with bound(param("v", source, required=False, default="no", default_factory=list)) as binding:
            first, second = binding.value(), binding.value()
            assert first == second == []
            assert first is not second

    def test_failing_factory(self) -> None:
        def fail() -> Any:
            raise LookupError("from the factory")

        spec = query("v", required=False, default_factory=fail)
        with bound(spec) as binding, pytest.raises(LookupError, match="from the factory"):
            binding.call()

    def test_empty_text_is_a_value(self) -> None:
        with bound(query("v", Kind.INT, required=False, default=5)) as binding:
            detail = "Query parameter 'v': Invalid integer '': cannot parse integer from empty string"
            assert binding.detail("/?v=") == detail


class TestArguments:
    def test_keyword_only(self) -> None:
        params = (query("a", Kind.INT), query("b", keyword_only=True), query("c", required=False, keyword_only=True))
        with bound(*params) as binding:
            assert binding.call("/?a=1&b=2") == ((1,), {"b": "2", "c": None})

    def test_only_keywords(self) -> None:
        with bound(query("b", keyword_only=True)) as binding:
            assert binding.call("/?b=2") == ((), {"b": "2"})

    def test_none(self) -> None:
        with bound() as binding:
            assert binding.call("/?a=1") == ((), {})

    def test_request(self) -> None:
        request_param = param("request", Source.REQUEST)
        with bound(query("a"), request_param) as binding:
            (a, request), _ = binding.call("/?a=1")
            assert a == "1"
            assert isinstance(request, _core.Request)

    def test_first_faulty_argument_decides(self) -> None:
        with bound(query("a", Kind.INT), query("b", Kind.INT), query("c")) as binding:
            detail = "Query parameter 'b': Invalid integer 'y': invalid digit found in string"
            assert binding.detail("/?a=1&b=y") == detail


class TestCheck:
    """Constraints: msgspec refuses the converted value, the list family answers."""

    def test_scalar(self) -> None:
        with bound(query("x", Kind.INT, check=lambda v: msgspec.convert(v, Limited))) as binding:
            assert binding.value("/?x=5") == 5
            assert binding.detail("/?x=9") == [
                {"type": "validation_error", "loc": ["query", "x"], "msg": "Expected `int` <= 5", "input": 9}
            ]

    @pytest.mark.parametrize(
        ("source", "label", "target", "headers"),
        [
            (Source.PATH, "path", "/9", ()),
            (Source.QUERY, "query", "/p?x=9", ()),
            (Source.HEADER, "header", "/p", (("X", "9"),)),
            (Source.COOKIE, "cookie", "/p", (("Cookie", "x=9"),)),
        ],
    )
    def test_location(self, source: Source, label: str, target: str, headers: Any) -> None:
        spec = param("p", source, Kind.INT, key="x", capture=0, check=lambda v: msgspec.convert(v, Limited))
        with bound(spec, path="/{x}") as binding:
            (item,) = binding.detail(target, headers=headers)
            assert item["loc"] == [label, "x"]

    def test_item_of_a_sequence(self) -> None:
        spec = query("x", Kind.INT, container=Container.LIST, check=lambda v: msgspec.convert(v, list[Limited]))
        with bound(spec) as binding:
            assert binding.detail("/?x=1&x=9") == [
                {"type": "validation_error", "loc": ["query", "x", "1"], "msg": "Expected `int` <= 5", "input": [1, 9]}
            ]

    def test_its_result_is_the_argument(self) -> None:
        with bound(query("x", check=str.upper)) as binding:
            assert binding.value("/?x=abc") == "ABC"

    def test_defaults_are_not_checked(self) -> None:
        with bound(query("x", check=str.upper, required=False, default="abc")) as binding:
            assert binding.value() == "abc"

    def test_cause_is_kept(self) -> None:
        with bound(query("x", Kind.INT, check=lambda v: msgspec.convert(v, Limited))) as binding:
            with pytest.raises(RequestValidationError) as raised:
                binding.call("/?x=9")
            assert isinstance(raised.value.__cause__, msgspec.ValidationError)

    def test_other_exceptions_are_the_handlers(self) -> None:
        def fail(value: str) -> Any:
            raise ZeroDivisionError(value)

        with bound(query("x", check=fail)) as binding, pytest.raises(ZeroDivisionError, match="abc"):
            binding.call("/?x=abc")
