"""APIs to one compiled application: what ``runbolt`` and the tests hand to ``_core.Server``."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from django_bolt import _core
from django_bolt._hooks import Hooks
from django_bolt._registration import ErrorFormatter, Registered
from django_bolt._route import refuse_unenforced_security
from django_bolt.api import BoltAPI

_logger = logging.getLogger("django_bolt")

_CORE_SETTINGS = ("BOLT_TRUSTED_PROXIES",)
_SECURITY_SETTINGS = {"BOLT_AUTHENTICATION_CLASSES": "auth", "BOLT_DEFAULT_PERMISSION_CLASSES": "guards"}


def build_app(apis: Iterable[BoltAPI]) -> _core.App:
    """Compile the routes of all APIs into one application.

    Raises ImproperlyConfigured when two APIs serve the same method and path, have different error formatters, or when
    the settings ask for authentication this version does not have.
    """
    apis = tuple(apis)
    _refuse_unenforced_settings()
    formatter = _common_error_formatter(apis)
    _mention_inert_options(apis)
    values = {name: getattr(settings, name) for name in _CORE_SETTINGS if hasattr(settings, name)}
    app = _core.App(Hooks(formatter), custom_errors=formatter is not None, settings=values)
    for registered in collect_routes(apis):
        app.add_route(registered.spec)
    return app


def collect_routes(apis: Iterable[BoltAPI]) -> tuple[Registered, ...]:
    """The routes of all APIs in order. Raises ImproperlyConfigured when two APIs serve the same method and path."""
    routes: dict[tuple[str, str], Registered] = {}
    for api in apis:
        for registered in api.routes:
            first = routes.setdefault(registered.route.key(), registered)
            if first is not registered:
                where = f"{registered.route.method} {registered.route.path}"
                raise ImproperlyConfigured(f"{where} is served by {first.spec.name} and by {registered.spec.name}")
    return tuple(routes.values())


@asynccontextmanager
async def lifespans(apis: Sequence[BoltAPI]) -> AsyncIterator[None]:
    """Enter the lifespan of each API in order; leave them in reverse order."""
    async with AsyncExitStack() as stack:
        for api in apis:
            if api.lifespan is not None:
                await stack.enter_async_context(api.lifespan(api))
        yield


def _common_error_formatter(apis: Sequence[BoltAPI]) -> ErrorFormatter | None:
    formatters = list(dict.fromkeys(api.error_formatter for api in apis if api.error_formatter is not None))
    if len(formatters) > 1:
        raise ImproperlyConfigured(f"the APIs have different error formatters: {formatters!r}")
    return formatters[0] if formatters else None


def _refuse_unenforced_settings() -> None:
    for name, option in _SECURITY_SETTINGS.items():
        value: Any = getattr(settings, name, None)
        refuse_unenforced_security(f"settings.{name}", {option: value})


def _mention_inert_options(apis: Sequence[BoltAPI]) -> None:
    for api in apis:
        if api.middleware or api.django_middleware:
            _logger.warning("BoltAPI(prefix=%r): middleware is accepted but not run by this version", api.prefix)
