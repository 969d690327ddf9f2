"""Guide, "Best Practices" and "Performance Tips"."""

from django.db.models import Count, Q
from django_bolt import BoltAPI
from posts.models import Post
from users.models import User

from samples.querysets import UserSchema

api = BoltAPI()


@api.get("/get")
async def use_async_methods():
    """Use async ORM methods everywhere"""
    user = await User.objects.aget(pk=1)  # ✅
    return {"username": user.username}


@api.get("/iterate")
async def iterate():
    """Use async for to iterate QuerySets"""
    names = []

    def process(user):
        names.append(user.username)

    async for user in User.objects.all():  # ✅
        process(user)
    return names


@api.get("/join")
async def join():
    """Use select_related() for joins; what the guide prints is collected"""
    lines = []
    print = lines.append

    async for post in Post.objects.select_related('author'):  # ✅
        print(post.author.name)
    return lines


# Return QuerySets directly from handlers
@api.get("/users")
async def list_users() -> list[UserSchema]:
    return User.objects.all()[:10]  # ✅ Django-Bolt handles iteration


@api.get("/sync-to-async")
async def unsupported_features():
    """Use sync_to_async for unsupported features"""

    def sync_function():
        return User.objects.count()

    from asgiref.sync import sync_to_async

    result = await sync_to_async(sync_function)()  # ✅
    return result


@api.post("/bulk-create")
async def bulk_create():
    """Minimise queries: one for all, and one for each"""
    await User.objects.filter(username__startswith="temp-bulk-").adelete()
    users = [User(username=f"temp-bulk-{number}") for number in range(3)]

    # ✅ Good: Single query
    await User.objects.abulk_create(users)

    users = [{"username": f"temp-bulk-{number}"} for number in range(3, 5)]

    # ❌ Bad: N queries
    for user_data in users:
        await User.objects.acreate(**user_data)

    created = await User.objects.filter(username__startswith="temp-bulk-").acount()
    await User.objects.filter(username__startswith="temp-bulk-").adelete()
    return created


@api.get("/aggregate")
async def batch_aggregations():
    """Batch aggregations: one query, and two"""
    # ✅ Good: Single query
    stats = await User.objects.aaggregate(
        total=Count('id'),
        active=Count('id', filter=Q(is_active=True))
    )

    # ❌ Bad: Multiple queries
    total = await User.objects.acount()
    active = await User.objects.filter(is_active=True).acount()

    return {"stats": stats, "total": total, "active": active}


@api.get("/slice")
async def slice_in_the_database():
    """Limit in the database, and in Python"""
    names = []

    def process(user):
        names.append(user.username)

    # ✅ Good: Limit in database
    async for user in User.objects.all()[:100]:
        process(user)

    # ❌ Bad: Fetch all, limit in Python
    users = []
    async for user in User.objects.all():
        users.append(user)
        if len(users) >= 100:
            break

    return {"sliced": names, "broken_off": [user.username for user in users]}
