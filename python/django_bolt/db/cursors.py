"""Cursor mixin: tells the wrapper when a cursor is done with its physical connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_bolt.db.pooled import PooledWrapper


class CountedCursor:
    """Mixed into the driver's cursor classes. A dropped cursor counts as closed."""

    _wrapper: PooledWrapper | None = None
    _counted_for: Any = None

    def count_for(self, wrapper: PooledWrapper) -> None:
        """Keep ``wrapper``'s connection borrowed until this cursor is closed."""
        self._wrapper = wrapper
        self._counted_for = wrapper.cursor_opened()

    def close(self) -> None:
        super().close()
        self._uncount()

    def __del__(self) -> None:
        self._uncount()
        parent = getattr(super(), "__del__", None)
        if parent is not None:
            parent()

    def _uncount(self) -> None:
        connection, self._counted_for = self._counted_for, None
        if connection is not None and self._wrapper is not None:
            self._wrapper.cursor_closed(connection)
