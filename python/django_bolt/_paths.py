"""Route paths: joining prefixes, the trailing-slash rule, the names of the ``{}`` segments."""

from __future__ import annotations

import re

_CAPTURE = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")
_WHOLE_SEGMENT = re.compile(r"\{[^{}:]+(:[^{}]*)?\}")
_SLASHES = re.compile(r"/{2,}")


def join_paths(*parts: str) -> str:
    """Prefixes and a path as one path that starts with a slash; runs of slashes are one. "" and "/" are the root."""
    *prefixes, path = parts
    joined = "/".join(("", *(prefix.strip("/") for prefix in prefixes), path.removeprefix("/")))
    return _SLASHES.sub("/", joined)


def apply_trailing_slash(path: str, rule: str) -> str:
    """The registered form of a path: "strip" or "append" its final slash; any other rule keeps it as written.

    The root and a path that ends in ``{name:path}`` (which captures slashes) are left alone.
    """
    if path == "/" or path.endswith(":path}"):
        return path
    if rule == "strip":
        return path.rstrip("/")
    if rule == "append" and not path.endswith("/"):
        return path + "/"
    return path


def check_pattern(path: str) -> None:
    """Raises ValueError for a path the router does not accept, saying what is wrong with which segment."""
    segments = path.split("/")
    names = capture_names(path)
    for segment in segments:
        if ("{" in segment or "}" in segment) and not _WHOLE_SEGMENT.fullmatch(segment):
            raise ValueError(f"path {path!r}: segment {segment!r} must be {{name}} or {{name:path}} as a whole")
    for segment in segments[:-1]:
        if segment.endswith(":path}"):
            raise ValueError(f"path {path!r}: {segment!r} takes the rest of the path, so nothing may follow it")
    if len(set(names)) < len(names):
        raise ValueError(f"path {path!r} names two segments alike; give each parameter its own name")


def capture_names(path: str) -> tuple[str, ...]:
    """The names of the ``{name}`` and ``{name:path}`` segments in order."""
    return tuple(match[1] for match in _CAPTURE.finditer(path))
