"""The wire format of Set-Cookie."""

from __future__ import annotations

import datetime
from http.cookies import SimpleCookie
from typing import Any

import pytest

from django_bolt.cookies import Cookie, make_delete_cookie

MOMENT = datetime.datetime(2030, 5, 1, 12, 0, 0)
ZONE = datetime.timezone(datetime.timedelta(hours=2))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"value": "v"}, "n=v; SameSite=Lax; Path=/"),
        ({"value": "v", "samesite": None, "path": None}, "n=v"),
        (
            {
                "value": "v",
                "max_age": 60,
                "expires": MOMENT,
                "path": "/a",
                "domain": "x.org",
                "secure": True,
                "httponly": True,
                "samesite": "strict",
            },
            "n=v; HttpOnly; SameSite=Strict; Secure; Path=/a; Domain=x.org; Max-Age=60; "
            "Expires=Wed, 01 May 2030 12:00:00 GMT",
        ),
        ({"value": "v", "samesite": "none"}, "n=v; SameSite=None; Secure; Path=/"),
        ({"value": "", "samesite": None, "path": None}, 'n=""'),
        ({"value": "a b", "samesite": None, "path": None}, 'n="a b"'),
        ({"value": "a;b", "samesite": None, "path": None}, r'n="a\073b"'),
        ({"value": 'a"b', "samesite": None, "path": None}, r'n="a\"b"'),
        ({"value": "é", "samesite": None, "path": None}, r'n="\351"'),
        ({"value": "\r\nset-cookie: x=y", "samesite": None, "path": None}, r'n="\015\012set-cookie: x=y"'),
        ({"expires": MOMENT.replace(tzinfo=ZONE), "samesite": None, "path": None},
         'n=""; Expires=Wed, 01 May 2030 10:00:00 GMT'),
        ({"expires": "Thu, 01 Jan 1970 00:00:00 GMT", "samesite": None, "path": None},
         'n=""; Expires=Thu, 01 Jan 1970 00:00:00 GMT'),
    ],
)  # fmt: skip
def test_header_value(arguments: dict[str, Any], expected: str) -> None:
    assert Cookie("n", **arguments).to_header_value() == expected


@pytest.mark.parametrize("value", ["plain", "a;b", 'q"q', "back\\slash", "comma,semi;space "])
def test_python_reads_it_back(value: str) -> None:
    header = Cookie("n", value).to_header_value()
    assert SimpleCookie(header)["n"].value == value


def test_delete() -> None:
    expected = 'sid=""; SameSite=Lax; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT'
    assert make_delete_cookie("sid").to_header_value() == expected
    for name in ("__Secure-sid", "__Host-sid"):
        assert "; Secure;" in make_delete_cookie(name).to_header_value()
    assert "; Domain=x.org;" in make_delete_cookie("sid", "/a", "x.org").to_header_value()


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": ""},
        {"name": "a b"},
        {"name": "a=b"},
        {"name": "a;b"},
        {"name": "é"},
        {"name": "n", "path": "/; Secure"},
        {"name": "n", "domain": "x\r\n"},
        {"name": "n", "expires": "x;y"},
        {"name": "n", "samesite": "sometimes"},
    ],
)
def test_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="cookie"):
        Cookie(**arguments)
