"""URLs of the plain Django peer; `runbolt` peers serve api.py and only need the module to exist."""

from __future__ import annotations

import views
from django.urls import path

urlpatterns = [
    path("", views.hello),
    path("items/<int:item_id>", views.typed),
    path("catalogue", views.catalogue),
    path("articles", views.rows),
    path("articles/<int:article_id>", views.related),
    path("search", views.search),
    path("stats", views.stats),
    path("entries", views.insert),
]
