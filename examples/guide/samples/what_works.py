"""Guide, "What Works": the rows of its table that no other section shows."""

from __future__ import annotations

from django import forms
from django.core.cache import cache
from django_bolt import BoltAPI
from users.models import User

api = BoltAPI()


class ProfileForm(forms.Form):
    """Something to validate."""

    email = forms.EmailField()
    age = forms.IntegerField(min_value=18)


@api.get("/sorting")
async def sorting() -> dict[str, list[str]]:
    """order_by() and distinct()"""
    names = [user.username async for user in User.objects.order_by("-age")[:3]]
    domains = [name async for name in User.objects.values_list("groups__name", flat=True).order_by("groups__name").distinct()]
    return {"oldest": names, "groups": [name for name in domains if name is not None]}


@api.get("/only")
async def only_and_defer() -> dict[str, list[str]]:
    """only() and defer() fetch fewer columns"""
    with_only = [user.username async for user in User.objects.only("username")[:2]]
    with_defer = [user.username async for user in User.objects.defer("password", "email")[:2]]
    return {"only": with_only, "defer": with_defer}


@api.get("/cache")
async def django_cache(value: str = "kept") -> dict[str, object]:
    """Django's cache, through its async methods"""
    await cache.aset("guide-sample", value, timeout=60)
    found = await cache.aget("guide-sample")
    await cache.adelete("guide-sample")
    return {"found": found, "after_delete": await cache.aget("guide-sample")}


@api.get("/forms")
async def django_forms(email: str, age: str) -> dict[str, object]:
    """Django's forms validate and clean"""
    form = ProfileForm({"email": email, "age": age})
    if form.is_valid():
        return {"valid": True, "cleaned": form.cleaned_data}
    return {"valid": False, "errors": form.errors.get_json_data()}
