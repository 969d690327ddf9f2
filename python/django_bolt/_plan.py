"""What registration decides and C executes: the tables handed to ``_core`` for every route.

Python inspects a handler once, when it is registered, and describes it with these records; the C binder
reads them in ``_core.Route(...)`` and never looks at a signature again. Numbers are mirrored in
``bindings/plan.h``; ``tests/python/test_plan.py`` compares the two.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


class NeedsFinalize(Exception):
    """Raised by ``hooks.encode_fallback`` for a value that is encoded only after awaiting (a queryset inside a dict).

    C drops what it has written of the result and calls ``hooks.finalize`` with the whole result instead.
    """


class Source(enum.IntEnum):
    """Where a parameter's value comes from."""

    PATH = 0
    QUERY = 1
    HEADER = 2
    COOKIE = 3
    BODY = 4
    REQUEST = 5
    FORM = 6
    FILE = 7
    DEPENDS = 8


class Kind(enum.IntEnum):
    """What a text value is converted to in C."""

    STR = 0
    INT = 1
    FLOAT = 2
    BOOL = 3
    BYTES = 4
    UUID = 5
    DATETIME = 6
    DATE = 7
    TIME = 8
    DECIMAL = 9
    CHOICE = 10  # Enum and Literal: looked up in ``choices``


class Container(enum.IntEnum):
    """The sequence type that collects repeated keys; NONE for scalars."""

    NONE = 0
    LIST = 1
    SET = 2
    FROZENSET = 3
    TUPLE = 4


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """One argument of a handler, or one field of a grouped Struct.

    ``key`` is the wire name: the ``{}`` segment name, query key, lower-case header name, cookie name.
    ``check`` (constraints of ``msgspec.Meta`` or marker arguments) receives the converted value and returns the
    value to pass on; it raises ``msgspec.ValidationError``. ``default_factory`` wins over ``default``.
    """

    name: str
    source: Source
    key: str = ""
    kind: Kind = Kind.STR
    container: Container = Container.NONE
    required: bool = True
    default: Any = None
    default_factory: Callable[[], Any] | None = None
    choices: Mapping[str, Any] | None = None
    check: Callable[[Any], Any] | None = None
    group: GroupSpec | None = None
    decode: Callable[[bytes], Any] | None = None  # BODY: content octets to value
    keyword_only: bool = False
    capture: int = -1  # PATH: index of the {} segment in the route's pattern


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """A Struct whose fields are read as keys of their own (Query(), Header(), Cookie(), Form() on a Struct).

    C converts each present field and calls ``build({field.name: value, ...})``, which returns the Struct or raises
    ``msgspec.ValidationError``; so ``name`` of a field is its msgspec encode name and ``key`` its wire key.
    ``known_keys`` is set when unknown query keys are forbidden; the route's other query parameters stay allowed.
    """

    fields: tuple[ParamSpec, ...]
    build: Callable[[dict[str, Any]], Any]
    known_keys: frozenset[str] | None = None


class ResultKind(enum.IntEnum):
    """How a handler's return value becomes a response."""

    AUTO = 0  # by run-time type: JSON, text, octets, or through hooks.finalize
    CONVERT = 1  # through ``convert`` (validation against the declared type), then AUTO's JSON
    FINALIZE = 2  # always through hooks.finalize (multi-status models, streams)


@dataclass(frozen=True, slots=True)
class ResultSpec:
    """The compiled return annotation or ``response_model``.

    ``exact`` is the type whose instances need no conversion (the declared Struct itself). ``allow_none`` lets None
    become JSON null; None is an empty content for status 204, else an error. ``convert`` knows JSON builtins, Structs
    and dataclasses only. When it raises ``msgspec.ValidationError`` C calls ``hooks.finalize`` with the untouched
    result: querysets, models and Response objects are answered there, and the 500 validation error is raised there.
    """

    kind: ResultKind = ResultKind.AUTO
    status: int = 200
    exact: type | None = None
    convert: Callable[[Any], Any] | None = None
    allow_none: bool = False


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """Everything ``_core.App.add_route`` needs. ``meta`` is handed back to the hooks untouched.

    ``cancel_on_disconnect`` cancels the task of a suspended request when its client is gone; sync handlers, which may
    be in the middle of anything, always run to their end.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    is_async: bool
    params: tuple[ParamSpec, ...] = ()
    result: ResultSpec = field(default_factory=ResultSpec)
    name: str = ""  # "module.qualname", used in messages
    meta: Any = None
    cancel_on_disconnect: bool = True
