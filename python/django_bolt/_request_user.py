"""``await request.auser()``: the counterpart of Django's ``HttpRequest.auser``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_bolt._core import Request


async def auser(request: Request) -> Any:
    """The authenticated user, or AnonymousUser when there is none (``request.user`` is None then)."""
    if request.user is not None:
        return request.user
    # Models can only be imported once Django's app registry is ready; the extension is loaded before that.
    from django.contrib.auth.models import AnonymousUser  # noqa: PLC0415

    return AnonymousUser()
