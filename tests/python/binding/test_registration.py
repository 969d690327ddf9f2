"""A malformed table is refused when the route is added, naming route, parameter and fix."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.python.support.binding import param, query, route
from tests.python.support.wire import ErrorHooks

from django_bolt import _core
from django_bolt._plan import Container, GroupSpec, Kind, ParamSpec, RouteSpec, Source


def add(*params: Any, path: str = "/") -> None:
    async def handler(*args: object, **kwargs: object) -> None:
        raise AssertionError("never called")

    spec: RouteSpec = route(*params, path=path, handler=handler)
    _core.App(ErrorHooks()).add_route(replace(spec, name="shop.views.buy"))


def refuse_message(*params: Any, error: type[Exception], path: str = "/") -> str:
    with pytest.raises(error) as raised:
        add(*params, path=path)
    return str(raised.value)


BODY = ParamSpec("item", Source.BODY, decode=bytes.decode)
GROUP = GroupSpec((query("a"),), dict)


@pytest.mark.parametrize(
    ("spec", "error", "problem"),
    [
        (param("x", Source.FORM), TypeError, "form fields, files and dependencies are not available"),
        (param("x", Source.FILE), TypeError, "form fields, files and dependencies are not available"),
        (param("x", Source.DEPENDS), TypeError, "form fields, files and dependencies are not available"),
        (param("x", 9), ValueError, "source 9 is not one of"),
        (query("x", 11), ValueError, "kind 11 is not one of"),
        (query("x", -1), ValueError, "kind -1 is not one of"),
        (query("x", container=5), ValueError, "container 5 is not one of"),
        (query("x", container=2**80), OverflowError, "int too large"),
        (query("x", 2**40), TypeError, "kind must be a small int"),
        (query("x", "int"), TypeError, "kind must be a small int"),
        (query("x", key=""), TypeError, "key is '', pass a non-empty str"),
        (query("x", key=b"x"), TypeError, "key is b'x', pass a non-empty str"),
        (query("x", Kind.CHOICE), ValueError, "kind CHOICE needs at least one entry"),
        (query("x", Kind.CHOICE, choices={}), ValueError, "kind CHOICE needs at least one entry"),
        (query("x", Kind.CHOICE, choices={1: 2}), TypeError, "choices has the key 1; keys are the texts clients send"),
        (query("x", check=3), TypeError, "check is 3, pass a callable or None"),
        (query("x", default_factory=[]), TypeError, r"default_factory is [], pass a callable or None"),
        (param("x", Source.HEADER, key="X-Tok"), ValueError, "header name 'X-Tok' must be lower-case ASCII"),
        (param("x", Source.HEADER, key="x tok"), ValueError, "header name 'x tok' must be lower-case ASCII"),
        (param("x", Source.HEADER, key="grün"), ValueError, "header name 'grün' must be lower-case ASCII"),
        (
            param("x", Source.PATH, capture=-1),
            ValueError,
            "the path has no segment {x}; add it to the path or use Query()",
        ),
        (
            param("x", Source.PATH, capture=2),
            ValueError,
            "the path has no segment {x}; add it to the path or use Query()",
        ),
        (param("x", Source.PATH, capture=1), ValueError, "capture 1 is the segment {rest}, not {x}"),
        (ParamSpec("x", Source.BODY), TypeError, "a body parameter needs a decode callable"),
        (ParamSpec("x", Source.BODY, decode="json"), TypeError, "decode is 'json', pass a callable or None"),
        (param("x", Source.PATH, capture=0, group=GROUP), TypeError, "a Struct can be read from Query(), Header() or"),
        (query("x", group=GroupSpec((), dict)), TypeError, "a group needs a tuple of at least one field"),
        (query("x", group=GroupSpec([query("a")], dict)), TypeError, "a group needs a tuple of at least one field"),
        (query("x", group=GroupSpec((query("a"),), None)), TypeError, "a group needs a build callable"),
        (
            query("x", group=GroupSpec((param("a", Source.COOKIE),), dict)),
            ValueError,
            "must be a plain value from the same",
        ),
        (
            query("x", group=GroupSpec((query("a", group=GROUP),), dict)),
            ValueError,
            "must be a plain value from the same",
        ),
    ],
)
def test_one_parameter(spec: ParamSpec, error: type[Exception], problem: str) -> None:
    message = refuse_message(spec, error=error, path="/{y}/{rest:path}")
    assert problem in message
    if error is not OverflowError:
        assert message.startswith("shop.views.buy: parameter '")


@pytest.mark.parametrize(
    ("params", "error", "problem"),
    [
        ((query("a", keyword_only=True), query("b")), ValueError, "'b': positional after a keyword-only parameter"),
        ((query("a"), query("a", key="z")), ValueError, "'a': described twice"),
        ((query("a", key="k"), query("b", Kind.INT, key="k")), TypeError, "'b': reads the same query key 'k' as 'a'"),
        (
            (query("a", key="k"), query("b", key="k", container=Container.LIST)),
            TypeError,
            "'b': reads the same query key 'k' as 'a' with a different type; use one type or another alias",
        ),
        (
            (param("a", Source.COOKIE, Kind.INT, key="k"), param("b", Source.COOKIE, key="k")),
            TypeError,
            "'b': reads the same cookie key 'k' as 'a'",
        ),
        ((query("a"), query("g", group=GroupSpec((query("a", Kind.INT),), dict))), TypeError, "the same query key 'a'"),
    ],
)
def test_several_parameters(params: tuple[ParamSpec, ...], error: type[Exception], problem: str) -> None:
    message = refuse_message(*params, error=error)
    assert message.startswith("shop.views.buy: parameter ")
    assert problem in message


def test_not_records() -> None:
    with pytest.raises(AttributeError):
        add(object())


def test_one_key_in_two_sources_is_fine() -> None:
    add(query("a", key="k"), param("b", Source.COOKIE, Kind.INT, key="k"), param("c", Source.HEADER, key="k"), BODY)


@pytest.mark.parametrize(
    ("proxies", "error", "problem"),
    [
        (["10.0.0.300"], ValueError, "BOLT_TRUSTED_PROXIES: '10.0.0.300' is not an IP address or network"),
        (["10.0.0.1/8"], ValueError, "BOLT_TRUSTED_PROXIES: '10.0.0.1/8' is not an IP address or network"),
        ([1], TypeError, "BOLT_TRUSTED_PROXIES: 1 is not a str"),
        ("10.0.0.1", TypeError, r"BOLT_TRUSTED_PROXIES is a str; use a list: ['10.0.0.1']"),
        (7, TypeError, "BOLT_TRUSTED_PROXIES must be a list"),
    ],
)
def test_settings(proxies: Any, error: type[Exception], problem: str) -> None:
    with pytest.raises(error) as raised:
        _core.App(ErrorHooks(), settings={"BOLT_TRUSTED_PROXIES": proxies})
    assert problem in str(raised.value)
