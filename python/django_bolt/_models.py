"""Models and querysets to the data a declared Struct asks for.

``rows`` evaluates a queryset. When all declared fields are columns it fetches only those, with ``.values(...)``;
otherwise it fetches instances together with the relations the declared type nests. ``read_model`` turns an instance
into a dict of the declared fields.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models.fields.files import FieldFile
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.db.models.manager import BaseManager
from django.db.models.query import ModelIterable, RawQuerySet

from django_bolt._fields import Field, declared_fields
from django_bolt._tree import item_type, struct_of, transform


async def rows(queryset: Any, declared: Any) -> list[Any]:
    """Evaluate a queryset for items of the declared type: dicts of its fields where possible, else instances."""
    if isinstance(queryset, RawQuerySet):
        return await sync_to_async(_listed)(queryset)
    if isinstance(queryset, BaseManager):
        queryset = queryset.all()
    if queryset._result_cache is not None:
        return list(queryset._result_cache)
    struct = struct_of(declared)
    if queryset._iterable_class is not ModelIterable:
        found = [row async for row in queryset]
        return found if struct is None else _renamed(found, struct)
    if struct is None:
        return await _untyped_rows(queryset)
    columns = _columns(queryset, struct)
    if columns is None:
        return [instance async for instance in _with_relations(queryset, struct)]
    found = [row async for row in queryset.prefetch_related(None).values(*columns)]
    return _renamed(found, struct)


def _listed(queryset: RawQuerySet[Any]) -> list[Any]:
    return list(queryset)


def read_model(instance: Any, declared: Any) -> Any:
    """An instance as a dict of the declared fields by wire name; itself when no Struct is declared, or it is no model.

    Fields it does not have are left out. Raises SynchronousOnlyOperation on an event loop when a relation that is
    read has not been loaded.
    """
    struct = struct_of(declared)
    if struct is None or not isinstance(instance, models.Model):
        return instance
    keys = _foreign_keys(type(instance))
    data: dict[str, Any] = {}
    for field in declared_fields(struct):
        name = field.name
        if name in keys and struct_of(field.annotation) is None:
            name = keys[name]
        try:
            value = getattr(instance, name)
        except ObjectDoesNotExist:  # the other side of a one-to-one relation is empty
            value = None
        except AttributeError:
            continue
        data[field.wire_name] = _read_attribute(value, field)
    return data


def _read_attribute(value: Any, field: Field) -> Any:
    if isinstance(value, BaseManager):
        item = item_type(field.annotation)
        related = value.all()
        return [obj.pk if struct_of(item) is None else read_model(obj, item) for obj in related]
    if isinstance(value, FieldFile):
        return value.name
    return transform(value, field.annotation, read_model)


@functools.cache
def _foreign_keys(model: type[models.Model]) -> dict[str, str]:
    """Relation name to column attribute: ``author`` to ``author_id``."""
    return {f.name: f.attname for f in model._meta.concrete_fields if f.is_relation}


def _columns(queryset: models.QuerySet[Any], struct: Any) -> tuple[str, ...] | None:
    """The ``values()`` arguments that yield every declared field, or None when instances are needed."""
    query = queryset.query
    if query.combinator or query.distinct:  # another selection would be another result
        return None
    model: type[models.Model] = queryset.model
    available = {*query.annotations, *query.extra, *_column_names(model)}
    columns = []
    for field in declared_fields(struct):
        if _is_nested(field.annotation):
            return None
        if field.name in available:
            columns.append(field.name)
        elif field.required or hasattr(model, field.name):
            return None
    return tuple(columns) or None


@functools.cache
def _column_names(model: type[models.Model]) -> frozenset[str]:
    fields = model._meta.concrete_fields
    return frozenset(("pk", *(field.name for field in fields), *(field.attname for field in fields)))


def _is_nested(annotation: Any) -> bool:
    """True for a declared object, or a sequence of declared objects."""
    return struct_of(annotation) is not None or struct_of(item_type(annotation)) is not None


def _renamed(found: list[Any], struct: Any) -> list[Any]:
    """Rows keyed by wire names where the Struct renames fields."""
    names = {field.name: field.wire_name for field in declared_fields(struct)}
    if all(name == wire for name, wire in names.items()):
        return found
    return [
        {names.get(key, key): value for key, value in row.items()} if isinstance(row, dict) else row for row in found
    ]


async def _untyped_rows(queryset: models.QuerySet[Any]) -> list[Any]:
    """All concrete fields and annotations; instances when ``only()`` or ``defer()`` chose the fields."""
    query = queryset.query
    if query.deferred_loading[0] or query.combinator:
        return [instance async for instance in queryset]
    return [row async for row in queryset.prefetch_related(None).values()]


@dataclass(frozen=True, slots=True)
class _Relations:
    """Relations a declared type nests, as ``select_related`` and ``prefetch_related`` paths."""

    select: tuple[str, ...]
    prefetch: tuple[str, ...]


def _with_relations(queryset: models.QuerySet[Any], struct: Any) -> models.QuerySet[Any]:
    """The queryset with the nested relations fetched in as few queries as possible."""
    if queryset.query.combinator:
        return queryset
    model: type[models.Model] = queryset.model
    relations = _relations(model, struct)
    if relations.select and not queryset.query.deferred_loading[0]:
        queryset = queryset.select_related(*relations.select)
    return queryset.prefetch_related(*relations.prefetch) if relations.prefetch else queryset


@functools.cache
def _relations(model: type[models.Model], struct: Any) -> _Relations:
    select: list[str] = []
    prefetch: list[str] = []

    def visit(model: type[models.Model], struct: Any, path: str, joined: bool, outer: tuple[Any, ...]) -> None:
        if struct in outer:
            return
        related = _related_fields(model)
        for field in declared_fields(struct):
            relation = related.get(field.name)
            if relation is None:
                continue
            many = bool(relation.many_to_many or relation.one_to_many)
            nested = struct_of(item_type(field.annotation) if many else field.annotation)
            if nested is None and not many:
                continue
            here = path + field.name
            (select if joined and not many else prefetch).append(here)
            if nested is not None:
                visit(relation.related_model, nested, here + "__", joined and not many, (*outer, struct))

    visit(model, struct, "", True, ())
    return _Relations(tuple(select), tuple(prefetch))


def _related_fields(model: type[models.Model]) -> dict[str, Any]:
    """Relations of a model by the attribute that reads them, both directions."""
    related: dict[str, Any] = {}
    for field in model._meta.get_fields():
        if field.is_relation and field.related_model:
            name = field.get_accessor_name() if isinstance(field, ForeignObjectRel) else field.name
            related[name or ""] = field
    return related
