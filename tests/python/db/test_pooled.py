"""A pool lends a connection only to wrappers whose settings it was made with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import ConnectionHandler

from django_bolt import _core
from django_bolt.db.pooled import close_pools


@pytest.fixture(autouse=True)
def _sync_use_in_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the installed integration decides per call; these tests need nothing else of it."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


def in_worker(function: Callable[[], None]) -> None:
    async def main() -> None:
        try:
            await _core.spawn(function)
        finally:
            close_pools(asyncio.get_running_loop())

    asyncio.run(main())


def wrapper_of(name: Path) -> Any:
    handler = ConnectionHandler({"default": {"ENGINE": "django_bolt.db.sqlite3", "NAME": str(name)}})
    return handler.create_connection("default")


def tables_of(wrapper: Any) -> list[str]:
    with wrapper.cursor() as cursor:
        return [table.name for table in wrapper.introspection.get_table_list(cursor)]


def create_table(wrapper: Any) -> Any:
    """Returns the physical connection, which is in the pool afterwards."""
    with wrapper.cursor() as cursor:
        cursor.execute("CREATE TABLE here (id)")
        return wrapper.connection


def test_wrappers_with_equal_settings_share_connections(tmp_path: Path) -> None:
    def body() -> None:
        physical = create_table(wrapper_of(tmp_path / "one"))
        second = wrapper_of(tmp_path / "one")
        with second.cursor():
            assert second.connection is physical

    in_worker(body)


def test_another_database_under_the_same_alias_is_another_pool(tmp_path: Path) -> None:
    def body() -> None:
        create_table(wrapper_of(tmp_path / "one"))
        assert tables_of(wrapper_of(tmp_path / "two")) == []

    in_worker(body)


def test_settings_changed_in_place_are_honoured(tmp_path: Path) -> None:
    def body() -> None:
        wrapper = wrapper_of(tmp_path / "one")
        create_table(wrapper)
        wrapper.settings_dict["NAME"] = str(tmp_path / "two")
        assert tables_of(wrapper) == []
        wrapper.settings_dict["NAME"] = str(tmp_path / "one")
        assert tables_of(wrapper) == ["here"]

    in_worker(body)


def test_a_wrapper_that_cannot_use_its_connection_gives_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def body() -> None:
        physical = create_table(wrapper_of(tmp_path / "one"))
        second = wrapper_of(tmp_path / "one")

        def refuse() -> None:
            raise ValueError("bad options")

        monkeypatch.setattr(second, "prepare_borrowed", refuse)
        with pytest.raises(ValueError, match="bad options"):
            second.cursor()
        third = wrapper_of(tmp_path / "one")
        with third.cursor():
            assert third.connection is physical

    in_worker(body)
