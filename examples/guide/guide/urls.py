"""Classic Django views would go here; the API routes are in ``guide.api``."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
