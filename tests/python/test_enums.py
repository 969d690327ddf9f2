"""Values of the public constants."""

from __future__ import annotations

from django_bolt import FileSize, MediaType


def test_media_types_are_texts() -> None:
    assert f"{MediaType.JSON} {MediaType.HTML}" == "application/json text/html"


def test_file_sizes() -> None:
    sizes = {int(member.name.removeprefix("MB_")): member.value for member in FileSize}
    assert sizes == {n: n << 20 for n in (*range(1, 11), *range(20, 101, 10))}
