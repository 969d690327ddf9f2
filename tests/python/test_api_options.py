"""Checks of constructor options that BoltAPI's own tests do not reach."""

from __future__ import annotations

from typing import Any

import pytest

from django_bolt import _api_options as checks


class AsyncCallable:
    async def __call__(self, error: Any, request: Any) -> None: ...


class PlainCallable:
    def __call__(self, error: Any, request: Any) -> None: ...


def test_error_formatter_objects() -> None:
    plain = PlainCallable()
    assert checks.check_error_formatter(plain) is plain
    with pytest.raises(TypeError, match="is async"):
        checks.check_error_formatter(AsyncCallable())


def test_configuration_may_be_off_only_where_allowed() -> None:
    assert checks.check_configuration("x", False, can_be_off=True) is False
    with pytest.raises(TypeError, match="x must be a configuration object or None"):
        checks.check_configuration("x", False, can_be_off=False)


def test_optional_flag() -> None:
    assert checks.check_flag("x", None, optional=True) is None
    with pytest.raises(TypeError, match="x must be True, False or None"):
        checks.check_flag("x", 1, optional=True)


def test_middleware_is_copied() -> None:
    given: list[Any] = [PlainCallable]
    kept = checks.check_middleware(given)
    given.clear()
    assert kept == [PlainCallable]
    assert checks.check_middleware(None) == []
