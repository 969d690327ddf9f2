"""Models and querysets to the data a declared Struct asks for.

``evaluate`` runs a queryset. When all declared fields are columns it fetches only those, with ``.values(...)``;
otherwise it fetches instances together with the relations the declared type nests. ``read_model`` turns an instance
into a dict of the declared fields. Both are ordinary sync code: in a worker their queries wait without blocking the
loop; on a bare loop they raise SynchronousOnlyOperation before the first query.
"""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models.fields.files import FieldFile
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.db.models.manager import BaseManager
from django.db.models.query import ModelIterable, RawQuerySet

from django_bolt._fields import Field
from django_bolt._selection import Selection
from django_bolt._tree import Declared, transform


def evaluate(queryset: Any, item: Declared) -> list[Any]:
    """The rows of a queryset for items of the declared type, as dicts of its fields by wire name.

    Where no Struct is declared they are what the queryset asks for: all columns, or instances when some are deferred.
    """
    if isinstance(queryset, RawQuerySet):
        return [read_model(instance, item) for instance in queryset]
    if isinstance(queryset, BaseManager):
        queryset = queryset.all()
    if queryset._result_cache is not None:
        return [read_model(row, item) for row in queryset._result_cache]
    if queryset._iterable_class is not ModelIterable:
        return _renamed(list(queryset), item)
    if item.struct is None:
        return _untyped_rows(queryset)
    reader = _reader(queryset.model, item)
    columns = _columns(queryset, reader)
    if columns is None:
        return [read_model(instance, item) for instance in _with_relations(queryset, item)]
    queryset = _without_prefetch(queryset)
    chosen = reader.selection.of(queryset) if columns is reader.columns else queryset.values(*columns)
    return _renamed(list(chosen), item)


def read_model(instance: Any, declared: Declared) -> Any:
    """An instance as a dict of the declared fields by wire name; itself when no Struct is declared, or it is no model.

    Fields it does not have are left out. Raises SynchronousOnlyOperation on a bare event loop when a relation that
    is read has not been loaded.
    """
    if declared.struct is None or not isinstance(instance, models.Model):
        return instance
    data: dict[str, Any] = {}
    for name, field, at in _reader(type(instance), declared).attributes:
        try:
            value = getattr(instance, name)
        except ObjectDoesNotExist:  # the other side of a one-to-one relation is empty
            value = None
        except AttributeError:
            continue
        data[field.wire_name] = _read_attribute(value, at)
    return data


def _read_attribute(value: Any, at: Declared) -> Any:
    if isinstance(value, BaseManager):
        item = at.item
        return [obj.pk if item.struct is None else read_model(obj, item) for obj in value.all()]
    if isinstance(value, FieldFile):
        return value.name
    return transform(value, at, read_model)


class _Reader:
    """What reading a model at a place of the declared result takes, found out once."""

    def __init__(self, model: type[models.Model], declared: Declared) -> None:
        self._model = model
        self._declared = declared

    @functools.cached_property
    def attributes(self) -> tuple[tuple[str, Field, Declared], ...]:
        """What to read from an instance; a relation declared as a plain value is read from its column."""
        columns = {f.name: f.attname for f in self._model._meta.concrete_fields if f.is_relation}
        return tuple(
            (columns.get(field.name, field.name) if at.struct is None else field.name, field, at)
            for field, at in self._declared.fields
        )

    @functools.cached_property
    def columns(self) -> tuple[str, ...] | None:
        """See ``_columns``, of an ordinary queryset."""
        return self.columns_among(_column_names(self._model))

    @functools.cached_property
    def selection(self) -> Selection:
        """``columns``, ready to be fetched."""
        return Selection(self._model, self.columns or ())

    def columns_among(self, available: Collection[str]) -> tuple[str, ...] | None:
        """The declared fields that ``values()`` shall fetch, or None when it cannot give all that are needed."""
        columns = []
        for field, at in self._declared.fields:
            if _is_nested(at):
                return None
            if field.name in available:
                columns.append(field.name)
            elif field.required or hasattr(self._model, field.name):
                return None
        return tuple(columns) or None

    @functools.cached_property
    def relations(self) -> _Relations:
        return _relations(self._model, self._declared)


