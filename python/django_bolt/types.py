"""Types for annotations: a generic Request, and what authentication and middleware leave in a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypedDict, TypeVar

from django_bolt.request import Request as PlainRequest

UserT_co = TypeVar("UserT_co", covariant=True)
AuthT_co = TypeVar("AuthT_co", covariant=True)
StateT_co = TypeVar("StateT_co", covariant=True)


class UserType(Protocol):
    """What authentication code may expect of a user object."""

    pk: Any
    is_active: bool

    @property
    def is_authenticated(self) -> bool: ...

    @property
    def is_anonymous(self) -> bool: ...


class DjangoModel(Protocol):
    """What serialization code may expect of a model instance."""

    pk: Any

    def save(self, *args: Any, **kwargs: Any) -> None: ...

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]: ...


class JWTClaims(TypedDict, total=False):
    """The claims of a token made for a user (RFC 7519 section 4.1, and ours)."""

    sub: str
    exp: int
    iat: int
    nbf: int
    iss: str
    aud: str | Sequence[str]
    jti: str
    is_staff: bool
    is_superuser: bool
    username: str
    email: str
    first_name: str
    last_name: str
    permissions: list[str]


class APIKeyAuth(TypedDict, total=False):
    """``request.context`` after authentication with an API key."""

    user_id: str
    auth_backend: str
    permissions: list[str]


class AuthContext(APIKeyAuth, total=False):
    """``request.context`` after any authentication."""

    is_staff: bool
    is_superuser: bool
    auth_backend_index: int
    auth_claims: JWTClaims


class TimingState(TypedDict, total=False):
    """``request.state`` with timing middleware."""

    request_id: str
    start_time: float


class TracingState(TimingState, total=False):
    """``request.state`` with tracing."""

    trace_id: str
    span_id: str


class Request(PlainRequest, Protocol[UserT_co, AuthT_co, StateT_co]):
    """``Request[User, AuthContext, TimingState]``: the same object, with the type of its user, context and state."""

    @property
    def user(self) -> UserT_co: ...

    @property
    def context(self) -> AuthT_co: ...  # type: ignore[override]

    @property
    def state(self) -> StateT_co: ...  # type: ignore[override]


__all__ = [
    "APIKeyAuth",
    "AuthContext",
    "DjangoModel",
    "JWTClaims",
    "Request",
    "TimingState",
    "TracingState",
    "UserType",
]
