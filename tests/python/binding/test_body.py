"""JSON content: decoding whatever the Content-Type, and the report items of everything msgspec refuses."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.python.support.binding import bound, param

from django_bolt._plan import Kind, ParamSpec, Source
from django_bolt.exceptions import RequestValidationError


class Part(msgspec.Struct):
    name: str


class Item(msgspec.Struct):
    name: str
    price: float = 0.0
    items: list[Part] = []
    by_key: dict[str, list[Part]] = {}
    counts: dict[int, int] = {}


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    name: str


def body(declared: Any = Item, name: str = "item", **fields: Any) -> ParamSpec:
    return ParamSpec(name, Source.BODY, decode=msgspec.json.Decoder(declared).decode, **fields)


VALIDATION = [
    (b'{"name": "a", "price": "x"}', Item, ["body", "price"], "Expected `float`, got `str`"),
    (b'{"name": "a", "items": [{"name": 1}]}', Item, ["body", "items", "0", "name"], "Expected `str`, got `int`"),
    (
        b'{"name": "a", "items": [{"name": "b"}, {}]}',
        Item,
        ["body", "items", "1"],
        "Object missing required field `name`",
    ),
    (
        b'{"name": "a", "by_key": {"k": [{"name": 1}]}}',
        Item,
        ["body", "by_key", "...", "0", "name"],
        "Expected `str`, got `int`",
    ),
    (b'{"name": "a", "counts": {"x": 1}}', Item, ["body", "counts"], "Expected `int`, got `str`"),
    (b"[]", Item, ["body"], "Expected `object`, got `array`"),
    (b'{"name": "a", "zz": 1}', Strict, ["body"], "Object contains unknown field `zz`"),
    (b'["a", 1]', list[str], ["body", "1"], "Expected `str`, got `int`"),
]


@pytest.mark.parametrize(("content", "declared", "loc", "msg"), VALIDATION)
def test_validation_error(content: bytes, declared: Any, loc: list[str], msg: str) -> None:
    with bound(body(declared), method="POST") as binding:
        detail = binding.detail(method="POST", body=content)
        assert detail == [{"type": "validation_error", "loc": loc, "msg": msg}]


def test_missing_field() -> None:
    with bound(body(), method="POST") as binding:
        detail = binding.detail(method="POST", body=b'{"price": 1}')
        msg = "Object missing required field `name`"
        assert detail == [{"type": "missing_field", "loc": ["body", "name"], "msg": msg}]


# Places are where msgspec says: one further than the octet in some of its sentences.
MALFORMED = [
    (b"{x}", 1, 2, 1, "object keys must be strings", "{x}\n   ^"),
    (b'{\n "name": "a",\n "price": nul}', 3, 15, 30, "invalid character", ' "price": nul}\n                ^'),
    (b'{"name": "a"}\n x', 2, 3, 16, "trailing characters", " x\n    ^"),
    ('{"grüße": x}'.encode(), 1, 11, 12, "invalid character", '{"grüße": x}\n            ^'),
    (b'{"z": "\xff", x}', 1, 12, 11, "object keys must be strings", '{"z": "\ufffd", x}\n             ^'),
]


@pytest.mark.parametrize(("content", "line", "column", "position", "problem", "quoted"), MALFORMED)
def test_malformed(content: bytes, line: int, column: int, position: int, problem: str, quoted: str) -> None:
    error = f"JSON is malformed: {problem} (byte {position})"
    with bound(body(), method="POST") as binding:
        (item,) = binding.detail(method="POST", body=content)
    assert item == {
        "type": "json_invalid",
        "loc": ["body", line, column],
        "msg": f"Invalid JSON at line {line}, column {column}: {error}\n  {quoted}",
        "input": content.decode("utf-8", "replace"),
        "ctx": {"line": line, "column": column, "byte_position": position, "error": error},
    }


@pytest.mark.parametrize("content", [b"", b" ", b"{", b'{"name": "a"', b'{"name": "a'])
def test_truncated(content: bytes) -> None:
    with bound(body(), method="POST") as binding:
        detail = binding.detail(method="POST", body=content)
        assert detail == [{"type": "json_invalid", "loc": ["body"], "msg": "Input data was truncated", "input": ""}]


def test_broken_utf8() -> None:
    with bound(body(), method="POST") as binding:
        (item,) = binding.detail(method="POST", body=b'{"name": "\xff"}')
        msg = "JSON is malformed: a string is not valid UTF-8"
        assert item == {"type": "json_invalid", "loc": ["body"], "msg": msg, "input": '{"name": "\ufffd"}'}


def test_nested_too_deeply() -> None:
    with bound(body(Any), method="POST") as binding:
        (item,) = binding.detail(method="POST", body=b"[" * 100_000)
        assert (item["type"], item["loc"], item["msg"]) == ("json_invalid", ["body"], "JSON is nested too deeply")
        assert item["input"] == "[" * 200


def test_long_documents_are_quoted_in_part() -> None:
    content = b"[" + b"1," * 5000 + b"x" + b",1" * 5000 + b"]"
    with bound(body(Any), method="POST") as binding:
        (item,) = binding.detail(method="POST", body=content)
    assert item["input"] == content[:200].decode()
    assert item["loc"] == ["body", 1, 10_002]
    _, quoted, mark = item["msg"].split("\n")
    assert len(quoted) == 2 + 400
    assert quoted[mark.index("^")] == "x"


def test_content_type_does_not_matter() -> None:
    with bound(body(), method="POST") as binding:
        for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"):
            item = binding.value(method="POST", body=b'{"name": "a"}', headers=(("Content-Type", content_type),))
            assert item == Item("a")


def test_decoder_receives_bytes() -> None:
    received: list[Any] = []
    spec = ParamSpec("item", Source.BODY, decode=received.append)
    with bound(spec, param("request", Source.REQUEST), method="POST") as binding:
        (_, request), _ = binding.call(method="POST", body=b"\x00\xff")
    assert received == [b"\x00\xff"]
    assert type(received[0]) is bytes
    assert request.body is received[0]  # one copy of the content


def test_every_body_parameter_receives_all_of_it() -> None:
    with bound(body(), body(Any, "raw"), param("n", Source.QUERY, Kind.INT), method="POST") as binding:
        assert binding.call("/?n=3", method="POST", body=b'{"name": "a"}') == ((Item("a"), {"name": "a"}, 3), {})


def test_default_for_empty_content() -> None:
    with bound(body(required=False, default=None), method="POST") as binding:
        assert binding.value(method="POST") is None
        assert binding.value(method="POST", body=b'{"name": "a"}') == Item("a")
        assert binding.detail(method="POST", body=b"{")[0]["type"] == "json_invalid"


def test_exception_carries_the_content_and_the_cause() -> None:
    with bound(body(), method="POST") as binding, pytest.raises(RequestValidationError) as raised:
        binding.call(method="POST", body=b"{}")
    assert raised.value.body == b"{}"
    assert isinstance(raised.value.__cause__, msgspec.ValidationError)


def test_other_exceptions_are_the_decoders() -> None:
    def fail(content: bytes) -> Any:
        raise LookupError(content)

    with bound(ParamSpec("item", Source.BODY, decode=fail), method="POST") as binding, pytest.raises(LookupError):
        binding.call(method="POST", body=b"{}")
