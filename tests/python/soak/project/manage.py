#!/usr/bin/env python
"""Django's command line of the project under soak: ``python manage.py runbolt``."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soak.settings")
    execute_from_command_line(sys.argv)
