"""The compiled extension (private): server, routes, request objects. See ARCHITECTURE.md."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from typing import Any, Generic, NoReturn, Protocol, TypeAlias, TypeVar

from django_bolt._plan import RouteSpec

#: status, header pairs (names lower-case), content octets
RawResponse: TypeAlias = tuple[int, Sequence[tuple[str, str]], bytes]

class Hooks(Protocol):
    """Cold paths written in Python. Hot paths never call them."""

    def handle_exception(self, exc: BaseException, request: Request, meta: Any) -> RawResponse:
        """Any exception of binding, handler, conversion or encoding. ``meta`` is None when no route matched.
        Must not raise."""
    def finalize(self, result: Any, request: Request, meta: Any) -> RawResponse | Awaitable[RawResponse]:
        """Results C does not encode by itself: Response objects other than the plain ones, Django HttpResponse,
        querysets, model instances, FINALIZE routes. A coroutine is stepped in the request's task after the handler."""
    def handle_unmatched(self, status: int, headers: Sequence[tuple[str, str]], request: Request) -> RawResponse | None:
        """404, 405, 413, ... produced by the server, only called when ``App(custom_errors=True)`` (an error formatter
        is set); None keeps the built-in answer."""
    def encode_fallback(self, value: Any) -> Any:
        """msgspec ``enc_hook``: a JSON-able replacement for a value msgspec does not know, or TypeError."""

class App:
    """Routes and hooks of one process; frozen once a Server is made from it."""

    def __init__(self, hooks: Hooks, *, custom_errors: bool = False, settings: Mapping[str, Any] = ...) -> None: ...
    def add_route(self, spec: RouteSpec) -> bool:
        """Compile and add; True when an earlier route of the same method and path was replaced.

        Raises TypeError/ValueError naming handler and parameter for a malformed table or path pattern."""
    def match(self, method: str, path: str) -> tuple[str, Any, list[str]]:
        """For tests and introspection: (kind, meta, raw captures)."""

class Server:
    """The C server inside a running asyncio loop (stdlib or uvloop)."""

    def __init__(
        self,
        app: App,
        loop: asyncio.AbstractEventLoop,
        *,
        header_bytes: int = 8192,
        target_bytes: int = 8192,
        header_count: int = 100,
        content_bytes: int = 1048576,
        header_timeout_ms: int = 10_000,
        idle_timeout_ms: int = 75_000,
        content_timeout_ms: int = 30_000,
        write_timeout_ms: int = 60_000,
        output_high_bytes: int = 262_144,
        max_connections: int = 65_536,
        server_name: str = "django-cbolt",
        access_log_fd: int = -1,
    ) -> None: ...
    def add_listener(self, fd: int) -> None:
        """Accept from a listening, non-blocking socket; the caller keeps ownership."""
    def adopt(self, fd: int) -> None:
        """Serve an already connected stream socket (socketpair in tests); the server owns the fd."""
    def start(self) -> None:
        """Register with the loop (one add_reader for the whole server)."""
    def drain(self) -> None:
        """Stop accepting, finish what is in flight, close idle connections."""
    def is_drained(self) -> bool: ...
    def pending(self) -> list[RequestTask]:
        """Tasks of open requests."""
    def close(self) -> None:
        """Cancel open requests, close every connection, leave the loop. Idempotent."""
    def stats(self) -> dict[str, int]: ...

class RequestTask(asyncio.Task[Any]):
    """The asyncio.Task of one request: what current_task() returns inside an async handler."""

class Request:
    """The request object handlers receive; every attribute is built on first use. Typed for users in ``request.py``."""

    user: Any
    state: dict[str, Any]
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query(self) -> dict[str, Any]: ...
    @property
    def params(self) -> dict[str, Any]: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def cookies(self) -> dict[str, Any]: ...
    @property
    def raw_cookies(self) -> dict[str, str]: ...
    @property
    def body(self) -> bytes: ...
    @property
    def form(self) -> dict[str, Any]: ...
    @property
    def files(self) -> dict[str, Any]: ...
    @property
    def context(self) -> dict[str, Any] | None: ...
    @property
    def META(self) -> dict[str, Any]: ...
    def auser(self) -> Coroutine[Any, Any, Any]: ...
    def get(self, key: str, default: Any = None) -> Any: ...
    def setdefault(self, key: str, default: Any = None) -> Any: ...
    def __getitem__(self, key: str, /) -> Any: ...
    def __setitem__(self, key: str, value: Any, /) -> None: ...
    def __delitem__(self, key: str, /) -> NoReturn: ...
    def get_full_path(self) -> str: ...
    def build_absolute_uri(self, location: str | None = None) -> str: ...

# ---- green runtime: sync code that waits without blocking the loop (see django_bolt.concurrency) ----

_T = TypeVar("_T")

class Spawn(Generic[_T]):
    """Awaitable of a sync function run in a worker."""

    def send(self, value: None, /) -> Any: ...
    def throw(self, exc: BaseException, /) -> Any: ...
    def close(self) -> None: ...
    def __await__(self) -> Generator[Any, None, _T]: ...

class Lock:
    """Mutex among the workers of one thread: first in, first out, not reentrant."""

    def acquire(self) -> bool: ...
    def release(self) -> None: ...
    def locked(self) -> bool: ...
    def __enter__(self) -> bool: ...
    def __exit__(self, *exc_info: object) -> None: ...

def in_worker() -> bool:
    """May the running code wait without blocking the event loop?"""

def spawn(function: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Spawn[_T]:
    """Awaitable of ``function(*args, **kwargs)`` run in a worker; a plain call when awaited inside one."""

def drive(coroutine: Coroutine[Any, Any, _T], /) -> Coroutine[Any, Any, _T]:
    """A coroutine whose steps run in workers, for task factories."""

def wait(future: asyncio.Future[_T], /) -> _T:
    """The future's result; switches to the loop meanwhile. RuntimeError outside a worker."""

def await_(awaitable: Awaitable[_T], /) -> _T:
    """The awaitable's result, from sync code. RuntimeError outside a worker."""

def yield_() -> None:
    """Let everything else that is ready run first. RuntimeError outside a worker."""

def drain_workers() -> None:
    """End this thread's idle workers (when its loop closes)."""
