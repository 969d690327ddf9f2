"""Guide, "Iteration"."""

from django_bolt import BoltAPI
from users.models import User

api = BoltAPI()


@api.get("/users")
async def iterate_users():
    """Async iteration (Django 5.0+)"""
    # Async iteration (Django 5.0+)
    users = []
    async for user in User.objects.filter(is_active=True):
        users.append(user)

    return [user.username for user in users]


@api.get("/chunks")
async def iterate_in_chunks():
    """Async iterator for large datasets"""
    names = []

    def process(user):
        names.append(user.username)

    # Async iterator for large datasets
    async for user in User.objects.aiterator(chunk_size=1000):
        process(user)

    return names


@api.get("/values")
async def iterate_values():
    """values() and values_list(); what the guide prints is collected"""
    lines = []
    print = lines.append

    # ✅ CONFIRMED: Works with values() and values_list()
    async for data in User.objects.values('id', 'username'):
        print(data)  # {'id': 1, 'username': 'john'}

    async for username in User.objects.values_list('username', flat=True):
        print(username)  # 'john'

    # values_list() returns tuples when not flat
    async for id, username in User.objects.values_list('id', 'username'):
        print(f"{id}: {username}")  # 1: john

    return lines
