"""BoltAPI: the object a project declares its routes on. A facade over registration; it holds no request logic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from django_bolt import _api_options as checks
from django_bolt._paths import apply_trailing_slash, join_paths
from django_bolt._registration import ErrorFormatter, Owner, Registered, register
from django_bolt._route import Route, RouteDecorators
from django_bolt.router import Router

Lifespan = Callable[["BoltAPI"], AbstractAsyncContextManager[Any]]


class BoltAPI(RouteDecorators):
    """Routes with common settings.

    ::

        api = BoltAPI(prefix="/v1")

        @api.get("/users/{user_id}")
        async def read_user(user_id: int) -> UserSchema:
            return await User.objects.aget(pk=user_id)

    ``prefix`` goes in front of every path. ``trailing_slash`` is the registered form of paths: "strip", "append", or
    "keep". ``validate_response`` is the default for checking results against their declared type. ``lifespan`` is
    called with the API and entered around serving. ``error_formatter`` turns every error the framework answers
    into a Response. Middleware, logging, compression and OpenAPI options are checked and kept.

    Raises TypeError, ValueError or ImportError for an option that cannot work.
    """

    def __init__(
        self,
        prefix: str = "",
        trailing_slash: str = "strip",
        namespace: str | None = None,
        middleware: Sequence[Any] | None = None,
        django_middleware: bool | Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        enable_logging: bool = True,
        logging_config: Any = None,
        compression: Any = None,
        openapi_config: Any = None,
        validate_response: bool = True,
        include_in_schema: bool | None = None,
        lifespan: Lifespan | None = None,
        error_formatter: ErrorFormatter | None = None,
    ) -> None:
        self.prefix = checks.check_text("prefix", prefix).rstrip("/")
        self.trailing_slash = checks.check_text("trailing_slash", trailing_slash)
        self.namespace = None if namespace is None else checks.check_text("namespace", namespace)
        self.middleware = checks.check_middleware(middleware)
        self.django_middleware = checks.check_django_middleware(django_middleware)
        self.enable_logging = checks.check_flag("enable_logging", enable_logging)
        self.logging_config = checks.check_configuration("logging_config", logging_config, can_be_off=False)
        self.compression = checks.check_configuration("compression", compression, can_be_off=True)
        self.openapi_config = checks.check_configuration("openapi_config", openapi_config, can_be_off=True)
        self.validate_response = checks.check_flag("validate_response", validate_response)
        self.include_in_schema = checks.check_flag("include_in_schema", include_in_schema, optional=True)
        self.lifespan: Lifespan | None = checks.check_lifespan(lifespan)
        self.error_formatter: ErrorFormatter | None = checks.check_error_formatter(error_formatter)
        self._owner = Owner(self.validate_response, self.error_formatter)
        self._registered: dict[tuple[str, str], Registered] = {}

    @property
    def routes(self) -> tuple[Registered, ...]:
        """Every route, in the order of registration; of two for one method and path the later one."""
        return tuple(self._registered.values())

    def include_router(self, router: Router, prefix: str = "") -> None:
        """Copy the routes a router has now, under ``prefix``. Raises TypeError for a non-Router."""
        if not isinstance(router, Router):
            raise TypeError(f"include_router expects a Router, got {router!r}; mount another BoltAPI with mount()")
        for route in router.get_all_routes():
            self._declare(replace(route, path=join_paths(prefix, route.path)))

    def mount(self, path: str, api: BoltAPI) -> None:
        """Copy the routes another API has now, under ``path``.

        They keep their own API's response validation and error formatter; paths take this API's trailing-slash rule.
        Raises TypeError for a non-API, ValueError for an API mounted in itself or with another error formatter.
        """
        if not isinstance(api, BoltAPI):
            raise TypeError(f"mount expects a BoltAPI, got {api!r}; include a Router with include_router()")
        if api is self:
            raise ValueError("an API cannot be mounted in itself")
        if api.error_formatter is not None and api.error_formatter is not self.error_formatter:
            raise ValueError(f"the API mounted at {path!r} has another error_formatter than the API it is mounted in")
        for mounted in api.routes:
            self._register(replace(mounted.route, path=join_paths(path, mounted.route.path)), mounted.owner)

    def _declare(self, route: Route) -> None:
        self._register(route, self._owner)

    def _register(self, route: Route, owner: Owner) -> None:
        path = apply_trailing_slash(join_paths(self.prefix, route.path), self.trailing_slash)
        registered = register(replace(route, path=path), owner)
        self._registered.pop(registered.route.key(), None)
        self._registered[registered.route.key()] = registered
