"""The request object as type checkers see it; at run time handlers receive ``_core.Request``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeGuard

from django_bolt import _core


class Request(Protocol):
    """What a handler may read of the current request. Everything is built on first use.

    ``query``, ``params`` and ``cookies`` hold converted values for declared parameters, texts otherwise, and the last
    value of a repeated key. Header names are lower-case. Reading an unknown attribute looks into ``state``.
    """

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query(self) -> dict[str, Any]: ...
    @property
    def params(self) -> dict[str, Any]: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
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
    def state(self) -> dict[str, Any]: ...
    @property
    def context(self) -> dict[str, Any] | None: ...
    @property
    def META(self) -> dict[str, Any]: ...

    user: Any

    async def auser(self) -> Any:
        """The user; AnonymousUser when nobody is authenticated."""

    def get(self, key: str, default: Any = None) -> Any:
        """``request[key]``, or the default when there is no such entry."""

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The entry, set to the default first when absent; ``user`` and ``state`` entries only."""

    def __getitem__(self, key: str) -> Any: ...
    def __setitem__(self, key: str, value: Any) -> None: ...

    def get_full_path(self) -> str:
        """Path and query string."""

    def build_absolute_uri(self, location: str | None = None) -> str:
        """The absolute form of ``location`` or of this request. Raises DisallowedHost for a host not allowed."""


def is_request(obj: object) -> TypeGuard[Request]:
    """True for the request object handlers receive."""
    return isinstance(obj, _core.Request)
