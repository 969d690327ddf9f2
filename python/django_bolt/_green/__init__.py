"""Django on the event loop: makes the sync ORM wait in workers instead of raising or hopping to threads.

`install` is called once per process by ``runbolt`` and the test clients. Everything it replaces is listed in the
modules of this package, one concern each, and each replacement behaves as before outside a worker.
"""

from __future__ import annotations

from django.db import connections

from django_bolt._green import asgiref_hooks, engines, hashers, nested_loops, transactions
from django_bolt.db import scope
from django_bolt.db.sqlite3.checkpoint import checkpointer

_installed = False


def install() -> None:
    """Apply every hook. Idempotent; call after ``django.setup()`` and before requests are served."""
    global _installed
    if _installed:
        return
    _installed = True
    asgiref_hooks.install()
    hashers.install()
    nested_loops.install()
    scope.install()
    engines.install()
    transactions.install()
    if engines.uses_native_sqlite(connections):
        checkpointer.start()
