"""Joining prefixes, the trailing-slash rule, capture names."""

from __future__ import annotations

import pytest

from django_bolt._paths import apply_trailing_slash, capture_names, join_paths


@pytest.mark.parametrize(
    ("parts", "joined"),
    [
        (("", "/"), "/"),
        (("", ""), "/"),
        (("", "/users"), "/users"),
        (("", "users"), "/users"),
        (("/v1", "/users"), "/v1/users"),
        (("/v1/", "/users/"), "/v1/users/"),
        (("v1", "users"), "/v1/users"),
        (("/v1", ""), "/v1/"),
        (("/v1", "/"), "/v1/"),
        (("/v1", "", "/users"), "/v1/users"),
        (("/a", "/b", "/c"), "/a/b/c"),
        (("", "//a///b"), "/a/b"),
    ],
)
def test_join(parts: tuple[str, ...], joined: str) -> None:
    assert join_paths(*parts) == joined


@pytest.mark.parametrize(
    ("rule", "path", "expected"),
    [
        ("strip", "/a/", "/a"),
        ("strip", "/a", "/a"),
        ("strip", "/", "/"),
        ("append", "/a", "/a/"),
        ("append", "/a/", "/a/"),
        ("append", "/", "/"),
        ("append", "/files/{rest:path}", "/files/{rest:path}"),
        ("append", "/{id}", "/{id}/"),
        ("keep", "/a/", "/a/"),
        ("keep", "/a", "/a"),
        ("whatever", "/a/", "/a/"),
    ],
)
def test_trailing_slash(rule: str, path: str, expected: str) -> None:
    assert apply_trailing_slash(path, rule) == expected


def test_capture_names() -> None:
    assert capture_names("/a/{b}/{c:int}/d/{rest:path}") == ("b", "c", "rest")
    assert capture_names("/a") == ()
