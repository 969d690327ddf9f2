"""The same answers from ordinary synchronous Django views."""

from __future__ import annotations

import json

import payload
from articles.models import Article, Entry
from django.db.models import Count, Max, Q, Sum
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

ROW_COLUMNS = ("id", "title", "slug", "words", "rating", "published", "created")


def hello(request: HttpRequest) -> JsonResponse:
    return JsonResponse(payload.HELLO)


def typed(request: HttpRequest, item_id: int) -> JsonResponse:
    return JsonResponse({"item_id": item_id, "q": request.GET.get("q", "")})


def catalogue(request: HttpRequest) -> JsonResponse:
    return JsonResponse(payload.CATALOGUE)


def rows(request: HttpRequest) -> JsonResponse:
    found = Article.objects.filter(published=True).order_by("id").values(*ROW_COLUMNS)
    return JsonResponse(list(found[: payload.PAGE_SIZE]), safe=False)


def related(request: HttpRequest, article_id: int) -> JsonResponse:
    article = Article.objects.select_related("author").get(id=article_id)
    author = {"id": article.author.id, "name": article.author.name, "email": article.author.email}
    return JsonResponse(
        {
            "id": article.id,
            "title": article.title,
            "words": article.words,
            "created": article.created,
            "author": author,
        }
    )


def search(request: HttpRequest) -> JsonResponse:
    q = request.GET["q"]
    first = (int(request.GET.get("page", "1")) - 1) * payload.PAGE_SIZE
    found = Article.objects.filter(Q(title__icontains=q) | Q(slug__icontains=q), published=True)
    items = found.order_by("id").values(*ROW_COLUMNS)[first : first + payload.PAGE_SIZE]
    return JsonResponse({"total": found.count(), "items": list(items)})


def stats(request: HttpRequest) -> JsonResponse:
    found = Article.objects.filter(published=True).aggregate(
        articles=Count("id"), total_words=Sum("words"), longest=Max("words")
    )
    return JsonResponse(found)


@csrf_exempt
def insert(request: HttpRequest) -> JsonResponse:
    data = json.loads(request.body)
    entry = Entry.objects.create(author_id=data["author_id"], text=data["text"])
    return JsonResponse({"id": entry.id, "author_id": entry.author_id, "text": entry.text})
