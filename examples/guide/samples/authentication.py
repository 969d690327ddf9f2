"""Guide, "Authentication"."""

from django_bolt import BoltAPI

api = BoltAPI()

from django.contrib.auth import aauthenticate

@api.post("/login")
async def login(username: str, password: str):
    """Login endpoint using async auth"""
    user = await aauthenticate(username=username, password=password)

    if user is not None:
        return {
            "success": True,
            "user_id": user.id,
            "username": user.username
        }

    return {"success": False, "error": "Invalid credentials"}
