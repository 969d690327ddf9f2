"""Which peer answers what, and how it is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench import peers
from bench.scenarios import BY_NAME


def test_peers_answer_what_they_implement() -> None:
    insert, rows = BY_NAME["insert"], BY_NAME["rows10"]
    assert peers.OURS.answers(insert, "sqlite")
    assert not peers.CEILING.answers(rows, "sqlite")
    assert peers.BY_NAME["asyncpg"].answers(rows, "postgresql")
    assert not peers.BY_NAME["asyncpg"].answers(rows, "sqlite")
    assert not peers.BY_NAME["asyncpg"].answers(BY_NAME["hello"], None)


@pytest.mark.parametrize("peer", peers.ALL, ids=lambda peer: peer.name)
def test_a_command_names_the_port_and_an_application_that_exists(peer: peers.Peer) -> None:
    command = peer.command(peers.Launch(Path("/environment/bin/python"), 12345, Path("/answer")))
    assert any("12345" in word for word in command)
    assert peer.directory.is_dir()
    applications = [word for word in command if word.endswith((":app", ":application"))]
    assert all((peer.directory / f"{name.partition(':')[0]}.py").is_file() for name in applications)


def test_versions_that_several_peers_share_are_the_same() -> None:
    versions: dict[str, set[str]] = {}
    for peer in peers.ALL:
        for requirement in peer.requirements:
            name, _, version = requirement.partition("==")
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_only_the_wheel_of_the_black_box_is_installed() -> None:
    assert peers.REFERENCE.pip_options == ("--only-binary", ":all:")
    assert peers.REFERENCE.black_box
