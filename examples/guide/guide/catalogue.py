"""What the landing page shows: every handler of the samples, with requests to try."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from samples import (
    aggregation,
    authentication,
    best_practices,
    blocking,
    bulk,
    filtering,
    instances,
    iteration,
    pagination,
    prefetch,
    queries,
    querysets,
    related,
    single_objects,
    transactions,
    what_works,
)


@dataclass(frozen=True, slots=True)
class Example:
    """One handler and the requests that show it: paths below the section's prefix, with their queries."""

    handler: Callable[..., Any]
    tries: Sequence[str]
    method: str = "GET"
    title: str = field(init=False)
    source: str = field(init=False)

    def __post_init__(self) -> None:
        title = (inspect.getdoc(self.handler) or self.handler.__name__.replace("_", " ")).splitlines()[0]
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "source", inspect.getsource(self.handler).rstrip())


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the guide and the module that holds its code."""

    title: str
    module: ModuleType
    examples: Sequence[Example]

    @property
    def prefix(self) -> str:
        """Where the module's API is mounted: ``samples.best_practices`` at ``/best-practices``."""
        return "/" + self.module.__name__.rpartition(".")[2].replace("_", "-")


SECTIONS: tuple[Section, ...] = (
    Section(
        "Single object operations",
        single_objects,
        [Example(single_objects.single_object_operations, ["/run"], "POST")],
    ),
    Section("Bulk operations", bulk, [Example(bulk.bulk_operations, ["/run"], "POST")]),
    Section("Query operations", queries, [Example(queries.query_operations, ["/run"], "POST")]),
    Section(
        "Iteration",
        iteration,
        [
            Example(iteration.iterate_users, ["/users"]),
            Example(iteration.iterate_in_chunks, ["/chunks"]),
            Example(iteration.iterate_values, ["/values"]),
        ],
    ),
    Section(
        "Model instance methods",
        instances,
        [Example(instances.save_and_delete, ["/save"], "POST"), Example(instances.refresh, ["/refresh"])],
    ),
    Section(
        "Related object methods",
        related,
        [
            Example(related.many_to_many, ["/run"], "POST"),
            Example(related.related_objects, ["/groups", "/groups?username=judy"]),
        ],
    ),
    Section("Pagination", pagination, [Example(pagination.list_users, ["/users", "/users?page=2&page_size=5"])]),
    Section("Filtering with Q objects", filtering, [Example(filtering.search_users, ["/users/search?q=ar"])]),
    Section("Aggregation", aggregation, [Example(aggregation.user_stats, ["/users/stats"])]),
    Section(
        "Authentication",
        authentication,
        [
            Example(
                authentication.login,
                ["/login?username=alice&password=guide-password", "/login?username=alice&password=wrong"],
                "POST",
            )
        ],
    ),
    Section("Returning QuerySets directly", querysets, [Example(querysets.list_users, ["/users"])]),
    Section(
        "Transactions",
        transactions,
        [
            Example(
                transactions.transfer_funds,
                [
                    "/transfer?from_user_id=1&to_user_id=2&amount=12.5",
                    "/transfer?from_user_id=2&to_user_id=1&amount=12.5",
                ],
                "POST",
            )
        ],
    ),
    Section(
        "Prefetch related",
        prefetch,
        [Example(prefetch.list_posts, ["/posts"]), Example(prefetch.users_with_groups, ["/users-with-groups"])],
    ),
    Section("Blocking operations", blocking, [Example(blocking.fetch_external, ["/external-data"])]),
    Section(
        "What works",
        what_works,
        [
            Example(what_works.sorting, ["/sorting"]),
            Example(what_works.only_and_defer, ["/only"]),
            Example(what_works.django_cache, ["/cache", "/cache?value=other"]),
            Example(what_works.django_forms, ["/forms?email=alice@example.com&age=34", "/forms?email=alice&age=7"]),
        ],
    ),
    Section(
        "Best practices and performance tips",
        best_practices,
        [
            Example(best_practices.use_async_methods, ["/get"]),
            Example(best_practices.iterate, ["/iterate"]),
            Example(best_practices.join, ["/join"]),
            Example(best_practices.list_users, ["/users"]),
            Example(best_practices.unsupported_features, ["/sync-to-async"]),
            Example(best_practices.bulk_create, ["/bulk-create"], "POST"),
            Example(best_practices.batch_aggregations, ["/aggregate"]),
            Example(best_practices.slice_in_the_database, ["/slice"]),
        ],
    ),
)
