"""Several APIs to one application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_bolt import JSON, BoltAPI, BoltError, Request, Response
from django_bolt._serve import build_app, collect_routes, lifespans


async def first() -> None: ...
async def second() -> None: ...


def formatter(error: BoltError, request: Request) -> Response:
    return JSON({}, error.status)


def api_with(path: str, handler: Any = first, **options: Any) -> BoltAPI:
    api = BoltAPI(**options)
    api.get(path)(handler)
    return api


def test_routes_of_all_apis() -> None:
    app = build_app([api_with("/a"), api_with("/{b}", prefix="/x")])
    kind, meta, captures = app.match("GET", "/x/7")
    assert (meta.name, list(captures)) == (f"{__name__}.first", ["7"])
    assert kind == app.match("GET", "/a")[0]


def test_one_api_listed_twice_is_one() -> None:
    api = api_with("/a")
    assert len(collect_routes([api, api])) == 1


def test_two_apis_for_one_path() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"GET /a/{y} is served by .*first and by .*second"):
        build_app([api_with("/a/{x}"), api_with("/a/{y}", second)])


def test_error_formatters_must_agree() -> None:
    build_app([BoltAPI(error_formatter=formatter), BoltAPI(), BoltAPI(error_formatter=formatter)])
    with pytest.raises(ImproperlyConfigured, match="different error formatters"):
        build_app([BoltAPI(error_formatter=formatter), BoltAPI(error_formatter=lambda error, request: JSON({}))])


@pytest.mark.parametrize("name", ["BOLT_AUTHENTICATION_CLASSES", "BOLT_DEFAULT_PERMISSION_CLASSES"])
def test_security_settings_are_never_ignored(name: str) -> None:
    with override_settings(**{name: [object()]}), pytest.raises(ImproperlyConfigured, match=name):
        build_app([BoltAPI()])
    with override_settings(**{name: []}):
        build_app([BoltAPI()])


def test_inert_middleware_is_mentioned(caplog: pytest.LogCaptureFixture) -> None:
    build_app([BoltAPI(middleware=[dict])])
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_lifespans() -> None:
    events: list[str] = []

    def lifespan(name: str) -> Any:
        @asynccontextmanager
        async def enter(api: BoltAPI) -> AsyncIterator[None]:
            events.append(f"enter {name} {api.prefix}")
            yield
            events.append(f"leave {name}")

        return enter

    async def main() -> None:
        apis = [BoltAPI("/a", lifespan=lifespan("a")), BoltAPI("/none"), BoltAPI("/b", lifespan=lifespan("b"))]
        async with lifespans(apis):
            events.append("serving")

    asyncio.run(main())
    assert events == ["enter a /a", "enter b /b", "serving", "leave b", "leave a"]
