"""Guide, "Related Object Methods"."""

from django.contrib.auth.models import Group
from django_bolt import BoltAPI
from users.models import User

api = BoltAPI()


@api.post("/run")
async def many_to_many():
    """Set, add, remove and clear the groups of a user made for it"""
    user, _ = await User.objects.aget_or_create(username="temp-related")
    group1, group2, group3 = [group async for group in Group.objects.order_by("name")]

    # Many-to-Many operations
    await user.groups.aset([group1, group2])
    await user.groups.aadd(group3)
    await user.groups.aremove(group1)
    await user.groups.aclear()

    cleared = await user.groups.acount()
    await user.adelete()
    return {"groups_after_clear": cleared}


@api.get("/groups")
async def related_objects(username: str = "alice"):
    """The groups of a user"""
    user = await User.objects.aget(username=username)

    # Get related objects
    groups = []
    async for group in user.groups.all():
        groups.append(group)

    return sorted(group.name for group in groups)
