"""Guide, "Bulk Operations"."""

from django_bolt import BoltAPI
from users.models import User

api = BoltAPI()


@api.post("/run")
async def bulk_operations():
    """Create and update a hundred users at once, then fetch five by their ids"""
    await User.objects.filter(username__regex=r"^user\d+$").adelete()

    # Bulk create
    users = [
        User(username=f'user{i}', email=f'user{i}@example.com')
        for i in range(100)
    ]
    created = await User.objects.abulk_create(users)

    for user in users:
        user.email = f"{user.username}@example.org"
        user.is_active = False
    await User.objects.filter(pk__in=[user.pk for user in users]).aupdate(is_active=False)

    # Bulk update
    users = await User.objects.filter(is_active=False).abulk_update(
        users,
        ['email', 'is_active']
    )

    updated = users

    # Get objects in bulk by IDs
    users = await User.objects.ain_bulk([1, 2, 3, 4, 5])

    renamed = await User.objects.filter(email__endswith="@example.org").acount()
    deleted, _ = await User.objects.filter(username__regex=r"^user\d+$").adelete()
    return {
        "created": len(created),
        "updated": updated,
        "renamed": renamed,
        "in_bulk": {str(pk): user.username for pk, user in users.items()},
        "deleted": deleted,
    }
