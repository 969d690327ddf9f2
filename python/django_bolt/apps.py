"""The Django application: put ``"django_bolt"`` into INSTALLED_APPS to get ``manage.py runbolt``."""

from __future__ import annotations

from django.apps import AppConfig


class DjangoBoltConfig(AppConfig):
    """Registers the management command; has no models."""

    name = "django_bolt"
    verbose_name = "Django Bolt"
