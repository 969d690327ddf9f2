"""Django's own apps on the loop: users, sessions, caches, password hashing."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from django.contrib.auth import aauthenticate, aget_user, alogin, alogout
from django.contrib.auth.hashers import acheck_password, check_password, make_password
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import caches
from django.http import HttpRequest
from django.test.utils import override_settings
from testproject.blog.models import Post

from django_bolt import _core
from django_bolt.concurrency import to_worker

FAST = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])


def request() -> HttpRequest:
    made = HttpRequest()
    made.session = SessionStore()
    made.user = AnonymousUser()
    return made


@pytest.mark.threads
async def test_login_and_logout() -> None:
    with FAST:
        await User.objects.acreate_user("ann", password="secret")
        user = await aauthenticate(username="ann", password="secret")
        assert user is not None
        assert await aauthenticate(username="ann", password="wrong") is None
        made = request()
        await alogin(made, user)
        assert made.session.session_key
        await made.session.asave()
        again = request()
        again.session = SessionStore(made.session.session_key)
        assert (await aget_user(again)).pk == user.pk
        await alogout(again)
        assert (await aget_user(again)).is_anonymous


async def test_permissions() -> None:
    kind = await ContentType.objects.aget_for_model(Post) if hasattr(ContentType.objects, "aget_for_model") else None
    kind = kind or await to_worker(ContentType.objects.get_for_model, Post)
    user = await User.objects.acreate(username="ann")
    permission = await Permission.objects.aget(content_type=kind, codename="add_post")
    await user.user_permissions.aadd(permission)
    fresh = await User.objects.aget(pk=user.pk)
    assert fresh.has_perm("blog.add_post")
    assert not (await User.objects.aget(pk=user.pk)).has_perm("blog.delete_post")


async def test_sessions() -> None:
    session = SessionStore()
    await session.aset("a", 1)
    await session.acreate()
    key = session.session_key
    assert key is not None
    assert await SessionStore(key).aget("a") == 1
    assert SessionStore(key)["a"] == 1
    await session.acycle_key()
    assert not await SessionStore().aexists(key)
    await session.aflush()


@pytest.mark.parametrize("alias", ["default", "database"])
async def test_caches(alias: str) -> None:
    cache = caches[alias]
    await cache.aset("a", 1)
    assert await cache.aget("a") == 1
    assert cache.get("a") == 1
    assert await cache.aincr("a") == 2
    await cache.aset_many({"b": 2, "c": 3})
    assert await cache.aget_many(["a", "b", "c"]) == {"a": 2, "b": 2, "c": 3}
    assert await cache.aget_or_set("d", lambda: 4) == 4
    assert await cache.aadd("d", 5) is False
    await cache.adelete_many(["b", "c"])
    assert await cache.aget("b") is None
    await cache.aclear()


@pytest.mark.threads
async def test_passwords_are_hashed_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.hashers import PBKDF2PasswordHasher  # noqa: PLC0415

    where: list[int] = []
    stock = PBKDF2PasswordHasher.encode

    def encode(self: Any, *args: Any, **kwargs: Any) -> Any:
        where.append(threading.get_ident())
        return stock(self, *args, **kwargs)

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", encode)
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 10)
    encoded = await to_worker(make_password, "secret")
    assert await acheck_password("secret", encoded)
    assert not await acheck_password("wrong", encoded)
    assert _core.in_worker()
    assert check_password("secret", encoded)
    user = await User.objects.acreate_user("ann", password="secret")
    assert await user.acheck_password("secret")
    user.set_password("other")
    assert user.check_password("other")
    assert len(where) >= 6
    assert threading.get_ident() not in where


async def test_gather_of_everything() -> None:
    async def one(i: int) -> object:
        session = SessionStore()
        session["n"] = i
        await session.asave()
        await caches["database"].aset(f"k{i}", i)
        return (await SessionStore(session.session_key).aget("n"), await caches["database"].aget(f"k{i}"))

    assert await asyncio.gather(*(one(i) for i in range(20))) == [(i, i) for i in range(20)]
