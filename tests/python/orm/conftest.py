"""Tables and rows for the tests that query."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from testproject.blog.models import Person, Post, Profile, Team


@pytest.fixture(scope="session", autouse=True)
def database() -> Iterator[None]:
    """The test database: a SQLite file, or a database of its own on PostgreSQL."""
    original = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    create_rows()
    yield
    connection.creation.destroy_test_db(original, verbosity=0)


def create_rows() -> None:
    ann = Person.objects.create(username="ann", email="ann@x.org", age=30)
    bob = Person.objects.create(username="bob", email="bob@x.org", is_active=False)
    core, docs = Team.objects.create(name="core"), Team.objects.create(name="docs")
    ann.teams.set([core, docs])
    Profile.objects.create(person=ann, bio="first")
    Post.objects.create(title="one", author=ann)
    Post.objects.create(title="two", author=ann, editor=bob)
    Post.objects.create(title="three", author=bob)
