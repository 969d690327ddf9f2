"""``queryset.values(*columns)`` with the columns resolved once per route.

Django resolves the names anew for every queryset, which costs an eighth of a request for ten rows. For the plain
columns of one table the outcome is always the same few attributes of the query, so they are taken from a model query
that Django itself has resolved. Where anything else would differ, Django resolves: other versions, inherited tables and
columns that are reached through joins stay right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models.query import ValuesIterable

_SELECTION = frozenset(
    (
        "_annotation_select_cache",
        "_extra_select_cache",
        "annotation_select_mask",
        "default_cols",
        "deferred_loading",
        "extra_select_mask",
        "filter_is_sticky",
        "has_select_fields",
        "select",
        "select_related",
        "selected",
        "values_select",
    )
)
"""What ``values()`` sets on a query. The compiler only reads it, so querysets may share it."""

_JOINS = ("alias_map", "alias_refcount", "table_map")
"""Where Django keeps joins, also those it has found unnecessary: a foreign key's own column needs none."""

_MISSING = object()


class Selection:
    """Columns of a model, to be selected from querysets of it."""

    def __init__(self, model: type[models.Model], columns: tuple[str, ...]) -> None:
        self._columns = columns
        plain: Any = models.QuerySet(model).query
        self._table = plain.get_initial_alias()
        self._resolved = _difference(plain, models.QuerySet(model).values(*columns).query)

    def of(self, queryset: Any) -> Any:
        """``queryset.values(*columns)`` of an ordinary queryset of the model, one without a combinator."""
        query = queryset.query
        own = query.annotations or query.extra or query.distinct or query.group_by is not None or query.select
        if own or not self._resolved:
            return queryset.values(*self._columns)
        chosen = queryset._chain()
        if chosen.query.get_initial_alias() != self._table:
            return queryset.values(*self._columns)
        chosen._fields = self._columns
        chosen._iterable_class = ValuesIterable
        vars(chosen.query).update(self._resolved)
        return chosen


def _difference(plain: Any, resolved: Any) -> Mapping[str, Any]:
    """The attributes that ``values()`` has set; empty when it selects or changes anything else than own columns."""
    if any(getattr(column, "alias", None) != plain.base_table for column in resolved.select):
        return {}
    before, after = vars(plain), vars(resolved)
    changed = {name: value for name, value in after.items() if before.get(name, _MISSING) != value}
    for name in _JOINS:
        changed.pop(name, None)
    return changed if changed.keys() <= _SELECTION else {}
