"""Guide, "Aggregation"."""

from django.db.models import Q
from django_bolt import BoltAPI
from users.models import User

api = BoltAPI()

from django.db.models import Count, Avg, Max, Min

@api.get("/users/stats")
async def user_stats():
    """Get user statistics"""
    stats = await User.objects.aaggregate(
        total_users=Count('id'),
        active_users=Count('id', filter=Q(is_active=True)),
        avg_age=Avg('age'),
        newest_user=Max('date_joined'),
        oldest_user=Min('date_joined')
    )

    return stats
