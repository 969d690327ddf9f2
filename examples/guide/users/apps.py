"""The example's users."""

from __future__ import annotations

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Holds the custom user model and the ``seed`` command."""

    name = "users"
