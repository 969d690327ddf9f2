"""What the server does around each request, in the request's own task.

A request needs little of it: wrappers belong to its task and lose transaction, hooks and query log when that is done,
and physical connections go back to their pool by themselves. These functions do the rest of what Django's handlers and
its ``request_started`` and ``request_finished`` receivers do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import caches
from django.db import close_old_connections, connections, reset_queries, transaction

F = TypeVar("F", bound=Callable[..., Any])


def begin_request() -> None:
    """Before the handler: an empty ``connection.queries``, no connection that is too old or was lost.

    Only needed where one task serves several requests, and in threads.
    """
    reset_queries()
    close_old_connections()


def end_request() -> None:
    """After the response was made: close the caches that were used, and connections that may not be kept.

    In a worker, because a cache's or a thread backend's ``close`` may wait.
    """
    caches.close_all()
    close_old_connections()


def atomic_request(handler: F) -> F:
    """ATOMIC_REQUESTS: ``handler``, sync or async, in a transaction of every database that asks for it.

    ``@transaction.non_atomic_requests`` exempts a handler. An exception that leaves the handler rolls back. Returns the
    handler itself when no database asks. Decide once per route, when it is registered.
    """
    exempt: set[str] = getattr(handler, "_non_atomic_requests", set())
    for alias, configured in connections.settings.items():
        if configured["ATOMIC_REQUESTS"] and alias not in exempt:
            handler = transaction.atomic(using=alias)(handler)
    return handler