def _reader(model: type[models.Model], declared: Declared) -> _Reader:
    reader = declared.readers.get(model)
    if reader is None:
        reader = declared.readers[model] = _Reader(model, declared)
    return reader


def _columns(queryset: models.QuerySet[Any], reader: _Reader) -> tuple[str, ...] | None:
    """The ``values()`` arguments that yield every declared field, or None when instances are needed."""
    query = queryset.query
    if query.combinator or query.distinct:  # another selection would be another result
        return None
    if not query.annotations and not query.extra:
        return reader.columns
    return reader.columns_among({*query.annotations, *query.extra, *_column_names(queryset.model)})


def _column_names(model: type[models.Model]) -> frozenset[str]:
    fields = model._meta.concrete_fields
    return frozenset(("pk", *(field.name for field in fields), *(field.attname for field in fields)))


def _is_nested(at: Declared) -> bool:
    """True for a declared object, or a sequence of declared objects."""
    return at.struct is not None or at.item.struct is not None


def _renamed(found: list[Any], item: Declared) -> list[Any]:
    """Rows keyed by wire names where the Struct renames fields."""
    names = item.renamed
    if not names:
        return found
    return [
        {names.get(key, key): value for key, value in row.items()} if isinstance(row, dict) else row for row in found
    ]


def _untyped_rows(queryset: models.QuerySet[Any]) -> list[Any]:
    """All concrete fields and annotations; instances when ``only()`` or ``defer()`` chose the fields."""
    query = queryset.query
    if query.deferred_loading[0] or query.combinator:
        return list(queryset)
    return list(_without_prefetch(queryset).values())


def _without_prefetch(queryset: Any) -> Any:
    return queryset.prefetch_related(None) if queryset._prefetch_related_lookups else queryset


@dataclass(frozen=True, slots=True)
class _Relations:
    """Relations a declared type nests, as ``select_related`` and ``prefetch_related`` paths."""

    select: tuple[str, ...]
    prefetch: tuple[str, ...]


def _with_relations(queryset: models.QuerySet[Any], item: Declared) -> models.QuerySet[Any]:
    """The queryset with the nested relations fetched in as few queries as possible."""
    if queryset.query.combinator:
        return queryset
    relations = _reader(queryset.model, item).relations
    if relations.select and not queryset.query.deferred_loading[0]:
        queryset = queryset.select_related(*relations.select)
    return queryset.prefetch_related(*relations.prefetch) if relations.prefetch else queryset


def _relations(model: type[models.Model], item: Declared) -> _Relations:
    select: list[str] = []
    prefetch: list[str] = []

    def visit(model: type[models.Model], at: Declared, path: str, joined: bool, outer: tuple[Any, ...]) -> None:
        if at.struct in outer:
            return
        related = _related_fields(model)
        for field, declared in at.fields:
            relation = related.get(field.name)
            if relation is None:
                continue
            many = bool(relation.many_to_many or relation.one_to_many)
            nested = declared.item if many else declared
            if nested.struct is None and not many:
                continue
            here = path + field.name
            (select if joined and not many else prefetch).append(here)
            if nested.struct is not None:
                visit(relation.related_model, nested, here + "__", joined and not many, (*outer, at.struct))

    visit(model, item, "", True, ())
    return _Relations(tuple(select), tuple(prefetch))


def _related_fields(model: type[models.Model]) -> dict[str, Any]:
    """Relations of a model by the attribute that reads them, both directions."""
    related: dict[str, Any] = {}
    for field in model._meta.get_fields():
        if field.is_relation and field.related_model:
            name = field.get_accessor_name() if isinstance(field, ForeignObjectRel) else field.name
            related[name or ""] = field
    return related
