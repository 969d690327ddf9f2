"""App: routes are compiled when they are added; misuse is reported then, with the handler's name."""

from __future__ import annotations

import asyncio
import gc
import weakref
from dataclasses import replace
from typing import Any

import pytest
from tests.python.harness import Application, Hooks, run

from django_bolt import _core
from django_bolt._plan import Kind, ParamSpec, ResultKind, ResultSpec, RouteSpec, Source


async def handler() -> None:
    """Never called."""


SPEC = RouteSpec(method="GET", path="/", handler=handler, is_async=True, name="tests.handler", meta="meta")


def test_match() -> None:
    app = _core.App(Hooks())
    app.add_route(replace(SPEC, meta="root"))
    app.add_route(replace(SPEC, path="/users/{id}", meta="user"))
    app.add_route(replace(SPEC, path="/users/{id}", method="DELETE", meta="delete"))
    app.add_route(replace(SPEC, path="/files/{rest:path}", meta="files"))
    app.add_route(replace(SPEC, path="/slash/", meta="slash"))
    assert app.match("GET", "/") == ("found", "root", [])
    assert app.match("GET", "/users/7") == ("found", "user", ["7"])
    assert app.match("DELETE", "/users/7") == ("found", "delete", ["7"])
    assert app.match("HEAD", "/users/7") == ("found", "user", ["7"])
    assert app.match("POST", "/users/7") == ("not_allowed", None, [])
    assert app.match("OPTIONS", "/users/7") == ("auto_options", None, [])
    assert app.match("GET", "/files/a/b%20c") == ("found", "files", ["a/b%20c"])
    assert app.match("GET", "/users/7/") == ("redirect_strip", None, [])
    assert app.match("GET", "/slash") == ("redirect_add", None, [])
    assert app.match("GET", "/nothing") == ("not_found", None, [])
    assert app.match("BREW", "/users/7") == ("not_allowed", None, [])


def test_a_later_route_replaces_an_earlier_one() -> None:
    app = _core.App(Hooks())
    first = weakref.ref(first_meta := type("Meta", (), {})())
    assert app.add_route(replace(SPEC, meta=first_meta)) is False
    del first_meta
    assert app.add_route(replace(SPEC, meta="second")) is True
    assert app.add_route(replace(SPEC, path="/other")) is False
    assert app.match("GET", "/")[1] == "second"
    gc.collect()
    assert first() is None


def test_no_routes_after_a_server_was_made() -> None:
    async def main() -> None:
        app = Application()
        server = _core.Server(app.core, asyncio.get_running_loop())
        with pytest.raises(RuntimeError, match="can no longer be added"):
            app.add("/", handler)
        server.close()

    run(main())


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"method": "BREW"}, ValueError, "'BREW' is not a method"),
        ({"method": 5}, TypeError, "RouteSpec.method must be str, not int"),
        ({"path": 5}, TypeError, "RouteSpec.path must be str, not int"),
        ({"path": "users"}, ValueError, "tests.handler: path 'users': "),
        ({"path": "/{a}/{a}"}, ValueError, "tests.handler: path '/{a}/{a}': "),
        ({"path": "/{"}, ValueError, "tests.handler: path '/{': "),
        ({"path": "/\ud800"}, UnicodeEncodeError, "surrogates"),
        ({"name": None}, TypeError, "RouteSpec.name must be str"),
        ({"handler": 5}, TypeError, "tests.handler: handler must be callable, not int"),
        ({"params": 5}, TypeError, "params must be a sequence"),
        ({"params": (ParamSpec("x", Source.PATH, "x", Kind.INT, capture=99),)}, ValueError, "tests.handler"),
        ({"result": ResultSpec(status=99)}, ValueError, r"ResultSpec.status must be 200..599, not 99"),
        ({"result": ResultSpec(status="ok")}, TypeError, "interpreted as an integer"),  # type: ignore[arg-type]
        ({"result": ResultSpec(kind=7)}, ValueError, "ResultSpec.kind"),  # type: ignore[arg-type]
        ({"result": ResultSpec(kind=ResultKind.CONVERT)}, TypeError, "ResultSpec.convert is required"),
        ({"result": ResultSpec(exact="dict")}, TypeError, "ResultSpec.exact must be a type, not str"),  # type: ignore[arg-type]
        ({"result": None}, AttributeError, "kind"),
    ],
)
def test_malformed_routes(change: dict[str, Any], error: type[Exception], text: str) -> None:
    app = _core.App(Hooks())
    with pytest.raises(error, match=text):
        app.add_route(replace(SPEC, **change))
    assert app.match("GET", "/")[0] == "not_found"
    app.add_route(SPEC)
    assert app.match("GET", "/")[0] == "found"


@pytest.mark.parametrize("name", ["handle_exception", "finalize", "handle_unmatched", "encode_fallback"])
def test_every_hook_is_required(name: str) -> None:
    hooks = type("Partial", (), {key: value for key, value in vars(Hooks).items() if key != name and key[0] != "_"})
    with pytest.raises(AttributeError, match=name):
        _core.App(hooks())


def test_arguments() -> None:
    with pytest.raises(TypeError):
        _core.App()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        _core.App(Hooks(), True)  # type: ignore[misc]
    with pytest.raises(TypeError):
        _core.App(Hooks()).match("GET")  # type: ignore[call-arg]


def test_an_app_in_a_cycle_is_collected() -> None:
    hooks = Hooks()
    app = _core.App(hooks)
    hooks.app = app  # type: ignore[attr-defined]
    app.add_route(replace(SPEC, meta=hooks))
    gone = weakref.ref(hooks)
    del app, hooks
    gc.collect()
    assert gone() is None
