"""The Django application: put ``"django_bolt"`` into INSTALLED_APPS to get ``manage.py runbolt``."""

from __future__ import annotations

from pathlib import Path

from django.apps import AppConfig


class DjangoBoltConfig(AppConfig):
    """Registers the management command; has no models."""

    name = "django_bolt"
    verbose_name = "Django Bolt"
    # Django would take the package's __path__, which an editable install points at its own loader.
    path = str(Path(__file__).parent)
