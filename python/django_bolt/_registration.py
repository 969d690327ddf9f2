"""A declared route to the record the C side executes (``RouteSpec``) and the one the hooks read (``RouteMeta``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django_bolt._paths import capture_names, check_pattern
from django_bolt._plan import RouteSpec
from django_bolt._results import ResultPlan, compile_result
from django_bolt._route import Route
from django_bolt._signature import compile_parameters
from django_bolt.exceptions import BoltError

ErrorFormatter = Callable[[BoltError, Any], Any]


@dataclass(frozen=True, slots=True)
class Owner:
    """What a route takes from the API it was declared on, wherever it is mounted."""

    validate_response: bool
    error_formatter: ErrorFormatter | None


@dataclass(frozen=True, slots=True)
class RouteMeta:
    """What the hooks need to know of the matched route."""

    name: str
    route: Route
    owner: Owner
    result: ResultPlan


@dataclass(frozen=True, slots=True)
class Registered:
    """A route of an API: as declared (with its final path) and as compiled."""

    route: Route
    owner: Owner
    spec: RouteSpec


def register(route: Route, owner: Owner) -> Registered:
    """Compile. Raises TypeError, ValueError or NotImplementedError naming handler, parameter and fix."""
    handler = route.handler
    try:
        check_pattern(route.path)
    except ValueError as exc:
        raise ValueError(f"{handler.name}: {exc}") from exc
    params = compile_parameters(handler, route.method, capture_names(route.path))
    result = compile_result(handler, route.options, validate=owner.validate_response)
    meta = RouteMeta(handler.name, route, owner, result.plan)
    spec = RouteSpec(
        method=route.method,
        path=route.path,
        handler=handler.function,
        is_async=handler.is_async,
        params=params,
        result=result.spec,
        name=handler.name,
        meta=meta,
    )
    return Registered(route, owner, spec)
