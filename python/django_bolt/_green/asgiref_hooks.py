"""sync_to_async and async_to_sync on the event loop's own thread.

``sync_to_async`` is redirected only in the modules whose functions wait through a database connection. Elsewhere
(views,
middleware, templates, storages) it may wrap code that blocks by itself and keeps using threads, except inside an open
transaction: there the function has to see that transaction, so it runs in it.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import Any

import django.utils.asyncio
from asgiref.sync import AsyncToSync, SyncToAsync, iscoroutinefunction
from django.apps import apps

from django_bolt import _core
from django_bolt.db.scope import in_transaction, lend_to_loop

REDIRECTED_MODULES = (
    "django.db.models.query",
    "django.db.models.base",
    "django.db.models.fields.related_descriptors",
    "django.contrib.contenttypes.fields",
    "django.contrib.auth.backends",
    "django.contrib.sessions.backends.base",
    "django.contrib.sessions.backends.db",
    "django.core.cache.backends.base",
)
#: modules that import models, which fails where the application is not installed (nothing uses the module then)
APPS_OF_MODELS = {
    "django.contrib.contenttypes.fields": "django.contrib.contenttypes",
    "django.contrib.auth.backends": "django.contrib.auth",
    "django.contrib.sessions.backends.db": "django.contrib.sessions",
}


def redirected_sync_to_async(
    func: Callable[..., Any] | None = None,
    *,
    thread_sensitive: bool = True,
    executor: Any = None,
    context: Any = None,
) -> Any:
    if func is None:
        return lambda f: redirected_sync_to_async(
            f, thread_sensitive=thread_sensitive, executor=executor, context=context
        )
    if not thread_sensitive or executor is not None or context is not None:
        return SyncToAsync(func, thread_sensitive=thread_sensitive, executor=executor, context=context)
    if not callable(func) or iscoroutinefunction(func):
        raise TypeError("sync_to_async can only be applied to sync functions.")

    async def call(*args: Any, **kwargs: Any) -> Any:
        if _belongs_to_sync_thread():
            return await SyncToAsync(func)(*args, **kwargs)
        return await _core.spawn(func, *args, **kwargs)

    return call


def _belongs_to_sync_thread() -> bool:
    """Did a sync thread start this code with ``async_to_sync`` and wait for it? Thread-sensitive functions run in that
    thread then, on its connections and in its transaction (an ``async def`` test of a TestCase)."""
    return getattr(AsyncToSync.executors, "current", None) is not None


def _get_running_loop() -> asyncio.AbstractEventLoop:
    """For ``async_unsafe``, which refuses to run where a loop is running: code in a worker may wait, so it sees
    none."""
    if _core.in_worker():
        raise RuntimeError("no running event loop")
    return asyncio.get_running_loop()


_stock_sync_to_async_call = SyncToAsync.__call__
_stock_async_to_sync_call = AsyncToSync.__call__


async def _sync_to_async_call(self: SyncToAsync[Any, Any], *args: Any, **kwargs: Any) -> Any:
    inline = self._thread_sensitive and self._executor is None and not _belongs_to_sync_thread()
    if inline and in_transaction():
        return await _core.spawn(self.func, *args, **kwargs)
    return await _stock_sync_to_async_call(self, *args, **kwargs)


def _async_to_sync_call(self: AsyncToSync[Any, Any], *args: Any, **kwargs: Any) -> Any:
    if _core.in_worker():
        return _core.await_(self.awaitable(*args, **kwargs))
    with lend_to_loop():
        return _stock_async_to_sync_call(self, *args, **kwargs)


def install() -> None:
    for name in REDIRECTED_MODULES:
        app = APPS_OF_MODELS.get(name)
        if app is None or apps.is_installed(app):
            importlib.import_module(name).sync_to_async = redirected_sync_to_async
    django.utils.asyncio.get_running_loop = _get_running_loop
    SyncToAsync.__call__ = _sync_to_async_call
    AsyncToSync.__call__ = _async_to_sync_call
