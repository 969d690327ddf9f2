"""The application that ours and django-bolt both serve: one file, the public surface only."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
import payload
from articles.models import Article, Entry
from django.db.models import Count, Max, Q, Sum

from django_bolt import BoltAPI

api = BoltAPI(enable_logging=False, compression=False)


class OrderLine(msgspec.Struct):
    sku: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    price_cents: Annotated[int, msgspec.Meta(ge=0)]


class Order(msgspec.Struct):
    customer: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    email: str
    lines: list[OrderLine]
    express: bool = False
    note: str | None = None


class OrderSummary(msgspec.Struct):
    customer: str
    lines: int
    total_cents: int
    express: bool


class ArticleRow(msgspec.Struct):
    id: int
    title: str
    slug: str
    words: int
    rating: float
    published: bool
    created: datetime


class AuthorOut(msgspec.Struct):
    id: int
    name: str
    email: str


class ArticleDetail(msgspec.Struct):
    id: int
    title: str
    words: int
    created: datetime
    author: AuthorOut


class SearchPage(msgspec.Struct):
    total: int
    items: list[ArticleRow]


class Stats(msgspec.Struct):
    articles: int
    total_words: int
    longest: int


class EntryIn(msgspec.Struct):
    author_id: int
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class EntryOut(msgspec.Struct):
    id: int
    author_id: int
    text: str


@api.get("/")
async def hello() -> dict:
    return payload.HELLO


@api.get("/items/{item_id}")
async def typed(item_id: int, q: str = "") -> dict:
    return {"item_id": item_id, "q": q}


@api.get("/catalogue")
async def catalogue() -> dict:
    return payload.CATALOGUE


@api.post("/orders")
async def create_order(order: Order) -> OrderSummary:
    total_cents = sum(line.quantity * line.price_cents for line in order.lines)
    return OrderSummary(order.customer, len(order.lines), total_cents, order.express)


@api.get("/articles")
async def rows() -> list[ArticleRow]:
    return Article.objects.filter(published=True).order_by("id")[: payload.PAGE_SIZE]


@api.get("/articles/{article_id}")
async def related(article_id: int) -> ArticleDetail:
    article = await Article.objects.select_related("author").aget(id=article_id)
    author = AuthorOut(article.author.id, article.author.name, article.author.email)
    return ArticleDetail(article.id, article.title, article.words, article.created, author)


@api.get("/search")
async def search(q: str, page: int = 1) -> SearchPage:
    found = Article.objects.filter(Q(title__icontains=q) | Q(slug__icontains=q), published=True)
    total = await found.acount()
    first = (page - 1) * payload.PAGE_SIZE
    items = [
        ArticleRow(a.id, a.title, a.slug, a.words, a.rating, a.published, a.created)
        async for a in found.order_by("id")[first : first + payload.PAGE_SIZE]
    ]
    return SearchPage(total, items)


@api.get("/stats")
async def stats() -> Stats:
    found = await Article.objects.filter(published=True).aaggregate(
        articles=Count("id"), total_words=Sum("words"), longest=Max("words")
    )
    return Stats(**found)


@api.post("/entries")
async def insert(entry: EntryIn) -> EntryOut:
    created = await Entry.objects.acreate(author_id=entry.author_id, text=entry.text)
    return EntryOut(created.id, created.author_id, created.text)
