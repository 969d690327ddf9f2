"""What ``runbolt`` serves: the project's APIs, found and compiled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from django_bolt import _core
from django_bolt._discovery import AppLike, discover_apis
from django_bolt._serve import build_app, collect_routes
from django_bolt.api import BoltAPI


class ApplicationError(Exception):
    """There is nothing to serve, or the APIs do not fit together; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Application:
    """The compiled routes with the APIs they came from, which are named "module:attribute"."""

    app: _core.App
    apis: tuple[BoltAPI, ...]
    names: tuple[str, ...]
    route_count: int


def load_application(
    entries: Sequence[str] | None, root_urlconf: str | None, app_configs: Iterable[AppLike]
) -> Application:
    """Find the APIs (see ``discover_apis``) and compile their routes.

    Raises ApplicationError, or DiscoveryError as ``discover_apis`` does.
    """
    found = discover_apis(entries, root_urlconf, app_configs)
    if not found:
        raise ApplicationError(_nothing_found(entries, root_urlconf))
    apis = tuple(item.api for item in found)
    try:
        app = build_app(apis)
        route_count = len(collect_routes(apis))
    except ImproperlyConfigured as exc:
        raise ApplicationError(f"{', '.join(map(str, found))}: {exc}") from exc
    return Application(app, apis, tuple(map(str, found)), route_count)


def _nothing_found(entries: Sequence[str] | None, root_urlconf: str | None) -> str:
    if entries is not None:
        return "settings.BOLT_API is empty. List the APIs to serve, or remove the setting to have them found."
    package = root_urlconf.partition(".")[0] + "." if root_urlconf and "." in root_urlconf else ""
    return (
        f"No BoltAPI found. Write `api = BoltAPI()` in {package}api, or in the module api of an installed app; or name "
        'it in settings.BOLT_API, as in ["package.module:api"].'
    )
