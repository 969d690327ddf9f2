"""Listening sockets: who may have the address, and one socket for every worker slot.

``SO_REUSEPORT`` lets each worker have an accept queue of its own, but it also lets a *second server* of the same
user join the address in silence and take a share of the connections. So the first socket is bound without the
option: the kernel then refuses an address that anybody holds, ours or not. The option is set on it right after,
which lets its siblings in; there is no moment at which the address is unprotected.

``share`` (DJANGO_BOLT_REUSE_PORT=1) is for somebody who runs several single servers on one port on purpose.

A UNIX socket has no such groups: all workers share one listener.
"""

from __future__ import annotations

import errno
import os
import socket
import stat

from django_bolt._options import Address
from django_bolt._proc import holder_of_port


class ListenError(Exception):
    """The address cannot be listened on; the text says which one, why, and what to do."""


class Listeners:
    """The listeners of one address, one for each worker slot. Owned by the process that opened them."""

    def __init__(self, address: Address, sockets: list[socket.socket]) -> None:
        self.address = address
        self.sockets = sockets
        self._uds_identity = _identity(address.uds) if address.uds is not None else None

    @classmethod
    def adopt(cls, sock: socket.socket) -> Listeners:
        """One listener that another process opened for us and keeps: nothing to remove when we close it."""
        if sock.family == socket.AF_UNIX:
            listeners = cls(Address(uds=sock.getsockname()), [sock])
            listeners._uds_identity = None
            return listeners
        host, tcp_port = sock.getsockname()[:2]
        return cls(Address(host=host, port=tcp_port), [sock])

    def for_slot(self, index: int) -> socket.socket:
        """The socket of worker slot ``index``; the only one is shared on a UNIX socket."""
        return self.sockets[index % len(self.sockets)]

    def close(self) -> None:
        """Stop listening and remove the UNIX socket's file. Idempotent; workers' own copies stay open."""
        for sock in self.sockets:
            sock.close()
        if self.address.uds is not None and self._uds_identity is not None:
            # Another server may have taken the path over since: only remove what is ours.
            if _identity(self.address.uds) == self._uds_identity:
                os.unlink(self.address.uds)
            self._uds_identity = None

    def close_others(self, keep: socket.socket) -> None:
        """In a forked worker: drop the sockets of the other slots, and any claim on the UNIX socket's file."""
        self._uds_identity = None
        for sock in self.sockets:
            if sock is not keep:
                sock.close()


def open_listeners(address: Address, slots: int, backlog: int, *, share: bool = False) -> Listeners:
    """Open ``slots`` non-blocking listeners on ``address``.

    Raises ListenError when the address is in use, not ours to bind, or cannot be resolved.
    """
    if address.uds is not None:
        return Listeners(address, [_open_unix(address.uds, backlog)])
    family, sockaddr = _resolve(address)
    first = _bind_tcp(family, sockaddr, address, join=share)
    sockets = [first]
    try:
        bound = first.getsockname()
        actual = Address(host=address.host, port=bound[1])
        if slots > 1:
            first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        for _ in range(slots - 1):
            sockets.append(_bind_tcp(family, bound, actual, join=True))
        for sock in sockets:
            _listen(sock, backlog, actual)
    except BaseException:
        for sock in sockets:
            sock.close()
        raise
    return Listeners(actual, sockets)


def _resolve(address: Address) -> tuple[socket.AddressFamily, tuple[object, ...]]:
    host = address.host
    try:
        found = socket.getaddrinfo(host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as exc:
        raise ListenError(f"Cannot listen on {address.url()}: host {host!r} is unknown ({exc}).") from exc
    # A name such as localhost may have both; IPv4 first, as runserver does.
    family, _, _, _, sockaddr = min(found, key=lambda info: info[0] != socket.AF_INET)
    return family, sockaddr


def _bind_tcp(
    family: socket.AddressFamily, sockaddr: tuple[object, ...], address: Address, *, join: bool
) -> socket.socket:
    """A bound socket; ``join`` asks for a share of an address whose first socket is ours."""
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        # Only past TIME_WAIT connections of a former server: Linux still refuses an address with a listener.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if join:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(sockaddr)
    except OSError as exc:
        sock.close()
        raise _explain(exc, address) from exc
    return sock


def _listen(sock: socket.socket, backlog: int, address: Address) -> None:
    try:
        sock.listen(backlog)
    except OSError as exc:  # bound by both, listened on by the other first
        raise _explain(exc, address) from exc


def _open_unix(path: str, backlog: int) -> socket.socket:
    address = Address(uds=path)
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.bind(path)
        sock.listen(backlog)
    except OSError as exc:
        sock.close()
        raise _explain(exc, address) from exc
    return sock


def _remove_stale(path: str) -> None:
    """Remove the socket file a killed server left behind; refuse a living server's, or any other file."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return  # nothing there, or bind() will say what is wrong with the path
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"Cannot listen on unix:{path}: the path exists and is not a socket.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except OSError as exc:
            raise _explain(exc, Address(uds=path)) from exc
    raise ListenError(f"Cannot listen on unix:{path}: another server is listening on it.")


def _explain(exc: OSError, address: Address) -> ListenError:
    where = address.url()
    if exc.errno == errno.EADDRINUSE:
        owner = holder_of_port(address.port)
        by = f" by {owner}" if owner else ""
        return ListenError(
            f"Cannot listen on {where}: the address is already in use{by}. Stop it or choose another --port."
        )
    if exc.errno == errno.EACCES and address.uds is None:
        return ListenError(f"Cannot listen on {where}: ports below 1024 need a privilege. Choose a higher --port.")
    if exc.errno == errno.EADDRNOTAVAIL:
        return ListenError(f"Cannot listen on {where}: this machine has no such address. Choose another --host.")
    return ListenError(f"Cannot listen on {where}: {exc.strerror or exc}.")


def _identity(path: str) -> tuple[int, int, int] | None:
    """Tells one socket file from a later one at the same path; inode numbers alone are used again at once."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns
