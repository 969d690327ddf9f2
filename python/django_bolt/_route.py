"""A route as it was declared: method, path, handler and the options of the decorator.

``RouteDecorators`` gives BoltAPI and Router the same ``get``, ``post``, ...; what becomes of a declared route is
their own affair (``_declare``).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar, Unpack

from django.core.exceptions import ImproperlyConfigured

from django_bolt._handler import Handler, inspect_handler

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_CAPTURE_NAME = re.compile(r"\{[^{}:]*")


class RouteOptions(TypedDict, total=False):
    """Options of the route decorators; an option that is absent or None takes the default of its API or router.

    ``response_model`` is the exception: an explicit None means "no model", whatever the return annotation says.
    """

    name: str | None
    response_model: Any
    status_code: int | None
    validate_response: bool | None
    guards: Sequence[Any] | None
    auth: Sequence[Any] | None
    tags: Sequence[str] | None
    summary: str | None
    description: str | None
    response_class: type | None
    include_in_schema: bool | None


_TYPES: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "status_code": (int,),
    "validate_response": (bool,),
    "guards": (list, tuple),
    "auth": (list, tuple),
    "tags": (list, tuple, set),
    "summary": (str,),
    "description": (str,),
    "response_class": (type,),
    "include_in_schema": (bool,),
}


@dataclass(frozen=True, slots=True)
class Route:
    """One handler for one method and path."""

    method: str
    path: str
    handler: Handler
    options: RouteOptions

    def key(self) -> tuple[str, str]:
        """What two routes must not share: method and path, whatever the names of the path's parameters."""
        return self.method, _CAPTURE_NAME.sub("{", self.path)


class RouteDecorators:
    """The decorators that declare a route. Each returns the function unchanged.

    They raise TypeError, ValueError or NameError for a handler or option that cannot work, naming the handler, the
    parameter and the fix.
    """

    def get(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer GET, and HEAD without content."""
        return self._decorator("GET", path, options)

    def post(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer POST."""
        return self._decorator("POST", path, options)

    def put(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer PUT."""
        return self._decorator("PUT", path, options)

    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer PATCH."""
        return self._decorator("PATCH", path, options)

    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer DELETE."""
        return self._decorator("DELETE", path, options)

    def head(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer HEAD in place of the GET route."""
        return self._decorator("HEAD", path, options)

    def options(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer OPTIONS in place of the automatic answer."""
        return self._decorator("OPTIONS", path, options)

    def query(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Endpoint], Endpoint]:
        """Answer QUERY, the safe method that carries content."""
        return self._decorator("QUERY", path, options)

    def _decorator(self, method: str, path: str, options: RouteOptions) -> Callable[[Endpoint], Endpoint]:
        if not isinstance(path, str):
            raise TypeError(f"the path of a {method} route must be a str, got {path!r}; call the decorator with a path")

        def declare(function: Endpoint) -> Endpoint:
            handler = inspect_handler(function, sys._getframe(1))
            check_options(handler.name, options)
            self._declare(Route(method, path, handler, options))
            return function

        return declare

    def _declare(self, route: Route) -> None:
        raise NotImplementedError


def check_options(owner: str, options: Mapping[str, Any]) -> None:
    """Raises TypeError or ValueError for unknown or ill-typed options, ImproperlyConfigured for guards and auth."""
    for option, value in options.items():
        if option == "response_model" or value is None:
            continue
        if option not in _TYPES:
            known = ", ".join(RouteOptions.__annotations__)
            raise TypeError(f"{owner}: unknown route option {option!r}; the options are {known}")
        if not isinstance(value, _TYPES[option]):
            expected = " or ".join(cls.__name__ for cls in _TYPES[option])
            raise TypeError(f"{owner}: option {option} is {value!r}, expected {expected}")
    status = options.get("status_code")
    if status is not None and not 200 <= status <= 599:
        raise ValueError(f"{owner}: status_code is {status}, expected 200 to 599")
    refuse_unenforced_security(owner, options)


def refuse_unenforced_security(owner: str, options: Mapping[str, Any]) -> None:
    """Guards that would not be enforced must never be accepted in silence. Raises ImproperlyConfigured."""
    for option in ("guards", "auth"):
        if options.get(option):
            raise ImproperlyConfigured(
                f"{owner}: {option}={options[option]!r} cannot be enforced by this version of django_bolt, "
                f"which has no authentication yet; remove {option} only if the route may be public"
            )
