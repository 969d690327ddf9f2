"""Guide, "Single Object Operations"."""

from django_bolt import BoltAPI
from users.models import User

api = BoltAPI()


@api.post("/run")
async def single_object_operations():
    """Get, create, get or create, update or create, first and last, earliest and latest"""
    await User.objects.filter(username="john").adelete()

    # Get single object
    user = await User.objects.aget(pk=1)

    # Create object
    user = await User.objects.acreate(
        username='john',
        email='john@example.com'
    )

    # Get or create
    user, created = await User.objects.aget_or_create(
        username='john',
        defaults={'email': 'john@example.com'}
    )

    # Update or create
    user, created = await User.objects.aupdate_or_create(
        username='john',
        defaults={'email': 'new@example.com'}
    )

    # Get first/last
    first = await User.objects.afirst()
    last = await User.objects.alast()

    # Get earliest/latest by date field
    earliest = await User.objects.aearliest('date_joined')
    latest = await User.objects.alatest('date_joined')

    await user.adelete()
    return {
        "created_by_update_or_create": created,
        "email": user.email,
        "first": first.username,
        "last_is_john": last.username == "john",
        "earliest": earliest.username,
        "latest_is_john": latest.username == "john",
    }
