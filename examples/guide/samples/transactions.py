"""Guide, "Transactions"."""

from django_bolt import BoltAPI
from users.models import User

api = BoltAPI()

from asgiref.sync import sync_to_async
from django.db import transaction

@api.post("/transfer")
async def transfer_funds(from_user_id: int, to_user_id: int, amount: float):
    """Transfer funds between users in a transaction"""

    @sync_to_async
    def do_transfer():
        with transaction.atomic():
            from_user = User.objects.get(pk=from_user_id)
            to_user = User.objects.get(pk=to_user_id)

            from_user.balance -= amount
            to_user.balance += amount

            from_user.save()
            to_user.save()

            return {"success": True}

    return await do_transfer()
