"""The start-up message."""

from __future__ import annotations

from typing import Any, cast

import pytest

from django_bolt._application import Application
from django_bolt._banner import banner
from django_bolt._options import Address, ServeOptions


def lines(options: ServeOptions, routes: int = 2, names: tuple[str, ...] = ("a.api:api",)) -> list[str]:
    application = Application(cast(Any, None), (), names, routes)
    return banner(Address("::1", 80), application, options)


@pytest.mark.parametrize(
    ("routes", "names", "expected"),
    [
        (1, ("a.api:api",), "Serving 1 route of a.api:api on http://[::1]:80"),
        (0, ("a.api:api", "b:x"), "Serving 0 routes of a.api:api, b:x on http://[::1]:80"),
    ],
)
def test_first_line(routes: int, names: tuple[str, ...], expected: str) -> None:
    assert lines(ServeOptions(), routes, names)[0] == expected


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (ServeOptions(), "  One process on "),
        (ServeOptions(respawn=True), "  1 worker process on "),
        (ServeOptions(processes=4), "  4 worker processes on "),
        (ServeOptions(dev=True), "  Development mode: one process, restarted when a source file changes, on "),
        (ServeOptions(access_log=True), "  Access log on standard error. "),
        (ServeOptions(), "  Access log off (--access-log). "),
    ],
)
def test_the_rest(options: ServeOptions, text: str) -> None:
    assert any(line.startswith(text) for line in lines(options))
