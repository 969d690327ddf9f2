"""Guide, "Blocking Operations"; its external service is one of our own handlers (settings.GUIDE_EXTERNAL_URL)."""

from django.conf import settings
from django_bolt import BoltAPI

api = BoltAPI()
EXTERNAL_URL = settings.GUIDE_EXTERNAL_URL

import asyncio
import requests  # Blocking HTTP library

@api.get("/external-data")
async def fetch_external():
    """Fetch data from external API"""
    # Run blocking request in thread pool
    response = await asyncio.to_thread(
        requests.get,
        EXTERNAL_URL
    )
    return response.json()
