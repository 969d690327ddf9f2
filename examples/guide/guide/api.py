"""The example's API: the samples under their prefixes, and a page that lists them. ``manage.py runbolt`` finds it."""

from __future__ import annotations

from django.template.loader import render_to_string

from django_bolt import BoltAPI
from django_bolt.responses import HTML
from guide.catalogue import SECTIONS

api = BoltAPI()
for section in SECTIONS:
    api.mount(section.prefix, section.module.api)


@api.get("/")
async def landing() -> HTML:
    """Every handler, with links to try."""
    return HTML(render_to_string("landing.html", {"sections": SECTIONS}))


@api.get("/external/data")
async def external_data() -> dict[str, object]:
    """Stands in for another service, which samples/blocking.py fetches."""
    return {"service": "external", "values": [1, 2, 3]}
