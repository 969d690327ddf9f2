"""No database, no apps but ours: what grows here is the framework's doing."""

from __future__ import annotations

SECRET_KEY = "for the soak only"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_bolt"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "soak.urls"
USE_TZ = True
# Handlers fail on purpose by the thousand. Everything else that is logged is a finding: the soak wants no such line.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}, "nowhere": {"class": "logging.NullHandler"}},
    "root": {"handlers": ["console"], "level": "ERROR"},
    "loggers": {"django.request": {"handlers": ["nowhere"], "propagate": False}},
}
