"""Routes grouped under a prefix, to be included in an API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from django_bolt._paths import join_paths
from django_bolt._route import Route, RouteDecorators, RouteOptions, refuse_unenforced_security


class Router(RouteDecorators):
    """A group of routes with defaults of its own.

    ``tags``, ``auth`` and ``guards`` are defaults of this router's own routes, not of routers included in it;
    ``middleware`` applies to both. The decorators are those of BoltAPI.
    """

    def __init__(
        self,
        prefix: str = "",
        tags: Sequence[str] | None = None,
        dependencies: Sequence[Any] | None = None,
        middleware: Sequence[Any] | None = None,
        auth: Sequence[Any] | None = None,
        guards: Sequence[Any] | None = None,
        parent: Router | None = None,
    ) -> None:
        self.prefix = prefix
        self.tags = list(tags or ())
        self.dependencies = list(dependencies or ())
        self.middleware = list(middleware or ())
        self.auth = auth
        self.guards = guards
        self.parent = parent
        self._own_routes: list[Route] = []
        self._children: list[Router] = []
        refuse_unenforced_security(f"Router({prefix!r})", {"auth": auth, "guards": guards})

    def include_router(self, router: Router, prefix: str = "") -> None:
        """Nest another router under this one; ``prefix`` goes in front of its own. Raises TypeError for a non-Router,
        ValueError when a router would contain itself."""
        if not isinstance(router, Router):
            raise TypeError(f"include_router expects a Router, got {router!r}")
        if router is self or self in router._descendants():
            raise ValueError(f"Router({router.prefix!r}) cannot be included in itself")
        if prefix:
            router.prefix = join_paths(prefix, router.prefix).rstrip("/")
        router.parent = self
        self._children.append(router)

    def get_all_routes(self) -> list[Route]:
        """Every route of this router and of the routers in it; paths carry the prefixes, this router's included."""
        routes = [replace(route, path=join_paths(self.prefix, route.path)) for route in self._own_routes]
        for child in self._children:
            routes += [replace(route, path=join_paths(self.prefix, route.path)) for route in child.get_all_routes()]
        return routes

    def get_middleware_chain(self) -> list[Any]:
        """Middleware from the outermost router to this one."""
        outer = self.parent.get_middleware_chain() if self.parent is not None else []
        return [*outer, *self.middleware]

    def _declare(self, route: Route) -> None:
        defaults: RouteOptions = {"tags": self.tags} if self.tags and not route.options.get("tags") else {}
        options: RouteOptions = {**route.options, **defaults}
        self._own_routes.append(replace(route, options=options))

    def _descendants(self) -> Iterator[Router]:
        for child in self._children:
            yield child
            yield from child._descendants()
