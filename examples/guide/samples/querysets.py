"""Guide, "Returning QuerySets Directly"."""

from django_bolt import BoltAPI

api = BoltAPI()

from users.models import User
import msgspec

class UserSchema(msgspec.Struct):
    id: int
    username: str
    email: str

@api.get("/users")
async def list_users() -> list[UserSchema]:
    """Return QuerySet directly - Django-Bolt handles iteration"""
    # This works! Django-Bolt uses async for iteration automatically
    return User.objects.all()[:10]
