"""One parameter of a handler: annotation, marker and default to a row of the binder's table."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_origin

import django.http

from django_bolt._annotations import is_marker, is_struct_like, peel, struct_like_members
from django_bolt._body import body_decoder
from django_bolt._decode import converter
from django_bolt._fields import declared_fields, forbids_unknown_fields
from django_bolt._handler import Handler
from django_bolt._plan import GroupSpec, ParamSpec, Source
from django_bolt._text import Reading, read_text, shortest_length
from django_bolt.params import REQUIRED, Depends, Param
from django_bolt.request import Request

_REQUEST_NAMES = ("request", "req")
_GROUP_SOURCES = (Source.QUERY, Source.HEADER, Source.COOKIE)
_LATER: dict[Source, str] = {Source.FORM: "Form()", Source.FILE: "File()", Source.DEPENDS: "Depends()"}


class Parameter:
    """One parameter on its way from annotation and default to ``ParamSpec``."""

    def __init__(self, handler: Handler, parameter: inspect.Parameter, captures: Sequence[str]) -> None:
        self.handler = handler
        self.name = parameter.name
        self.captures = captures
        self.keyword_only = parameter.kind is parameter.KEYWORD_ONLY
        self.default: Any = REQUIRED if parameter.default is parameter.empty else parameter.default
        try:
            self.peeled = peel(handler.hints.get(self.name, Any))
            self.marker = self._find_marker()
        except TypeError as exc:
            raise self.refuse(TypeError, str(exc)) from exc

    def refuse(self, kind: type[Exception], problem: str) -> Exception:
        """The registration error for this parameter."""
        return self.handler.refuse(kind, self.name, problem)

    def _find_marker(self) -> Param | Depends | None:
        """The one marker of the parameter; a marker given as default value is taken out of ``self.default``."""
        found: list[Param | Depends] = list(self.peeled.markers)
        for marker in found:
            if isinstance(marker, Param) and marker.has_default:
                raise TypeError(
                    f"the marker in Annotated carries the default {marker.default!r}; "
                    f"write it after the annotation: {self.name}: Annotated[...] = {marker.default!r}"
                )
        if is_marker(self.default):
            found.append(self.default)
            self.default = self.default.default if isinstance(self.default, Param) else REQUIRED
        if len(found) > 1:
            raise TypeError(f"has {len(found)} markers; keep one")
        return found[0] if found else None

    def compile(self) -> ParamSpec:
        """The row of the table. Raises TypeError, or NotImplementedError for sources that do not exist yet."""
        source = self._source()
        if source is Source.REQUEST:
            return ParamSpec(self.name, source, required=False, keyword_only=self.keyword_only)
        if source in _LATER:
            raise self.refuse(NotImplementedError, f"{_LATER[source]} parameters are not available in this version")
        try:
            spec = self._compile_body() if source is Source.BODY else self._compile_keyed(source)
        except TypeError as exc:
            raise self.refuse(TypeError, str(exc)) from exc
        return self._with_default(replace(spec, keyword_only=self.keyword_only))

    def _source(self) -> Source:
        if isinstance(self.marker, Depends):
            return Source.DEPENDS
        if self.marker is not None:
            return Source[self.marker.source.upper()]
        if self.name in _REQUEST_NAMES or self._is_request_type():
            return Source.REQUEST
        if self.name in self.captures:
            return Source.PATH
        return Source.BODY if struct_like_members(self.peeled.core) else Source.QUERY

    def _is_request_type(self) -> bool:
        cls = get_origin(self.peeled.core) or self.peeled.core
        bases = getattr(cls, "__mro__", ())  # issubclass() refuses protocols
        return Request in bases or django.http.HttpRequest in bases

    def _compile_body(self) -> ParamSpec:
        marker = self.marker
        embed_key = (marker.alias or self.name) if isinstance(marker, Param) and marker.embed else None
        decode = body_decoder(self.peeled.rebuilt(), embed_key)
        return ParamSpec(self.name, Source.BODY, key=self.name, decode=decode)

    def _compile_keyed(self, source: Source) -> ParamSpec:
        marker = self.marker if isinstance(self.marker, Param) else Param(source.name.lower())
        key = _wire_key(source, self.name, marker.alias)
        capture = -1
        if source is Source.PATH:
            if key not in self.captures:
                segments = ", ".join(f"{{{name}}}" for name in self.captures) or "none"
                raise TypeError(f"Path() names {{{key}}}, but the segments of the path are: {segments}")
            capture = self.captures.index(key)
        if is_struct_like(self.peeled.core):
            if source not in _GROUP_SOURCES:
                raise TypeError("a Struct cannot be read from one path segment; declare its fields one by one")
            return ParamSpec(self.name, source, key, group=_compile_group(self.peeled.core, source))
        reading = read_text(self.peeled, marker.constraints.given())
        length = shortest_length(self.peeled.core)
        if source is not Source.QUERY and length > 1:
            raise TypeError(f"a {source.name.lower()} holds one value, the declared tuple needs {length}")
        return replace(_text_spec(self.name, source, key, reading), capture=capture)

    def _with_default(self, spec: ParamSpec) -> ParamSpec:
        """Apply the default; an optional type without one defaults to None. A path segment is always there."""
        if spec.source is Source.PATH or (self.default is REQUIRED and not self.peeled.optional):
            return spec
        default = None if self.default is REQUIRED else self.default
        if isinstance(default, list | dict | set):  # a handler that changes it must not change it for the next
            return replace(spec, required=False, default_factory=default.copy)
        return replace(spec, required=False, default=default)


def _wire_key(source: Source, name: str, alias: str | None) -> str:
    """The name looked up on the wire; header names are case-insensitive and spelled with dashes."""
    if source is Source.HEADER:
        return alias.lower() if alias else name.lower().replace("_", "-")
    return alias or name


def _text_spec(name: str, source: Source, key: str, reading: Reading) -> ParamSpec:
    return ParamSpec(
        name,
        source,
        key,
        kind=reading.kind,
        container=reading.container,
        choices=reading.choices,
        check=reading.check,
    )


def _compile_group(core: Any, source: Source) -> GroupSpec:
    """A declared object whose fields are keys of their own. Raises TypeError for a type msgspec cannot build."""
    specs = []
    for field in declared_fields(core):
        renamed = field.wire_name if field.wire_name != field.name else None
        key = _wire_key(source, field.name, renamed)
        spec = _text_spec(field.wire_name, source, key, read_text(peel(field.annotation), {}))
        specs.append(replace(spec, required=field.required))
    known = frozenset(spec.key for spec in specs) if source is Source.QUERY and forbids_unknown_fields(core) else None
    return GroupSpec(tuple(specs), converter(core, strict=False), known)
