"""No Django views."""

from __future__ import annotations

urlpatterns: list[object] = []
