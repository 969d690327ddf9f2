"""The example's user model (AUTH_USER_MODEL): Django's, with an age to average and a balance to transfer."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Somebody with an age and some money. Groups come from Django's own permission model."""

    age = models.PositiveSmallIntegerField(default=0)
    balance = models.FloatField(default=0.0)

    class Meta:
        ordering = ("id",)

    @property
    def name(self) -> str:
        """The full name, else the user name."""
        return self.get_full_name() or self.username
