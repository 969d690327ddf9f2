"""Querysets, models, relations, iterators and cursors on the event loop, sync and async spelling."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.db import IntegrityError, connection, connections, reset_queries
from django.db.models import Count, F, QuerySet, Sum
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext, override_settings
from testproject.blog.models import Person, Post, Team

from django_bolt import _core
from django_bolt.concurrency import to_worker
from django_bolt.db import pooled


async def test_async_methods_of_querysets() -> None:
    posts = Post.objects.order_by("pk")
    ann = await Person.objects.aget(username="ann")
    assert await posts.acount() == 3
    assert await posts.aexists()
    assert await posts.acontains(await posts.afirst())
    assert (await posts.alast()).title == "three"
    assert (await posts.aearliest("pk")).title == "one"
    assert (await posts.alatest("pk")).title == "three"
    assert await posts.aaggregate(n=Count("id")) == {"n": 3}
    assert set(await Person.objects.ain_bulk(["ann"], field_name="username")) == {"ann"}
    assert [title async for title in posts.values_list("title", flat=True)] == ["one", "two", "three"]
    assert "Seq Scan" in (text := await posts.aexplain()) or "SCAN" in text or "Sort" in text
    with pytest.raises(Post.DoesNotExist):
        await posts.aget(title="none")
    with pytest.raises(Post.MultipleObjectsReturned):
        await posts.aget(author=ann)


async def test_async_writes() -> None:
    ann = await Person.objects.aget(username="ann")
    post, created = await Post.objects.aget_or_create(title="four", defaults={"author": ann})
    assert created
    post, created = await Post.objects.aupdate_or_create(title="four", defaults={"author": ann, "editor": ann})
    assert not created and post.editor_id == ann.pk
    await Post.objects.abulk_create([Post(title=f"bulk {i}", author=ann) for i in range(250)])
    some = [p async for p in Post.objects.filter(title__startswith="bulk")]
    for p in some:
        p.editor = ann
    assert await Post.objects.abulk_update(some, ["editor"]) == 250
    assert await Post.objects.filter(editor=ann).aupdate(editor=None) == 251
    post.title = "renamed"
    await post.asave(update_fields=["title"])
    await post.arefresh_from_db()
    assert post.title == "renamed" and post.editor_id is None
    await post.adelete()
    assert (await Post.objects.filter(title__startswith="bulk").adelete())[0] == 250
    with pytest.raises(IntegrityError):
        await Person.objects.acreate(username="ann", email="again@x.org")
    assert await Post.objects.acount() == 3


async def test_async_methods_of_related_managers() -> None:
    ann = await Person.objects.aget(username="ann")
    bob = await Person.objects.aget(username="bob")
    team = await ann.teams.acreate(name="web")
    await bob.teams.aadd(team)
    assert await team.members.acount() == 2
    await bob.teams.aset([])
    await ann.teams.aremove(team)
    assert await team.members.acount() == 0
    await ann.teams.aclear()
    post = await bob.posts.acreate(title="by bob")
    assert (await bob.posts.aget(pk=post.pk)).author_id == bob.pk
    assert (await bob.posts.aget_or_create(title="by bob"))[1] is False
    assert (await bob.posts.aupdate_or_create(title="new", defaults={}))[1] is True


def read_everything() -> list[Any]:
    post = Post.objects.get(title="two")
    page = Paginator(Post.objects.order_by("pk"), 2).page(2)
    teams = Person.objects.prefetch_related("teams").get(username="ann").teams.all()
    return [
        post.author.username,
        post.editor.email,
        post.author.profile.bio,
        [p.title for p in page],
        sorted(t.name for t in teams),
        Post.objects.aggregate(n=Sum(F("id") * 0 + 1))["n"],
        len(Post.objects.all()),
        bool(Post.objects.filter(title="none")),
        list(Post.objects.order_by("pk").values_list("title", flat=True)[1:]),
    ]


EVERYTHING = ["ann", "bob@x.org", "first", ["three"], ["core", "docs"], 3, 3, False, ["two", "three"]]


async def test_sync_orm_in_a_worker() -> None:
    assert await to_worker(read_everything) == EVERYTHING


async def test_sync_orm_in_a_task() -> None:
    assert _core.in_worker(), "the task factory puts every task into workers"
    assert read_everything() == EVERYTHING
    assert await asyncio.gather(*(child() for _ in range(20))) == [EVERYTHING] * 20
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(child()) for _ in range(5)]
    assert [task.result() for task in tasks] == [EVERYTHING] * 5
    assert await asyncio.wait_for(child(), 10) == EVERYTHING


async def child() -> list[Any]:
    first = read_everything()
    await asyncio.sleep(0)
    assert read_everything() == first
    return first


async def test_a_connection_is_held_only_while_it_is_needed() -> None:
    post = Post.objects.select_related("author").get(title="one")
    assert connection.connection is None
    list(Post.objects.all())
    assert connection.connection is None
    post.title = "uno"
    post.save()
    await post.asave()
    await Post.objects.aget(pk=post.pk)
    assert connection.connection is None


async def test_prefetch_related_with_aiterator() -> None:
    people = [p async for p in Person.objects.prefetch_related("teams", "posts").order_by("pk").aiterator(chunk_size=1)]
    assert [[len(p.teams.all()), len(p.posts.all())] for p in people] == [[2, 2], [0, 1]]


def drop_iterator(posts: QuerySet[Post]) -> object:
    iterator = posts.iterator(chunk_size=10)
    assert next(iterator).title == "bulk 0"
    assert connection.connection is not None, "an open cursor holds its connection"
    return iterator


@pytest.mark.parametrize("by_exception", [False, True])
async def test_dropped_iterators_give_the_connection_back(by_exception: bool) -> None:
    ann = await Person.objects.aget(username="ann")
    await Post.objects.abulk_create([Post(title=f"bulk {i}", author=ann) for i in range(300)])
    posts = Post.objects.filter(title__startswith="bulk").order_by("pk")
    iterator = await to_worker(drop_iterator, posts)
    del iterator
    gc.collect()
    assert connection.connection is None
    try:
        async for post in posts.aiterator(chunk_size=10):
            if by_exception:
                raise KeyError(post.title)
            break
    except KeyError:
        pass
    del post
    gc.collect()
    for _ in range(10):  # each of the nested asynchronous generators is closed by a task of its own
        await asyncio.sleep(0)
    assert connection.connection is None
    assert await posts.acount() == 300


async def test_raw_cursors() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT title FROM blog_post WHERE title <> %s ORDER BY id", ["one"])
        assert cursor.fetchone() == ("two",)
        await asyncio.sleep(0)
        assert cursor.fetchall() == [("three",)]
        cursor.execute("SELECT title FROM blog_post ORDER BY id")
        assert [row[0] for row in cursor] == ["one", "two", "three"]
        cursor.execute("SELECT title FROM blog_post ORDER BY id")
        assert len(cursor.fetchmany(2)) == 2
        cursor.executemany("UPDATE blog_post SET title = %s WHERE title = %s", [("1", "one"), ("2", "two")])
        assert cursor.rowcount == 2
    assert connection.connection is None
    with connection.cursor() as first, connection.cursor() as second:
        first.execute("SELECT id FROM blog_post ORDER BY id")
        first.fetchone()
        second.execute("SELECT count(*) FROM blog_post")
        assert second.fetchone() == (3,)
        assert len(first.fetchall()) == 2
    assert connection.connection is None
    assert [p.title for p in Post.objects.raw("SELECT * FROM blog_post WHERE title = %s", ["1"])] == ["1"]


async def test_execute_wrapper_is_the_tasks_own() -> None:
    seen: list[str] = []

    def record(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(record):
        await asyncio.gather(asyncio.create_task(child()), asyncio.create_task(child()))
        assert seen == []
        await Post.objects.acount()
        Post.objects.count()
    Post.objects.count()
    assert len(seen) == 2


async def test_queries_are_logged_per_task() -> None:
    async def queries(n: int) -> int:
        with CaptureQueriesContext(connection):
            for _ in range(n):
                await Post.objects.acount()
            return len(connection.queries)

    assert await asyncio.gather(queries(3), queries(5)) == [3, 5]
    with CaptureQueriesContext(connection) as captured:
        await Post.objects.acount()
        Post.objects.exists()
    assert len(captured) == 2
    assert "COUNT" in captured[0]["sql"]


def test_debug_logs_queries(run: Any) -> None:
    async def main() -> None:
        reset_queries()
        await Post.objects.acount()
        assert len(connection.queries) == 1
        reset_queries()
        assert connection.queries == []

    with override_settings(DEBUG=True):
        run(main())


async def test_signal_receivers_sync_and_async() -> None:
    seen: list[object] = []

    def sync_receiver(sender: object, instance: Post, **kwargs: object) -> None:
        seen.append(Post.objects.filter(pk=instance.pk).exists())

    async def async_receiver(sender: object, instance: Post, **kwargs: object) -> None:
        await asyncio.sleep(0)
        seen.append((await Person.objects.aget(pk=instance.author_id)).username)

    post_save.connect(sync_receiver, sender=Post)
    post_save.connect(async_receiver, sender=Post)
    try:
        ann = Person.objects.get(username="ann")
        Post.objects.create(title="signals", author=ann)
        await Post.objects.acreate(title="signals", author=ann)
        post = await Post.objects.afirst()
        assert post is not None
        await post.asave()
    finally:
        post_save.disconnect(sync_receiver, sender=Post)
        post_save.disconnect(async_receiver, sender=Post)
    assert seen == [True, "ann"] * 3


async def test_wrappers_are_the_tasks_own_and_are_reused() -> None:
    async def wrapper() -> object:
        await Post.objects.acount()
        await asyncio.sleep(0)
        return connections["default"]

    first, second = await asyncio.gather(wrapper(), wrapper())
    assert first is not second
    await asyncio.sleep(0)
    third = await asyncio.create_task(wrapper())
    assert third in (first, second)


async def test_hundreds_of_tasks_on_a_small_pool(pool_options: dict[str, Any]) -> None:
    pool_options["max_size"] = 4

    async def one(i: int) -> int:
        team = await Team.objects.acreate(name=f"team {i}")
        await asyncio.sleep(0)
        return Team.objects.filter(pk=team.pk).count()

    assert await asyncio.gather(*(one(i) for i in range(500))) == [1] * 500
    [pool] = [pool for key, pool in pooled._pools.items() if key[0] is asyncio.get_running_loop()]
    assert pool.size <= 4
