"""Something to join with users."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Post(models.Model):
    """A text by one author."""

    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="posts")
    title = models.CharField(max_length=200)
    body = models.TextField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.title
