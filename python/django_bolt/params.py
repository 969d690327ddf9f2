"""Markers that tell where a handler's parameter comes from.

Use them in ``Annotated[int, Query(ge=1)]`` or as the default value, ``page: int = Query(1, ge=1)``. They are functions
typed to return ``Any`` so that the second form passes type checkers. Everything they say is checked when the route is
registered, see ``_signature``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

REQUIRED: Any = ...
"""The default of a parameter without a default."""


@dataclass(frozen=True, slots=True)
class Constraints:
    """Limits on one value; the names are those of ``msgspec.Meta``."""

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None

    def given(self) -> dict[str, Any]:
        """The limits that were set, as ``msgspec.Meta`` arguments."""
        names = ("gt", "ge", "lt", "le", "min_length", "max_length", "pattern")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Limits on an uploaded file: octets, accepted content types (wildcards allowed), number of files."""

    max_size: int | None = None
    min_size: int | None = None
    allowed_types: tuple[str, ...] | None = None
    max_files: int | None = None


@dataclass(frozen=True, slots=True)
class Param:
    """What a marker says; ``source`` is one of path, query, header, cookie, body, form, file."""

    source: str
    default: Any = REQUIRED
    alias: str | None = None
    embed: bool = False
    constraints: Constraints = field(default_factory=Constraints)
    file_limits: FileLimits = field(default_factory=FileLimits)
    description: str | None = None
    example: Any = None
    deprecated: bool | None = None

    @property
    def has_default(self) -> bool:
        """False when the parameter must be sent."""
        return self.default is not REQUIRED


@dataclass(frozen=True, slots=True)
class Depends:
    """The value is the result of ``dependency``, computed once per request unless ``use_cache`` is False."""

    dependency: Callable[..., Any]
    use_cache: bool = True


def Query(
    default: Any = REQUIRED,
    *,
    alias: str | None = None,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
    description: str | None = None,
    example: Any = None,
    deprecated: bool | None = None,
) -> Any:
    """A key of the query string; on a Struct, every field is a key."""
    limits = Constraints(gt, ge, lt, le, min_length, max_length, pattern)
    return Param("query", default, alias, False, limits, FileLimits(), description, example, deprecated)


def Path(
    default: Any = REQUIRED,
    *,
    alias: str | None = None,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
    description: str | None = None,
    example: Any = None,
    deprecated: bool | None = None,
) -> Any:
    """A ``{segment}`` of the path; ``alias`` names the segment. Raises ValueError for a default."""
    if default is not REQUIRED:
        raise ValueError(f"Path({default!r}): a path parameter is always present and takes no default; remove it")
    limits = Constraints(gt, ge, lt, le, min_length, max_length, pattern)
    return Param("path", REQUIRED, alias, False, limits, FileLimits(), description, example, deprecated)


def Header(
    default: Any = REQUIRED,
    *,
    alias: str | None = None,
    description: str | None = None,
    example: Any = None,
    deprecated: bool | None = None,
) -> Any:
    """A request header: ``alias``, or the parameter's name with ``_`` read as ``-``."""
    return Param("header", default, alias, description=description, example=example, deprecated=deprecated)


def Cookie(
    default: Any = REQUIRED,
    *,
    alias: str | None = None,
    description: str | None = None,
    example: Any = None,
    deprecated: bool | None = None,
) -> Any:
    """A request cookie: ``alias``, or the parameter's name as it is."""
    return Param("cookie", default, alias, description=description, example=example, deprecated=deprecated)


def Body(
    default: Any = REQUIRED,
    *,
    alias: str | None = None,
    embed: bool = False,
    description: str | None = None,
    example: Any = None,
) -> Any:
    """The JSON content, of any type. With ``embed`` the value is under one key, the alias or the parameter's name."""
    return Param("body", default, alias, embed, description=description, example=example)


def Form(
    default: Any = REQUIRED,
    *,
    alias: str | None = None,
    description: str | None = None,
    example: Any = None,
) -> Any:
    """A field of an urlencoded or multipart form."""
    return Param("form", default, alias, description=description, example=example)


def File(
    default: Any = REQUIRED,
    *,
    alias: str | None = None,
    description: str | None = None,
    max_size: int | None = None,
    min_size: int | None = None,
    allowed_types: Sequence[str] | None = None,
    max_files: int | None = None,
) -> Any:
    """An uploaded file. Raises TypeError for a text in place of the list of types, ValueError for an empty list."""
    if isinstance(allowed_types, str):
        raise TypeError(f"File(allowed_types={allowed_types!r}): pass a list, [{allowed_types!r}]")
    if allowed_types is not None and not allowed_types:
        raise ValueError("File(allowed_types=[]) refuses every file; remove it or list the accepted types")
    types = tuple(allowed_types) if allowed_types is not None else None
    limits = FileLimits(max_size, min_size, types, max_files)
    return Param("file", default, alias, file_limits=limits, description=description)
