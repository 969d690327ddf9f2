"""The example's posts."""

from __future__ import annotations

from django.apps import AppConfig


class PostsConfig(AppConfig):
    """Holds the Post model."""

    name = "posts"
