"""Guide, "Model Instance Methods"."""

from django_bolt import BoltAPI
from users.models import User

api = BoltAPI()


@api.post("/save")
async def save_and_delete():
    """Save, update one field, delete"""
    await User.objects.filter(username="john").adelete()

    # Save instance
    user = User(username='john', email='john@example.com')
    await user.asave()

    # Update and save
    user.email = 'new@example.com'
    await user.asave(update_fields=['email'])

    saved = await User.objects.values("username", "email").aget(pk=user.pk)

    # Delete instance
    await user.adelete()

    return {"saved": saved, "left": await User.objects.filter(username="john").acount()}


@api.get("/refresh")
async def refresh():
    """Forget what was changed in memory only"""
    user = await User.objects.aget(username="alice")
    user.email = "only-in-memory@example.com"

    # Refresh from database
    await user.arefresh_from_db()

    return {"email": user.email}
