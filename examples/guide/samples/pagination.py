"""Guide, "Pagination"."""

from users.models import User

from django_bolt import BoltAPI

api = BoltAPI()

@api.get("/users")
async def list_users(page: int = 1, page_size: int = 20):
    """Paginated user list"""
    offset = (page - 1) * page_size

    # Get total count
    total = await User.objects.acount()

    # Get page of users
    users = []
    async for user in User.objects.all()[offset:offset + page_size]:
        users.append({
            "id": user.id,
            "username": user.username,
            "email": user.email
        })

    return {
        "items": users,
        "total": total,
        "page": page,
        "page_size": page_size,
        "total_pages": (total + page_size - 1) // page_size
    }
