"""Columns resolved once: the SQL and the rows are those of ``values()``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models import Count, F, Q, QuerySet
from django.test.utils import isolate_apps
from testproject.blog.models import Person, Post

from django_bolt._selection import Selection, _difference

COLUMNS = ("title", "pk", "editor_id")
BY_RELATION = ("title", "author")

QUERYSETS: list[Callable[[], QuerySet[Post]]] = [
    lambda: Post.objects.order_by("id"),
    lambda: Post.objects.order_by("author__username", "-id")[1:3],
    lambda: Post.objects.filter(Q(author__username="ann") | Q(editor__isnull=True)).order_by("id"),
    lambda: Post.objects.exclude(author__teams__name="core").order_by("id"),
    lambda: Post.objects.select_related("author").order_by("id").reverse(),
    lambda: Post.objects.only("title").order_by("id"),
    lambda: Post.objects.defer("title").order_by("id"),
    lambda: Post.objects.annotate(n=Count("author__teams")).order_by("id"),
    lambda: Post.objects.alias(n=F("id") + 1).filter(n__gt=2).order_by("id"),
    lambda: Post.objects.extra(where=["1 = 1"]).order_by("id"),
    lambda: Post.objects.extra(select={"one": "1"}).order_by("id"),
    lambda: Post.objects.order_by("id").distinct(),
    lambda: Post.objects.none(),
    lambda: Post.objects.filter(author__in=Person.objects.filter(age=30)).order_by("id"),
]


@pytest.mark.parametrize("columns", [COLUMNS, BY_RELATION])
@pytest.mark.parametrize("queryset", QUERYSETS)
def test_of(queryset: Callable[[], QuerySet[Post]], columns: tuple[str, ...]) -> None:
    chosen, expected = Selection(Post, columns).of(queryset()), queryset().values(*columns)
    assert list(chosen) == list(expected)
    assert _sql(chosen) == _sql(expected)


def test_the_queryset_stays_as_it_is() -> None:
    queryset = Post.objects.order_by("id").select_related("author")
    before = _sql(queryset)
    list(Selection(Post, COLUMNS).of(queryset))
    assert _sql(queryset) == before
    assert all(isinstance(post, Post) for post in queryset)


def test_ordinary_columns_are_not_resolved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    selection = Selection(Post, COLUMNS)
    monkeypatch.setattr(QuerySet, "values", None)
    rows = list(selection.of(Post.objects.order_by("id")[:1]))
    assert rows == [{"title": "one", "pk": 1, "editor_id": None}]


@isolate_apps("testproject.blog")
def test_inherited_columns_need_a_join() -> None:
    class Employee(Person):
        badge = models.IntegerField()

        class Meta:
            app_label = "blog"

    queryset: Any = Employee._default_manager.order_by("badge")
    columns = ("badge", "username")
    assert _sql(Selection(Employee, columns).of(queryset)) == _sql(queryset.values(*columns))
    assert "INNER JOIN" in _sql(queryset.values(*columns))


def test_an_unknown_change_is_left_to_django() -> None:
    plain, resolved = Post.objects.all().query, Post.objects.all().query
    resolved.default_cols = False
    assert _difference(plain, resolved) == {"default_cols": False}
    resolved.__dict__["from_a_later_version"] = 1
    assert _difference(plain, resolved) == {}


def _sql(queryset: Any) -> str:
    """The statement, with numbered aliases as the table they stand for: an unused join of Django's takes a name."""
    try:
        sql = str(queryset.query)
    except EmptyResultSet:
        return ""
    return re.sub(r"\bT\d+\b", '"blog_person"', re.sub(r" T\d+ ON ", " ON ", sql))
