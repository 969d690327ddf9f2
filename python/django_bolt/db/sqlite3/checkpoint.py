"""Checkpoints of write-ahead logs, off the event loop.

SQLite copies the log back into the database inside the COMMIT that makes it 1000 pages long: tens of milliseconds of
disk
writes on the loop's thread. Connections used in workers hand that over to one background thread with connections of
its own.
"""

from __future__ import annotations

import logging
import queue
import threading

from django_bolt.db.sqlite3 import dbapi

logger = logging.getLogger("django_bolt.db")


class Checkpointer:
    """One daemon thread per process; a request for a file that is already queued is dropped."""

    def __init__(self) -> None:
        self._files: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._pending: set[str] = set()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread unless it runs. Called when the integration is installed, so no query has to."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="django-bolt-checkpoint", daemon=True)
            self._thread.start()

    def request(self, filename: str) -> None:
        """Checkpoint this database soon."""
        if filename not in self._pending:
            self._pending.add(filename)
            self._files.put(filename)
            self.start()

    def _run(self) -> None:
        while True:
            filename = self._files.get()
            self._pending.discard(filename)
            try:
                connection = dbapi.connect(filename, timeout=0)
                try:
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                finally:
                    connection.close()
            except dbapi.Error:
                logger.exception(
                    "checkpoint of %s failed; the write-ahead log keeps growing until one succeeds", filename
                )


checkpointer = Checkpointer()
