"""Short forms of common responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.template import loader

from django_bolt.responses import Response


def render(
    request: Any,
    template_name: str | Sequence[str],
    context: Mapping[str, Any] | None = None,
    content_type: str | None = None,
    status: int | None = None,
    using: str | None = None,
) -> Response:
    """Render a Django template, context processors included. Raises TemplateDoesNotExist and TemplateSyntaxError."""
    content = loader.render_to_string(template_name, dict(context or {}), request, using=using)
    return Response(content, status or 200, media_type=content_type or "text/html")
