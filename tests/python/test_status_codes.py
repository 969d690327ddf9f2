"""The constants agree with the standard library's registry; the predicates cover their ranges."""

from __future__ import annotations

import http

import pytest

from django_bolt import status, status_codes

CONSTANTS = {name: value for name, value in vars(status_codes).items() if name.startswith("HTTP_")}


def test_every_registered_code_has_a_constant() -> None:
    assert {member.value for member in http.HTTPStatus} <= set(CONSTANTS.values())


@pytest.mark.parametrize(("name", "value"), sorted(CONSTANTS.items()))
def test_name_carries_the_number(name: str, value: int) -> None:
    assert name.split("_")[1] == str(value)
    assert getattr(status, name) == value


RANGES = [
    ("is_informational", 100, 199),
    ("is_success", 200, 299),
    ("is_redirect", 300, 399),
    ("is_client_error", 400, 499),
    ("is_server_error", 500, 599),
    ("is_error", 400, 599),
]


@pytest.mark.parametrize(("name", "low", "high"), RANGES)
def test_predicates(name: str, low: int, high: int) -> None:
    predicate = getattr(status, name)
    assert [predicate(code) for code in (low - 1, low, high, high + 1)] == [False, True, True, False]
