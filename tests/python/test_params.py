"""The markers: arguments they take, arguments they refuse."""

from __future__ import annotations

import pytest

from django_bolt import param_functions, params


@pytest.mark.parametrize("name", ["Query", "Path", "Header", "Cookie", "Body", "Form", "File"])
def test_source_alias_and_required(name: str) -> None:
    param = getattr(params, name)(alias="other", description="d")
    assert (param.source, param.alias, param.description) == (name.lower(), "other", "d")
    assert not param.has_default


@pytest.mark.parametrize("name", ["Query", "Header", "Cookie", "Body", "Form", "File"])
def test_first_argument_is_the_default(name: str) -> None:
    assert getattr(params, name)(None).has_default
    assert getattr(params, name)(5).default == 5


def test_path_refuses_a_default() -> None:
    with pytest.raises(ValueError, match="takes no default"):
        params.Path(1)


def test_constraints() -> None:
    limits = {"gt": 0, "ge": 1, "lt": 9, "le": 8, "min_length": 1, "max_length": 2, "pattern": "^a"}
    assert params.Query(**limits).constraints.given() == limits
    assert params.Path(**limits).constraints.given() == limits
    assert params.Query().constraints.given() == {}
    assert params.Query(ge=0).constraints.given() == {"ge": 0}


def test_file_limits() -> None:
    limits = params.File(max_size=10, min_size=1, allowed_types=["image/*"], max_files=2).file_limits
    assert (limits.max_size, limits.min_size, limits.allowed_types, limits.max_files) == (10, 1, ("image/*",), 2)
    with pytest.raises(TypeError, match="pass a list"):
        params.File(allowed_types="image/*")
    with pytest.raises(ValueError, match="refuses every file"):
        params.File(allowed_types=[])


def test_both_module_names() -> None:
    for name in param_functions.__all__:
        assert getattr(param_functions, name) is getattr(params, name)
