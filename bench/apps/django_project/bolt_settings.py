"""Settings of the peers that serve `api.py` with `manage.py runbolt`."""

from __future__ import annotations

from settings import *  # noqa: F403
from settings import INSTALLED_APPS as BASE_APPS

INSTALLED_APPS = ["django_bolt", *BASE_APPS]
