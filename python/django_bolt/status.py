"""Short name of ``django_bolt.status_codes``: ``from django_bolt import status``, then ``status.HTTP_201_CREATED``."""

from __future__ import annotations

from django_bolt.status_codes import *  # noqa: F403
