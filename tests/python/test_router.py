"""Routers: prefixes, nesting, defaults."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_bolt.router import Router


def handler() -> None: ...


def paths(router: Router) -> list[str]:
    return [f"{route.method} {route.path}" for route in router.get_all_routes()]


def test_prefix_and_nesting() -> None:
    outer, middle, inner = Router("/outer"), Router(prefix="middle/"), Router()
    inner.get("/leaf")(handler)
    middle.post("")(handler)
    outer.get("/own")(handler)
    middle.include_router(inner, prefix="/inner")
    outer.include_router(middle)
    assert paths(outer) == ["GET /outer/own", "POST /outer/middle/", "GET /outer/middle/inner/leaf"]
    assert inner.prefix == "/inner"


def test_tags_are_defaults_of_own_routes_only() -> None:
    parent, child = Router(tags=["parent"]), Router()
    parent.get("/a")(handler)
    parent.get("/b", tags=["own"])(handler)
    child.get("/c")(handler)
    parent.include_router(child)
    assert [route.options.get("tags") for route in parent.get_all_routes()] == [["parent"], ["own"], None]


def test_middleware_chain_is_outermost_first() -> None:
    outer, inner = Router(middleware=["A"]), Router(middleware=["B", "C"])
    outer.include_router(inner)
    assert inner.get_middleware_chain() == ["A", "B", "C"]
    assert Router(middleware=["D"], parent=outer).get_middleware_chain() == ["A", "D"]


def test_misuse() -> None:
    router, child = Router(), Router()
    router.include_router(child)
    with pytest.raises(TypeError, match="expects a Router"):
        router.include_router(object())  # type: ignore[arg-type]
    for inside in (router, child):
        with pytest.raises(ValueError, match="cannot be included in itself"):
            inside.include_router(router)


@pytest.mark.parametrize("option", ["auth", "guards"])
def test_security_is_never_ignored(option: str) -> None:
    arguments: dict[str, Any] = {option: [object()]}
    with pytest.raises(ImproperlyConfigured, match="cannot be enforced"):
        Router(**arguments)
    assert Router(**{option: []}).get_all_routes() == []
