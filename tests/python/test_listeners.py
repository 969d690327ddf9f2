"""Listeners: exclusive addresses, a socket for each slot, stale UNIX sockets, messages that name the address."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from django_bolt._listeners import ListenError, Listeners, open_listeners
from django_bolt._options import Address

LOCAL = Address(host="127.0.0.1", port=0)


def connect(address: Address) -> socket.socket:
    return socket.create_connection((address.host, address.port), timeout=5)


@pytest.mark.parametrize("slots", [1, 2, 4])
def test_each_slot_has_a_listener_on_the_same_port(slots: int) -> None:
    listeners = open_listeners(LOCAL, slots, 16)
    assert len(listeners.sockets) == slots
    assert {sock.getsockname() for sock in listeners.sockets} == {("127.0.0.1", listeners.address.port)}
    assert listeners.address.port != 0
    assert not any(sock.getblocking() for sock in listeners.sockets)
    assert listeners.for_slot(slots - 1) is listeners.sockets[-1]
    listeners.close()


def test_every_listener_gets_connections() -> None:
    listeners = open_listeners(LOCAL, 2, 128)
    clients = [connect(listeners.address) for _ in range(64)]
    for sock in listeners.sockets:
        sock.accept()[0].close()  # raises BlockingIOError when nothing is queued
    for client in clients:
        client.close()
    listeners.close()


@pytest.mark.parametrize("slots", [1, 2])
@pytest.mark.parametrize("first_slots", [1, 2])
def test_an_address_in_use_is_refused_with_its_owner(first_slots: int, slots: int) -> None:
    first = open_listeners(LOCAL, first_slots, 16)
    with pytest.raises(ListenError) as caught:
        open_listeners(first.address, slots, 16)
    message = str(caught.value)
    assert f"http://127.0.0.1:{first.address.port}: the address is already in use" in message
    assert f"process {os.getpid()} (" in message
    first.close()
    open_listeners(first.address, slots, 16).close()


def test_a_foreign_listener_with_reuseport_is_refused() -> None:
    with socket.socket() as foreign:
        foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        foreign.bind(("127.0.0.1", 0))
        foreign.listen()
        with pytest.raises(ListenError, match="already in use"):
            open_listeners(Address("127.0.0.1", foreign.getsockname()[1]), 2, 16)


def test_sharing_on_purpose() -> None:
    first = open_listeners(LOCAL, 1, 16, share=True)
    second = open_listeners(first.address, 1, 16, share=True)
    assert first.address == second.address
    first.close()
    second.close()


def test_ipv6_and_dual_stack() -> None:
    listeners = open_listeners(Address("::", 0), 2, 16)
    port = listeners.address.port
    assert listeners.address.url() == f"http://[::]:{port}"
    for host in ("127.0.0.1", "::1"):
        socket.create_connection((host, port), timeout=5).close()
    listeners.close()


def test_a_name_prefers_ipv4() -> None:
    listeners = open_listeners(Address("localhost", 0), 1, 16)
    assert listeners.sockets[0].family == socket.AF_INET
    listeners.close()


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (
            Address("no-such-host.invalid", 0),
            r"http://no-such-host\.invalid:0: host 'no-such-host\.invalid' is unknown",
        ),
        (Address("192.0.2.1", 0), r"http://192\.0\.2\.1:0: this machine has no such address"),
        (Address(uds="/nonexistent/app.sock"), r"unix:/nonexistent/app\.sock: No such file or directory"),
    ],
)
def test_impossible_addresses_are_explained(address: Address, text: str) -> None:
    with pytest.raises(ListenError, match=text):
        open_listeners(address, 1, 16)


def test_unix_socket_is_shared_by_the_slots_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    listeners = open_listeners(Address(uds=str(path)), 3, 16)
    assert {listeners.for_slot(index) for index in range(3)} == set(listeners.sockets)
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert listeners.address.url() == f"unix:{path}"
    listeners.close()
    assert not path.exists()
    listeners.close()


def test_living_unix_socket_is_refused_and_a_stale_one_replaced(tmp_path: Path) -> None:
    address = Address(uds=str(tmp_path / "app.sock"))
    first = open_listeners(address, 1, 16)
    with pytest.raises(ListenError, match="another server is listening"):
        open_listeners(address, 1, 16)
    for sock in first.sockets:  # as if the process had been killed: the file stays
        sock.close()
    second = open_listeners(address, 1, 16)
    first.close()
    assert Path(str(address.uds)).exists(), "the first server must not remove the second one's socket"
    second.close()


def test_another_file_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    path.write_text("precious")
    with pytest.raises(ListenError, match="is not a socket"):
        open_listeners(Address(uds=str(path)), 1, 16)
    assert path.read_text() == "precious"


def test_a_worker_drops_the_other_slots_and_the_file(tmp_path: Path) -> None:
    listeners = open_listeners(LOCAL, 3, 16)
    listeners.close_others(listeners.sockets[1])
    assert [sock.fileno() >= 0 for sock in listeners.sockets] == [False, True, False]
    listeners.close()
    shared = open_listeners(Address(uds=str(tmp_path / "app.sock")), 2, 16)
    shared.close_others(shared.sockets[0])
    shared.close()
    assert (tmp_path / "app.sock").exists()


def test_adopted_listener_knows_its_address(tmp_path: Path) -> None:
    tcp = open_listeners(LOCAL, 1, 16)
    assert Listeners.adopt(tcp.sockets[0]).address == tcp.address
    tcp.close()
    path = tmp_path / "app.sock"
    unix = open_listeners(Address(uds=str(path)), 1, 16)
    adopted = Listeners.adopt(unix.sockets[0])
    assert adopted.address == unix.address
    adopted.close()
    assert path.exists()
    unix.close()
