"""What ``runbolt`` says when it starts: where, what, and on which versions."""

from __future__ import annotations

import platform
from importlib.metadata import version

import django

from django_bolt._application import Application
from django_bolt._options import Address, ServeOptions
from django_bolt._worker import has_uvloop


def banner(address: Address, application: Application, options: ServeOptions) -> list[str]:
    """The lines of the start-up message; the first one ends with the URL."""
    loop = f"uvloop {version('uvloop')}" if has_uvloop() else "asyncio"
    return [
        f"Serving {_count(application.route_count, 'route')} of {', '.join(application.names)} on {address.url()}",
        f"  {_processes(options)} on {loop}; django-cbolt {version('django-cbolt')}, Django {django.get_version()}, "
        f"{platform.python_implementation()} {platform.python_version()}",
        f"  Access log {'on standard error' if options.access_log else 'off (--access-log)'}. Quit with CONTROL-C.",
    ]


def _processes(options: ServeOptions) -> str:
    if options.dev:
        return "Development mode: one process, restarted when a source file changes,"
    if options.supervised:
        return _count(options.processes, "worker process", "worker processes")
    return "One process"


def _count(number: int, singular: str, plural: str | None = None) -> str:
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
