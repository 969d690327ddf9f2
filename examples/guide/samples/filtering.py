"""Guide, "Filtering with Q Objects"."""

from django_bolt import BoltAPI
from users.models import User

api = BoltAPI()

from django.db.models import Q

@api.get("/users/search")
async def search_users(q: str):
    """Search users by username or email"""
    results = []
    async for user in User.objects.filter(
        Q(username__icontains=q) | Q(email__icontains=q)
    )[:20]:
        results.append({
            "id": user.id,
            "username": user.username,
            "email": user.email
        })

    return {"results": results, "count": len(results)}
