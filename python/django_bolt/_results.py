"""The declared result of a handler (return annotation or ``response_model``), compiled at registration.

Two records come out: ``ResultSpec`` for C, which converts and encodes the common shapes, and ``ResultPlan`` for
``_finalize``, which answers the rest (querysets, models, Response objects, results by status).
"""

from __future__ import annotations

import collections.abc
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

import django.http
import msgspec
from django.db import models
from django.db.models.manager import BaseManager

from django_bolt._annotations import is_struct_like, is_union, peel, struct_like_members
from django_bolt._decode import converter
from django_bolt._handler import Handler
from django_bolt._plan import ResultKind, ResultSpec
from django_bolt._route import RouteOptions
from django_bolt._tree import Declared
from django_bolt.responses import Response

_SCALARS: tuple[Any, ...] = (str, bytes, bytearray, int, float, bool, type(None))
_ANYTHING: tuple[Any, ...] = (Any, object)
_MAPPINGS: tuple[Any, ...] = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_SEQUENCES: tuple[Any, ...] = (list, set, frozenset, tuple, collections.abc.Sequence)
_LOOSE_KEYS: tuple[Any, ...] = (str, Any, object)
_RESPONSES = (Response, django.http.HttpResponseBase)
_ANSWERED_ELSEWHERE = (
    *_RESPONSES,
    models.QuerySet,
    models.Model,
    BaseManager,
    collections.abc.Iterator,
    collections.abc.AsyncIterable,
)


@dataclass(frozen=True, slots=True)
class ResultPlan:
    """What ``_finalize`` needs to know of the declared result.

    ``declared`` is the checked type, ``Any`` when nothing is. ``convert`` is None when results are not validated;
    it reads mappings and, in place of models, what ``_models.read`` made of them. ``by_status`` is the dict form of
    ``response_model``; its handlers return ``(status, data)``. ``at`` is ``declared`` taken apart.
    """

    status: int = 200
    declared: Any = Any
    convert: Callable[[Any], Any] | None = None
    allow_none: bool = False
    by_status: Mapping[Any, Declared] | None = None
    at: Declared = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", Declared(self.declared))


@dataclass(frozen=True, slots=True)
class CompiledResult:
    """Both records of one route."""

    spec: ResultSpec
    plan: ResultPlan


def compile_result(handler: Handler, options: RouteOptions, *, validate: bool) -> CompiledResult:
    """Raises TypeError for a type that cannot be checked, ValueError for a ``response_model`` dict without a status."""
    declared = options["response_model"] if "response_model" in options else handler.hints.get("return", _NOTHING)
    status = options.get("status_code")
    chosen = options.get("validate_response")
    if isinstance(declared, dict):
        return _compile_by_status(handler, declared, status)
    return _compile_single(handler, declared, status or 200, validate=validate if chosen is None else chosen)


class _Nothing:
    """No declaration at all, which differs from ``-> None``."""


_NOTHING = _Nothing()


def _compile_by_status(handler: Handler, declared: Mapping[Any, Any], status: int | None) -> CompiledResult:
    statuses = sorted(key for key in declared if isinstance(key, int) and not isinstance(key, bool))
    wrong = [key for key in declared if key is not Ellipsis and key not in statuses]
    if wrong or not statuses:
        keys = "int statuses (and ... for the rest)"
        raise ValueError(f"{handler.name}: the keys of a response_model dict are {keys}, got {list(declared)!r}")
    default = status or next((key for key in statuses if 200 <= key <= 299), 200)
    by_status = {key: Declared(annotation) for key, annotation in declared.items()}
    plan = ResultPlan(status=default, by_status=by_status, allow_none=True)
    return CompiledResult(ResultSpec(ResultKind.FINALIZE, default, allow_none=True), plan)


def _compile_single(handler: Handler, declared: Any, status: int, *, validate: bool) -> CompiledResult:
    if declared is _NOTHING or (declared is None and not validate):
        return CompiledResult(ResultSpec(status=status), ResultPlan(status))
    core, allow_none = _without_responses(declared)
    if is_unchecked(core):
        return CompiledResult(
            ResultSpec(status=status, allow_none=allow_none), ResultPlan(status, Any, None, allow_none)
        )
    if not validate:
        plan = ResultPlan(status, core, None, allow_none)
        return CompiledResult(ResultSpec(status=status, allow_none=allow_none), plan)
    try:
        convert = result_converter(core)
    except TypeError as exc:
        fix = "declare a type msgspec can check, or pass validate_response=False"
        raise TypeError(f"{handler.name}: the declared result {core!r} cannot be checked: {exc}; {fix}") from exc
    exact = (get_origin(core) or core) if is_struct_like(core) else None
    spec = ResultSpec(ResultKind.CONVERT, status, exact, convert, allow_none)
    return CompiledResult(spec, ResultPlan(status, core, convert, allow_none))


def _without_responses(declared: Any) -> tuple[Any, bool]:
    """(the declared data type without Response classes, whether None is declared)."""
    peeled = peel(declared)
    core, allow_none = peeled.core, peeled.optional
    if is_union(core):
        members = [member for member in get_args(core) if not _is_response(member)]
        core = functools.reduce(lambda left, right: left | right, members) if members else Any
    elif core is None or core is type(None) or core is Any:
        return Any, True
    if peeled.metas and core is peeled.core:
        core = peeled.required_type()
    return core, allow_none


def _is_response(core: Any) -> bool:
    return isinstance(core, type) and issubclass(core, _RESPONSES)


def is_unchecked(core: Any) -> bool:
    """True for declarations that say nothing about the data: builtins, responses, models, querysets, streams."""
    cls = get_origin(core) or core
    if core in _SCALARS or core in _ANYTHING or (isinstance(cls, type) and issubclass(cls, _ANSWERED_ELSEWHERE)):
        return True
    arguments = [argument for argument in get_args(core) if argument is not Ellipsis]
    if cls in _MAPPINGS:
        return all(key in _LOOSE_KEYS for key in arguments[:1]) and all(_is_loose(item) for item in arguments[1:])
    return cls in _SEQUENCES and all(_is_loose(item) for item in arguments)


def _is_loose(item: Any) -> bool:
    """True for item types that are not worth a check: anything, plain containers, models. ``list[int]`` is checked."""
    core = peel(item).core
    return core not in _SCALARS and is_unchecked(core)


def result_converter(core: Any) -> Callable[[Any], Any]:
    """``data -> data of the declared type``. Unions of untagged Structs are tried in order, which msgspec refuses.

    Raises TypeError for a type that cannot be checked. The result raises ``msgspec.ValidationError``.
    """
    members = struct_like_members(core)
    if len(members) < 2:
        return converter(core, strict=True)
    try:
        return converter(core, strict=True)
    except TypeError:
        return _first_that_fits(members)


def _first_that_fits(members: tuple[Any, ...]) -> Callable[[Any], Any]:
    converters = [converter(member, strict=True) for member in members]
    classes = tuple(get_origin(member) or member for member in members)
    names = " | ".join(cls.__name__ for cls in classes)

    def convert(value: Any) -> Any:
        if isinstance(value, classes):
            return value
        for attempt in converters:
            try:
                return attempt(value)
            except msgspec.ValidationError:
                continue
        raise msgspec.ValidationError(f"Expected `{names}`, got `{type(value).__name__}`")

    return convert
