"""Decorators and their options."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_bolt._route import Route, RouteDecorators, check_options

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY"]


class Recorder(RouteDecorators):
    def __init__(self) -> None:
        self.routes: list[Route] = []

    def _declare(self, route: Route) -> None:
        self.routes.append(route)


def handler() -> None: ...


@pytest.mark.parametrize("method", METHODS)
def test_each_method_declares_and_returns_the_function(method: str) -> None:
    recorder = Recorder()
    assert getattr(recorder, method.lower())("/a", tags=["t"])(handler) is handler
    (route,) = recorder.routes
    assert (route.method, route.path, route.options) == (method, "/a", {"tags": ["t"]})
    assert route.handler.function is handler


def test_decorator_without_a_path() -> None:
    with pytest.raises(TypeError, match="call the decorator with a path"):
        Recorder().get(handler)  # type: ignore[arg-type]


def test_every_option_is_accepted() -> None:
    options = {
        "name": "n",
        "response_model": dict,
        "status_code": 201,
        "validate_response": False,
        "guards": [],
        "auth": (),
        "tags": ["a"],
        "summary": "s",
        "description": "d",
        "response_class": dict,
        "include_in_schema": True,
    }
    check_options("h", options)
    check_options("h", dict.fromkeys(options))


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"colour": "red"}, TypeError, "h: unknown route option 'colour'; the options are name, response_model"),
        ({"status_code": "201"}, TypeError, "option status_code is '201', expected int"),
        ({"tags": "users"}, TypeError, "option tags is 'users', expected list or tuple or set"),
        ({"status_code": 99}, ValueError, "expected 200 to 599"),
        ({"status_code": 600}, ValueError, "expected 200 to 599"),
        ({"guards": [object()]}, ImproperlyConfigured, "cannot be enforced"),
        ({"auth": [object()]}, ImproperlyConfigured, "cannot be enforced"),
    ],
)
def test_wrong_options(options: dict[str, Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        check_options("h", options)


def test_key_ignores_parameter_names() -> None:
    recorder = Recorder()
    for path in ("/a/{x}/{y:path}", "/a/{z}/{w:path}", "/a/{x}/{y}"):
        recorder.get(path)(handler)
    first, second, third = (route.key() for route in recorder.routes)
    assert first == second != third
