"""A handler's signature to the table the C binder executes.

Inference (no marker): a name in the path is a path parameter, ``request`` and ``req`` are the request, a Struct or
dataclass is the JSON body, everything else is a query parameter. All misuse is refused here, at registration, with
the handler, the parameter and the fix; per request nothing looks at a signature.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django_bolt._handler import Handler
from django_bolt._parameter import Parameter
from django_bolt._plan import ParamSpec, Source

BODYLESS_METHODS = frozenset(("GET", "HEAD", "DELETE", "OPTIONS"))


def compile_parameters(handler: Handler, method: str, captures: Sequence[str]) -> tuple[ParamSpec, ...]:
    """The binder's table for one method and path; ``captures`` are the names of the ``{}`` segments in order.

    Raises TypeError naming handler and parameter, NotImplementedError for sources that do not exist yet.
    """
    specs = tuple(Parameter(handler, parameter, captures).compile() for parameter in handler.parameters)
    _refuse_body(handler, method, specs)
    _refuse_conflicts(handler, specs)
    positional = (spec for spec in specs if not spec.keyword_only)
    return (*positional, *(spec for spec in specs if spec.keyword_only))


def _refuse_body(handler: Handler, method: str, specs: Sequence[ParamSpec]) -> None:
    if method not in BODYLESS_METHODS:
        return
    for spec in specs:
        if spec.source is Source.BODY:
            fix = "mark it Query() to read its fields from the query string, or use POST, PUT, PATCH or QUERY"
            raise handler.refuse(TypeError, spec.name, f"{method} requests carry no body; {fix}")


def _refuse_conflicts(handler: Handler, specs: Sequence[ParamSpec]) -> None:
    """Two readers of one key must read the same type: one of them would be told a lie about its value."""
    seen: dict[tuple[Source, str], tuple[str, ParamSpec]] = {}
    for owner, spec in _keyed(specs):
        first_owner, first = seen.setdefault((spec.source, spec.key), (owner, spec))
        same = (spec.kind, spec.container, spec.choices) == (first.kind, first.container, first.choices)
        if not same:
            where = f"{spec.source.name.lower()} key {spec.key!r}"
            raise handler.refuse(TypeError, owner, f"reads {where}, which {first_owner!r} reads as another type")


def _keyed(specs: Sequence[ParamSpec]) -> Iterator[tuple[str, ParamSpec]]:
    """(parameter name, row) of everything read by key, the fields of groups included."""
    for spec in specs:
        if spec.group is not None:
            yield from ((spec.name, field) for field in spec.group.fields)
        elif spec.source not in (Source.BODY, Source.REQUEST):
            yield spec.name, spec
