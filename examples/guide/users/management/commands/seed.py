"""``manage.py seed``: the example's demo data. Running it again changes nothing, and the data is always the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand
from django.db import transaction

from posts.models import Post
from users.models import User

PASSWORD = "guide-password"
FIRST_JOINED = datetime(2024, 1, 15, 9, 30, tzinfo=UTC)
GROUPS = ("authors", "editors", "readers")
#: user name, first name, last name, age, balance, active, groups
PEOPLE: tuple[tuple[str, str, str, int, float, bool, tuple[str, ...]], ...] = (
    ("alice", "Alice", "Archer", 34, 1000.0, True, ("authors", "editors")),
    ("bob", "Bob", "Baker", 27, 250.5, True, ("authors",)),
    ("carol", "Carol", "Cook", 41, 75.25, True, ("readers",)),
    ("dave", "Dave", "Draper", 19, 0.0, False, ()),
    ("erin", "Erin", "Eaton", 52, 5000.0, True, ("editors", "readers")),
    ("frank", "Frank", "Fisher", 38, 12.75, True, ("authors",)),
    ("grace", "Grace", "Glover", 45, 640.0, True, ("readers",)),
    ("heidi", "Heidi", "Harper", 23, 99.5, True, ()),
    ("ivan", "Ivan", "Irons", 61, 310.0, False, ("readers",)),
    ("judy", "Judy", "Joiner", 30, 1500.0, True, ("authors", "readers")),
    ("mallory", "Mallory", "Mason", 29, 1.0, True, ()),
    ("oscar", "Oscar", "Oakes", 48, 820.0, True, ("readers",)),
)
#: author, title
POSTS = (
    ("alice", "Why the event loop matters"),
    ("bob", "A first handler"),
    ("alice", "Querysets, lazily"),
    ("frank", "Counting without loading"),
    ("judy", "Transactions that nest"),
    ("bob", "Reading the query plan"),
    ("alice", "Joins in one query"),
    ("frank", "A page at a time"),
    ("judy", "What to index"),
    ("alice", "Signals, sparingly"),
    ("bob", "Migrations without fear"),
    ("judy", "Tests against a real database"),
)


class Command(BaseCommand):
    """Writes groups, users and posts that are not there yet."""

    help = "Load the example's demo data (idempotent)."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        groups = {name: Group.objects.get_or_create(name=name)[0] for name in GROUPS}
        existing = set(User.objects.values_list("username", flat=True))
        # One hash for all of them: hashing is slow on purpose.
        password = make_password(PASSWORD) if any(person[0] not in existing for person in PEOPLE) else ""
        for days, (username, first_name, last_name, age, balance, is_active, memberships) in enumerate(PEOPLE):
            if username in existing:
                continue
            user = User.objects.create(
                username=username,
                first_name=first_name,
                last_name=last_name,
                email=f"{username}@example.com",
                password=password,
                age=age,
                balance=balance,
                is_active=is_active,
                date_joined=FIRST_JOINED + timedelta(days=days),
            )
            user.groups.set([groups[name] for name in memberships])
        for author, title in POSTS:
            defaults = {"body": f"{title}, explained by {author}."}
            Post.objects.get_or_create(author=User.objects.get(username=author), title=title, defaults=defaults)
        self.stdout.write(f"{User.objects.count()} users, {Post.objects.count()} posts. The password is {PASSWORD!r}.")
