"""Joining prefixes, the trailing-slash rule, capture names."""

from __future__ import annotations

import pytest

from django_bolt._paths import apply_trailing_slash, capture_names, check_pattern, join_paths
from django_bolt._plan import RouteSpec
from django_bolt._serve import build_app


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


@pytest.mark.parametrize("path", ["/", "/a", "/a/", "/{a}", "/a/{b}/c/{d:int}/{e:path}", "/a.b-c~d/{x_1}", "/é/{n}"])
def test_good_patterns(path: str) -> None:
    check_pattern(path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/a/{b", "segment '{b' must be {name}"),
        ("/a/b}", "segment 'b}' must be {name}"),
        ("/{}", "segment '{}' must be {name}"),
        ("/{:path}", "must be {name}"),
        ("/a{b}", "segment 'a{b}' must be"),
        ("/{a}{b}", "must be"),
        ("/{{a}}", "must be"),
        ("/{a:path}/b", "nothing may follow it"),
        ("/{a:path}/", "nothing may follow it"),
        ("/{a}/{a}", "names two segments alike"),
    ],
)
def test_bad_patterns(path: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        check_pattern(path)


def test_the_router_agrees() -> None:
    app = build_app([])
    for path in ("/{b", "/{}", "/a{b}", "/{a:path}/b", "/{a}/{a}"):
        with pytest.raises(ValueError, match=r"."):
            app.add_route(RouteSpec("GET", path, print, False, name="print"))
    app.add_route(RouteSpec("GET", "/a/{b}/c/{d:int}/{e:path}", print, False, name="print"))
