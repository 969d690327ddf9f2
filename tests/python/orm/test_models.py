"""Models and querysets in results, against the database: which SQL runs, and what comes out."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import django.utils.asyncio
import msgspec
import pytest
from apis import call, calls
from django.db.backends.utils import CursorWrapper
from django.db.models import Count, F, QuerySet
from django.test import override_settings
from testproject.blog.models import Person, Post, Team

from django_bolt import JSON, BoltAPI, Response
from django_bolt._green import asgiref_hooks


class PersonOut(msgspec.Struct):
    id: int
    username: str


class Renamed(msgspec.Struct, rename="camel"):
    is_active: bool
    user_name: str = msgspec.field(name="login", default="nobody")


class TeamOut(msgspec.Struct):
    name: str


class ProfileOut(msgspec.Struct):
    bio: str


class PersonFull(msgspec.Struct):
    username: str
    teams: list[TeamOut]
    profile: ProfileOut | None


class PostOut(msgspec.Struct):
    title: str
    author: PersonOut


class PostNested(msgspec.Struct):
    title: str
    author: PersonFull
    editor: PersonOut | None


class PostIds(msgspec.Struct):
    title: str
    author: int
    editor_id: int | None


class Counted(msgspec.Struct):
    username: str
    n: int


class Shouting(msgspec.Struct):
    username: str
    shout: str


class TeamIds(msgspec.Struct):
    username: str
    teams: list[int]


class Page(msgspec.Struct):
    items: list[PersonOut]
    total: int = 0


PEOPLE = [{"id": 1, "username": "ann"}, {"id": 2, "username": "bob"}]
ANN_FULL = {"username": "ann", "teams": [{"name": "core"}, {"name": "docs"}], "profile": {"bio": "first"}}


def people() -> QuerySet[Person]:
    return Person.objects.order_by("id")


def posts() -> QuerySet[Post]:
    return Post.objects.order_by("id")


def answer(result: Any, model: Any = ..., **options: Any) -> Any:
    """What a handler that returns ``result`` with this response_model sends."""
    api = BoltAPI()
    if model is not ...:
        options["response_model"] = model

    @api.get("/", **options)
    async def handler():  # type: ignore[no-untyped-def]
        return result() if callable(result) else result

    response = call(api, "/")
    assert response.status == 200, response.content
    assert response.headers["content-type"] == "application/json"
    return response.json()


TYPED: list[tuple[Any, Any, Any]] = [
    (people, list[PersonOut], PEOPLE),
    (lambda: people().filter(age=30), list[PersonOut], PEOPLE[:1]),
    (lambda: people()[1:], list[PersonOut], PEOPLE[1:]),
    (people, list[Renamed], [{"isActive": True, "login": "nobody"}, {"isActive": False, "login": "nobody"}]),
    (posts, list[PostOut], [{"title": t, "author": PEOPLE[i]} for t, i in (("one", 0), ("two", 0), ("three", 1))]),
    (
        lambda: posts().filter(title="two"),
        list[PostNested],
        [{"title": "two", "author": ANN_FULL, "editor": PEOPLE[1]}],
    ),
    (lambda: posts()[1:2], list[PostIds], [{"title": "two", "author": 1, "editor_id": 2}]),
    (lambda: people().annotate(n=Count("posts"))[:1], list[Counted], [{"username": "ann", "n": 2}]),
    (lambda: people().annotate(n=F("id") + 1)[:1], list[Counted], [{"username": "ann", "n": 2}]),
    (lambda: people()[:1], list[Shouting], [{"username": "ann", "shout": "ANN"}]),
    (lambda: people()[:1], list[TeamIds], [{"username": "ann", "teams": [1, 2]}]),
    (lambda: people().only("username"), list[PersonOut], PEOPLE),
    (lambda: people().defer("email").prefetch_related("teams"), list[PersonOut], PEOPLE),
    (lambda: people().values("id", "username"), list[PersonOut], PEOPLE),
    (lambda: Person.objects, list[PersonOut], PEOPLE),
    (lambda: Person.objects.raw("SELECT * FROM blog_person ORDER BY id"), list[PersonOut], PEOPLE),
    (lambda: Person.objects.filter(id=1).union(Person.objects.filter(id=2)).order_by("id"), list[PersonOut], PEOPLE),
    (lambda: {"items": people(), "total": 2}, Page, {"items": PEOPLE, "total": 2}),
    (lambda: Page(items=people(), total=2), Page, {"items": PEOPLE, "total": 2}),  # type: ignore[arg-type]
    (lambda: Page(items=people(), total=2), ..., {"items": PEOPLE, "total": 2}),  # type: ignore[arg-type]
    (lambda: {"a": people()}, dict[str, list[PersonOut]], {"a": PEOPLE}),
    (lambda: JSON(people()), list[PersonOut], PEOPLE),
    (lambda: Response({"items": people()}), Page, {"items": PEOPLE, "total": 0}),
    (lambda: (200, people()), {200: list[PersonOut], 404: None}, PEOPLE),
    (lambda: people().values_list("username", flat=True), list[str], ["ann", "bob"]),
    (lambda: people().none(), list[PersonOut], []),
]  # fmt: skip


@pytest.mark.parametrize(("result", "model", "expected"), TYPED)
def test_typed(result: Any, model: Any, expected: Any) -> None:
    assert answer(result, model) == expected


UNCHECKED = [row for row in TYPED if row[1] in (list[PersonOut], list[PostOut], list[PostNested], list[PostIds])]


@pytest.mark.parametrize(("result", "model", "expected"), UNCHECKED)
def test_without_validation_the_declared_fields_still_choose(result: Any, model: Any, expected: Any) -> None:
    assert answer(result, model, validate_response=False) == expected


def test_without_validation_defaults_are_not_filled_in() -> None:
    assert answer(people()[:1], list[Renamed], validate_response=False) == [{"isActive": True}]
    assert answer(lambda: {"items": people()}, Page, validate_response=False) == {"items": PEOPLE}


ANN = {"id": 1, "username": "ann", "email": "ann@x.org", "is_active": True, "age": 30, "password": "secret"}
BOB = {"id": 2, "username": "bob", "email": "bob@x.org", "is_active": False, "age": None, "password": "secret"}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (people, [ANN, BOB]),
        (lambda: people().filter(id=2), [BOB]),
        (lambda: posts()[:1], [{"id": 1, "title": "one", "author_id": 1, "editor_id": None}]),
        (lambda: people().annotate(n=Count("posts"))[:1], [{**ANN, "n": 2}]),
        (lambda: people().only("username"), PEOPLE),
        (lambda: people().defer("password", "email", "age", "is_active"), PEOPLE),
        (lambda: people().values("username"), [{"username": "ann"}, {"username": "bob"}]),
        (lambda: people().values_list("id", "username"), [[1, "ann"], [2, "bob"]]),
        (lambda: people().values_list("id", "username", named=True), [[1, "ann"], [2, "bob"]]),
        (lambda: people().values_list("username", flat=True), ["ann", "bob"]),
        (lambda: Person.objects.raw("SELECT * FROM blog_person WHERE id = 1"), [ANN]),
        (lambda: Team.objects, [{"id": 1, "name": "core"}, {"id": 2, "name": "docs"}]),
        (lambda: {"people": people(), "n": 2}, {"people": [ANN, BOB], "n": 2}),
        (lambda: [{"deep": (people(),)}], [{"deep": [[ANN, BOB]]}]),
        (lambda: JSON({"people": people()}), {"people": [ANN, BOB]}),
        (lambda: JSON(people(), 200), [ANN, BOB]),
    ],
)
def test_untyped(result: Any, expected: Any) -> None:
    assert answer(result) == expected


def test_instances() -> None:
    api = BoltAPI()

    @api.get("/typed")
    async def typed() -> PersonOut:
        return await Person.objects.aget(id=1)  # type: ignore[return-value]

    @api.get("/untyped")
    async def untyped():  # type: ignore[no-untyped-def]
        return await Person.objects.aget(id=1)

    @api.get("/annotated")
    async def annotated() -> Person:
        return await Person.objects.aget(id=1)

    @api.get("/optional")
    async def optional() -> PersonOut | None:
        return await Person.objects.filter(id=99).afirst()  # type: ignore[return-value]

    @api.get("/relations")
    async def relations() -> PostNested:
        return await Post.objects.aget(title="two")  # type: ignore[return-value]

    @api.get("/no-profile")
    async def no_profile() -> PersonFull:
        return await Person.objects.aget(username="bob")  # type: ignore[return-value]

    @api.get("/listed")
    async def listed() -> list[PersonOut]:
        return [person async for person in people()]  # type: ignore[misc]

    @api.get("/in-dict")
    async def in_dict():  # type: ignore[no-untyped-def]
        return {"person": await Person.objects.aget(id=2)}

    @api.get("/in-struct")
    async def in_struct() -> Page:
        return Page(items=[person async for person in people()])  # type: ignore[misc]

    @api.get("/missing")
    async def missing() -> PersonOut:
        return await Person.objects.aget(id=99)  # type: ignore[return-value]

    expected = {
        "/typed": PEOPLE[0],
        "/untyped": ANN,
        "/annotated": ANN,
        "/optional": None,
        "/relations": {"title": "two", "author": ANN_FULL, "editor": PEOPLE[1]},
        "/no-profile": {"username": "bob", "teams": [], "profile": None},
        "/listed": PEOPLE,
        "/in-dict": {"person": BOB},
        "/in-struct": {"items": PEOPLE, "total": 0},
        "/missing": {"detail": "Person matching query does not exist."},
    }
    assert {path: call(api, path).json() for path in expected} == expected
    assert call(api, "/missing").status == 404


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every SELECT sent to the database, in whatever thread."""
    seen: list[str] = []
    execute = CursorWrapper.execute

    def recording(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        if str(sql).startswith("SELECT"):
            seen.append(str(sql))
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", recording)
    return seen


def test_only_the_declared_columns_are_fetched(statements: list[str]) -> None:
    assert answer(people, list[PersonOut]) == PEOPLE
    (statement,) = statements
    assert '"username"' in statement
    for column in ("email", "password", "age", "is_active"):
        assert column not in statement


def test_nested_relations_take_one_query_each(statements: list[str]) -> None:
    assert len(answer(posts, list[PostNested])) == 3
    select, prefetch = statements
    assert select.count("JOIN") == 3  # author, the author's profile, editor
    assert "blog_person_teams" in prefetch


def test_an_evaluated_queryset_is_not_evaluated_again(statements: list[str]) -> None:
    api = BoltAPI()

    @api.get("/")
    async def handler() -> list[PersonOut]:
        found = people()
        async for _ in found:
            pass
        return found  # type: ignore[return-value]

    assert call(api, "/").json() == PEOPLE
    assert len(statements) == 1


@pytest.mark.parametrize("model", [list[PersonOut], list[PersonFull], ...])
def test_queries_run_on_the_loops_thread_where_they_may_wait(monkeypatch: pytest.MonkeyPatch, model: Any) -> None:
    threads: set[int] = set()
    used: set[Any] = set()
    execute = CursorWrapper.execute

    def recording(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        threads.add(threading.get_ident())
        used.add(self.db)
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", recording)
    monkeypatch.setattr(django.utils.asyncio, "get_running_loop", asyncio.get_running_loop)
    answer(people, model)
    assert threading.get_ident() not in threads
    threads.clear()
    used.clear()
    monkeypatch.setattr(django.utils.asyncio, "get_running_loop", asgiref_hooks._get_running_loop)
    answer(people, model)
    for connection in used:  # it belongs to the request's context, where nobody closes it
        connection.close()
    assert threads == {threading.get_ident()}


def test_distinct_keeps_its_meaning(statements: list[str]) -> None:
    """Fewer columns would make fewer rows distinct."""

    class ActiveOnly(msgspec.Struct):
        password: str

    assert answer(lambda: people().distinct(), list[ActiveOnly]) == [{"password": "secret"}] * 2


def test_wrong_rows_are_refused() -> None:
    class Wrong(msgspec.Struct):
        username: int

    api = BoltAPI()

    @api.get("/")
    async def handler() -> list[Wrong]:
        return people()  # type: ignore[return-value]

    response = call(api, "/")
    assert response.status == 500
    assert response.json()["extra"]["validation_errors"] == [
        {"loc": ["response"], "msg": "Expected `int`, got `str` - at `$[0].username`", "type": "validation_error"}
    ]


def test_a_response_object_may_be_returned_again(statements: list[str]) -> None:
    api = BoltAPI()
    shared = JSON({"people": people()})

    @api.get("/")
    async def handler() -> Any:
        return shared

    responses = calls(api, [("/", "GET", [], b"")] * 2)
    assert [response.json() for response in responses] == [{"people": [ANN, BOB]}] * 2


@override_settings(DEBUG=True)
def test_traceback_page_with_a_queryset_among_the_variables() -> None:
    api = BoltAPI()

    @api.get("/")
    async def handler() -> None:
        found = people()
        raise ValueError(f"with {type(found).__name__}")

    response = call(api, "/")
    assert (response.status, response.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert b"with QuerySet" in response.content
