"""request.META and who the client is behind proxies."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from tests.python.harness import Client
from tests.python.support.binding import bound
from tests.python.support.requests import REQUEST, kept_request, look
from tests.python.support.wire import raw_request

from django_bolt import _core


def test_keys() -> None:
    headers = (("Content-Type", "text/x"), ("X-One", "1"), ("x-one", "2"), ("X_Forged", "3"), ("Cookie", "a=b"))
    meta = look(
        lambda request: request.META,
        path="/{x}",
        target="/a%20b?c=%20d",
        method="POST",
        body=b"abc",
        headers=headers,
    )
    assert meta == {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/a b",
        "QUERY_STRING": "c=%20d",
        "SCRIPT_NAME": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "unknown",  # a UNIX socket has neither
        "SERVER_PORT": "0",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_HOST": "127.0.0.1",
        "REMOTE_PORT": "0",
        "CONTENT_TYPE": "text/x",
        "CONTENT_LENGTH": "3",
        "HTTP_HOST": "testserver",
        "HTTP_X_ONE": "1, 2",
        "HTTP_COOKIE": "a=b",
    }


def test_without_content() -> None:
    meta = look(lambda request: request.META)
    assert (meta["CONTENT_TYPE"], meta["CONTENT_LENGTH"], meta["QUERY_STRING"]) == ("", "", "")


def test_it_is_built_once_and_may_be_changed() -> None:
    request = kept_request()
    request.META["REMOTE_USER"] = "somebody"
    assert request.META["REMOTE_USER"] == "somebody"


def test_changed_headers_are_not_seen() -> None:
    request = kept_request()
    request.headers["x-later"] = "1"  # type: ignore[index]
    assert "HTTP_X_LATER" not in request.META


TRUSTED = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("trusted", "forwarded", "client"),
    [
        ([], ("192.0.2.1",), "127.0.0.1"),
        (["10.0.0.0/8"], ("192.0.2.1",), "127.0.0.1"),
        (TRUSTED, (), "127.0.0.1"),
        (TRUSTED, ("192.0.2.1",), "192.0.2.1"),
        (TRUSTED, ("192.0.2.7, 192.0.2.1, 10.1.2.3",), "192.0.2.1"),
        (TRUSTED, ("192.0.2.7", "192.0.2.1", "10.1.2.3"), "192.0.2.1"),
        (TRUSTED, ("10.1.2.3, 10.1.2.4",), "10.1.2.3"),
        (TRUSTED, ("2001:DB8::1, 2001:0DB9::0:1",), "2001:db9::1"),
        (TRUSTED, ("192.0.2.1, nonsense",), "127.0.0.1"),
    ],
)
def test_client_address(trusted: list[str], forwarded: tuple[str, ...], client: str) -> None:
    """A peer on a UNIX socket counts as 127.0.0.1."""
    meta = look(
        lambda request: request.META,
        headers=tuple(("X-Forwarded-For", value) for value in forwarded),
        settings={"BOLT_TRUSTED_PROXIES": trusted},
    )
    assert (meta["REMOTE_ADDR"], meta["REMOTE_HOST"]) == (client, client)


Address = tuple[str, int]


def over_tcp(
    family: socket.AddressFamily, host: str, raw: bytes, **options: Any
) -> tuple[_core.Request, Address, Address]:
    """A kept request that came over TCP, the client's address and the server's."""
    with bound(REQUEST, **options) as binding, socket.create_server((host, 0), family=family) as listener:
        wire = binding.wire
        listener.setblocking(False)
        wire.service.server.add_listener(listener.fileno())
        server_address = listener.getsockname()[:2]

        async def exchange() -> Address:
            client = Client(*await asyncio.open_connection(*server_address))
            client.writer.write(raw)
            assert (await client.receive()).status == 204
            address: Address = client.writer.get_extra_info("sockname")[:2]
            await client.close()
            return address

        client_address = wire.loop.run_until_complete(exchange())
        ((request,), _) = binding.received.pop()
        return request, client_address, server_address


FAMILIES = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]


@pytest.mark.parametrize(("family", "host"), FAMILIES)
def test_addresses_over_tcp(family: socket.AddressFamily, host: str) -> None:
    request, client, server = over_tcp(family, host, raw_request())
    meta = request.META
    assert (meta["REMOTE_ADDR"], meta["REMOTE_HOST"], meta["REMOTE_PORT"]) == (host, host, str(client[1]))
    assert (meta["SERVER_NAME"], meta["SERVER_PORT"]) == (host, str(server[1]))


@pytest.mark.parametrize(("family", "host"), FAMILIES)
def test_forwarded_over_tcp(family: socket.AddressFamily, host: str) -> None:
    raw = raw_request(headers=(("X-Forwarded-For", "192.0.2.1"),))
    request, _, _ = over_tcp(family, host, raw, settings={"BOLT_TRUSTED_PROXIES": [host]})
    assert (request.META["REMOTE_ADDR"], request.META["REMOTE_PORT"]) == ("192.0.2.1", "0")
