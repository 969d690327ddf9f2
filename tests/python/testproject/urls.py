"""No Django views: everything is served by APIs made in the tests."""

from __future__ import annotations

urlpatterns: list[object] = []
