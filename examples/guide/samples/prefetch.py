"""Guide, "Prefetch Related"."""

from django_bolt import BoltAPI
from posts.models import Post
from users.models import User

api = BoltAPI()

# ✅ GOOD: Use select_related
@api.get("/posts")
async def list_posts():
    """List posts with authors (using select_related)"""
    posts = []
    async for post in Post.objects.select_related('author').all()[:10]:
        posts.append({
            "id": post.id,
            "title": post.title,
            "author": post.author.username
        })
    return {"posts": posts}

# ⚠️ ALTERNATIVE: Use sync_to_async for prefetch_related
@api.get("/users-with-groups")
async def users_with_groups():
    """Get users with prefetched groups"""
    from asgiref.sync import sync_to_async

    @sync_to_async
    def get_users_with_groups():
        users = User.objects.prefetch_related('groups').all()[:10]
        return list(users)  # Force evaluation in sync context

    users = await get_users_with_groups()

    # Now process in async context
    result = []
    for user in users:
        result.append({
            "id": user.id,
            "username": user.username,
            "groups": [g.name for g in user.groups.all()]
        })

    return {"users": result}
