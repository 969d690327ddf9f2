"""Guide, "Query Operations"."""

from django_bolt import BoltAPI
from users.models import User

api = BoltAPI()


@api.post("/run")
async def query_operations():
    """Count, exists, contains, update, delete, aggregate, explain"""
    user_instance = await User.objects.aget(username="alice")
    inactive = [user.pk async for user in User.objects.filter(is_active=False)]
    await User.objects.aget_or_create(username="temp")

    # Count
    total = await User.objects.acount()
    active = await User.objects.filter(is_active=True).acount()

    # Exists
    exists = await User.objects.filter(username='john').aexists()

    # Contains
    contains = await User.objects.acontains(user_instance)

    # Update
    updated_count = await User.objects.filter(is_active=False).aupdate(is_active=True)

    await User.objects.filter(pk__in=inactive).aupdate(is_active=False)

    # Delete
    deleted_count, _ = await User.objects.filter(username='temp').adelete()

    # Aggregate
    from django.db.models import Count, Avg
    stats = await User.objects.aaggregate(
        total=Count('id'),
        avg_age=Avg('age')
    )

    # Query explanation
    explanation = await User.objects.filter(is_active=True).aexplain()

    return {
        "total": total,
        "active": active,
        "exists": exists,
        "contains": contains,
        "updated_count": updated_count,
        "deleted_count": deleted_count,
        "stats": stats,
        "explained": bool(explanation),
    }
