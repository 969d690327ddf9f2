"""JSON of everything msgspec does not know, and of what it knows in its own way."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import ipaddress
import pathlib
import types
import uuid
import zoneinfo
from typing import Any

import msgspec
import pytest
from django.utils.translation import gettext_lazy
from testproject.blog.models import EveryField, Person, Post

from django_bolt._json import encode_fallback, encode_final, encode_json, model_fields
from django_bolt._plan import NeedsFinalize


class Color(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Data:
    a: int


class Item(msgspec.Struct, rename="camel"):
    some_thing: int


UTC = datetime.UTC
MOMENT = datetime.datetime(2024, 1, 2, 3, 4, 5, 600)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (decimal.Decimal("1.50"), '"1.50"'),
        (MOMENT, '"2024-01-02T03:04:05.000600"'),
        (MOMENT.replace(tzinfo=UTC), '"2024-01-02T03:04:05.000600Z"'),
        (MOMENT.replace(tzinfo=zoneinfo.ZoneInfo("UTC")), '"2024-01-02T03:04:05.000600Z"'),
        (MOMENT.date(), '"2024-01-02"'),
        (MOMENT.time(), '"03:04:05.000600"'),
        (datetime.timedelta(seconds=90), '"PT90S"'),
        (b"\x00\x01", '"AAE="'),
        ({1}, "[1]"),
        (frozenset(["a"]), '["a"]'),
        ((1, "a"), '[1,"a"]'),
        (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (float("nan"), "null"),
        (float("inf"), "null"),
        (pathlib.PurePosixPath("/a/b"), '"/a/b"'),
        (ipaddress.ip_address("10.0.0.1"), '"10.0.0.1"'),
        (ipaddress.ip_network("10.0.0.0/8"), '"10.0.0.0/8"'),
        (ipaddress.ip_interface("::1/64"), '"::1/64"'),
        ({1: "a"}, '{"1":"a"}'),
        ({uuid.UUID(int=1): 1}, '{"00000000-0000-0000-0000-000000000001":1}'),
        (gettext_lazy("Hello"), '"Hello"'),
        (Color.RED, '"red"'),
        (Data(1), '{"a":1}'),
        (Item(1), '{"someThing":1}'),
        (types.MappingProxyType({"a": 1}), '{"a":1}'),
        (collections.deque([1, 2]), "[1,2]"),
        (range(3), "[0,1,2]"),
        ({"a": 1}.keys(), '["a"]'),
        ({"a": 1}.values(), "[1]"),
    ],
)
def test_encoding(value: Any, text: str) -> None:
    assert encode_json({"v": value}) == f'{{"v":{text}}}'.encode()


def test_unknown_objects() -> None:
    with pytest.raises(TypeError, match=r"builtins.object has no JSON form; return a dict"):
        encode_json([object()])


@pytest.mark.parametrize("value", [Person(), Person.objects.all(), Person.objects])
def test_models_and_querysets_are_left_to_finalize(value: Any) -> None:
    with pytest.raises(NeedsFinalize):
        encode_fallback(value)


def test_model_fields_are_the_columns() -> None:
    person = Person(id=1, username="ann", email="a@x.org", age=None)
    assert model_fields(person) == {
        "id": 1,
        "username": "ann",
        "email": "a@x.org",
        "is_active": True,
        "age": None,
        "password": "secret",
    }
    assert model_fields(Post(title="t", author_id=5)) == {"id": None, "title": "t", "author_id": 5, "editor_id": None}


def test_deferred_fields_are_left_out() -> None:
    person = Person.from_db("default", ["id"], [7])
    assert model_fields(person) == {"id": 7}


def test_final_encoding_of_every_field_type() -> None:
    instance = EveryField(
        id=1,
        big=2**62,
        flag=True,
        text="é",
        date=MOMENT.date(),
        moment=MOMENT.replace(tzinfo=UTC),
        price=decimal.Decimal("1.20"),
        lasting=datetime.timedelta(days=1),
        path="files/a.txt",
        number=1.5,
        address="::1",
        data={"x": [1, None]},
        time=MOMENT.time(),
        key=uuid.UUID(int=3),
        octets=b"\x00",
        slug=None,
    )
    assert msgspec.json.decode(encode_final([instance])) == [
        {
            "id": 1,
            "big": 2**62,
            "flag": True,
            "text": "é",
            "date": "2024-01-02",
            "moment": "2024-01-02T03:04:05.000600Z",
            "price": "1.20",
            "lasting": "P1D",
            "path": "files/a.txt",
            "number": 1.5,
            "address": "::1",
            "data": {"x": [1, None]},
            "time": "03:04:05.000600",
            "key": "00000000-0000-0000-0000-000000000003",
            "octets": "AA==",
            "slug": None,
        }
    ]
