"""Options: flag over environment variable over default; impossible values are refused by name."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from django_bolt._options import (
    Address,
    OptionError,
    ServeOptions,
    port,
    positive_int,
    read_address,
    read_options,
    seconds,
)

FLAGS: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": 8000,
    "uds": None,
    "processes": 1,
    "backlog": None,
    "keep_alive": None,
    "workers_kill_timeout": None,
    "workers_lifetime": None,
    "max_rss": None,
    "respawn_failed_workers": False,
    "dev": False,
}


def read(
    flags: dict[str, Any] | None = None, environment: dict[str, str] | None = None, **settings: object
) -> ServeOptions:
    return read_options(FLAGS | (flags or {}), SimpleNamespace(**settings), environment or {}, access_log=False)


def test_defaults() -> None:
    assert read() == ServeOptions()
    assert not read().supervised


@pytest.mark.parametrize(
    ("flags", "environment", "settings", "expected"),
    [
        ({"processes": 3}, {}, {}, {"processes": 3}),
        ({"processes": 3, "dev": True}, {}, {}, {"processes": 1, "dev": True}),
        ({}, {"DJANGO_BOLT_BACKLOG": "7"}, {}, {"backlog": 7}),
        ({"backlog": 9}, {"DJANGO_BOLT_BACKLOG": "7"}, {}, {"backlog": 9}),
        ({}, {"DJANGO_BOLT_KEEP_ALIVE": "1.5"}, {}, {"keep_alive_s": 1.5}),
        ({}, {"DJANGO_BOLT_KEEP_ALIVE": ""}, {}, {"keep_alive_s": 75.0}),
        ({}, {"DJANGO_BOLT_SHUTDOWN_TIMEOUT": "4"}, {}, {"kill_timeout_s": 4.0}),
        ({"workers_kill_timeout": 5.0}, {"DJANGO_BOLT_SHUTDOWN_TIMEOUT": "4"}, {}, {"kill_timeout_s": 5.0}),
        ({}, {"DJANGO_BOLT_REUSE_PORT": "1"}, {}, {"reuse_port": True}),
        ({"max_rss": 100}, {}, {}, {"max_rss_bytes": 104857600}),
        (
            {},
            {},
            {"BOLT_MAX_HEADER_SIZE": 100, "BOLT_MAX_UPLOAD_SIZE": 200},
            {"header_bytes": 100, "content_bytes": 200},
        ),
    ],
)
def test_sources(
    flags: dict[str, Any], environment: dict[str, str], settings: dict[str, object], expected: dict[str, object]
) -> None:
    options = read(flags, environment, **settings)
    assert {name: getattr(options, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("flags", "supervised"),
    [
        ({"processes": 2}, True),
        ({"max_rss": 1}, True),
        ({"workers_lifetime": 60.0}, True),
        ({"respawn_failed_workers": True}, True),
        ({"respawn_failed_workers": True, "dev": True}, False),
    ],
)
def test_who_is_supervised(flags: dict[str, Any], supervised: bool) -> None:
    assert read(flags).supervised is supervised


def test_a_bad_environment_variable_is_named() -> None:
    with pytest.raises(OptionError, match="DJANGO_BOLT_BACKLOG: 'many' is not a whole number above 0"):
        read(environment={"DJANGO_BOLT_BACKLOG": "many"})


@pytest.mark.parametrize("value", [0, -1, True, "1 MiB", 1.5])
def test_a_bad_setting_is_named(value: object) -> None:
    with pytest.raises(OptionError, match="BOLT_MAX_UPLOAD_SIZE must be a number of octets above 0"):
        read(BOLT_MAX_UPLOAD_SIZE=value)


@pytest.mark.parametrize(
    ("convert", "text", "expected"),
    [
        (positive_int, "1", 1),
        (positive_int, "0", None),
        (positive_int, "1.5", None),
        (port, "0", 0),
        (port, "65535", 65535),
        (port, "65536", None),
        (port, "-1", None),
        (seconds, "0.5", 0.5),
        (seconds, "0", None),
        (seconds, "inf", None),
        (seconds, "nan", None),
        (seconds, "soon", None),
    ],
)
def test_argument_types(convert: Callable[[str], float], text: str, expected: float | None) -> None:
    if expected is None:
        with pytest.raises(ArgumentTypeError, match=f"'{text}' is not a"):
            convert(text)
    else:
        assert convert(text) == expected


@pytest.mark.parametrize(
    ("flags", "address", "url"),
    [
        ({}, Address("127.0.0.1", 8000), "http://127.0.0.1:8000"),
        ({"host": "[::1]", "port": 80}, Address("::1", 80), "http://[::1]:80"),
        ({"host": "::"}, Address("::", 8000), "http://[::]:8000"),
        ({"uds": "/run/app.sock"}, Address("127.0.0.1", 8000, "/run/app.sock"), "unix:/run/app.sock"),
    ],
)
def test_addresses(flags: dict[str, Any], address: Address, url: str) -> None:
    assert read_address(FLAGS | flags) == address
    assert address.url() == url
