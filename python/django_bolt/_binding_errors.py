"""What msgspec refuses in a request, as the exceptions that become 422 responses.

``_core`` calls these functions when a decoder, a constraint or a Struct refuses a client's value; they turn msgspec's
sentence (``Expected `float`, got `str` - at `$.price```) into report items with a location. All are called with the
exception, a label that begins the location, and two arguments of their own. Nothing here runs for a valid request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from django_bolt.exceptions import ErrorItem, RequestValidationError

_TAIL = re.compile(r" - at (?:`key` in )?`\$(?P<path>.*)`$", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>[^\]]*)\]")
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`", re.DOTALL)
_BYTE = re.compile(r" \(byte (?P<position>\d+)\)$")
_SHOWN_CHARACTERS = 200


def _split(error: Exception) -> tuple[str, list[str]]:
    """The sentence without its location, and the location: field names, list positions, ``...`` for dict values."""
    text = str(error)
    tail = _TAIL.search(text)
    if tail is None:
        return text, []
    steps = [step["name"] or step["index"] for step in _STEP.finditer(tail["path"])]
    return text[: tail.start()], steps


def _item(kind: str, loc: list[object], msg: str) -> dict[str, object]:
    return {"type": kind, "loc": loc, "msg": msg}


def check_error(error: Exception, label: str, key: str, value: object) -> RequestValidationError:
    """A constraint on one converted value (``page: Annotated[int, Meta(ge=1)]``)."""
    msg, steps = _split(error)
    return RequestValidationError([{**_item("validation_error", [label, key, *steps], msg), "input": value}])


def group_error(
    error: Exception, label: str, wire_keys: Mapping[str, str], values: Mapping[str, object]
) -> RequestValidationError:
    """A Struct built from single keys: the first step of the location is a field, reported under its wire key."""
    msg, steps = _split(error)
    if not steps:
        return RequestValidationError([_top_level_item(label, msg)])
    field, *rest = steps
    item = _item("validation_error", [label, wire_keys.get(field, field), *rest], msg)
    if field in values:
        item["input"] = values[field]
    return RequestValidationError([item])


def _top_level_item(label: str, msg: str) -> ErrorItem:
    """An error about the object itself; a missing field becomes part of the location."""
    missing = _MISSING.fullmatch(msg)
    if missing is not None:
        return _item("missing_field", [label, missing["name"]], msg)
    return _item("validation_error", [label], msg)


def body_error(error: Exception, label: str, name: str, content: bytes) -> RequestValidationError:
    """Content that is not JSON, or JSON that is not the declared type of the parameter ``name``."""
    if isinstance(error, msgspec.ValidationError):
        msg, steps = _split(error)
        item = _item("validation_error", [label, *steps], msg) if steps else _top_level_item(label, msg)
    else:
        item = _json_item(error, label, content)
    return RequestValidationError([item], body=content)


def _json_item(error: Exception, label: str, content: bytes) -> ErrorItem:
    text = str(error)
    position = _BYTE.search(text)
    if position is not None:
        return _located_json_item(text, int(position["position"]), label, content)
    if isinstance(error, RecursionError):
        text = "JSON is nested too deeply"
    elif isinstance(error, UnicodeDecodeError):
        text = "JSON is malformed: a string is not valid UTF-8"
    else:  # "Input data was truncated": there is no faulty input to show
        return {**_item("json_invalid", [label], text), "input": ""}
    return {**_item("json_invalid", [label], text), "input": _shown(content)}


def _shown(content: bytes) -> str:
    return content[: 4 * _SHOWN_CHARACTERS].decode("utf-8", "replace")[:_SHOWN_CHARACTERS]


def _located_json_item(text: str, position: int, label: str, content: bytes) -> ErrorItem:
    """Line and column count from 1, in characters; the faulty line is quoted with a mark below the place."""
    start = content.rfind(b"\n", 0, position) + 1
    end = content.find(b"\n", position)
    before = content[start:position].decode("utf-8", "replace")
    after = content[position : end if end >= 0 else len(content)].decode("utf-8", "replace")
    line, column = content.count(b"\n", 0, position) + 1, len(before) + 1
    # One-line documents can be a megabyte long: quote the surroundings only.
    quoted = before[-_SHOWN_CHARACTERS:]
    mark = " " * len(quoted) + "^"
    msg = f"Invalid JSON at line {line}, column {column}: {text}\n  {quoted}{after[:_SHOWN_CHARACTERS]}\n  {mark}"
    return {
        **_item("json_invalid", [label, line, column], msg),
        "input": _shown(content),
        "ctx": {"line": line, "column": column, "byte_position": position, "error": text},
    }
