"""Items, get, setdefault, attribute assignment, the state fallback and auser."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from tests.python.support.requests import kept_request, look

from django_bolt import _core


@pytest.fixture
def request_() -> _core.Request:
    """Of ``POST /a?b=c`` with a cookie, a header and content."""
    headers = (("Cookie", "d=e"), ("X-F", "g"))
    return kept_request(path="/{x}", target="/a?b=c", method="POST", body=b"content", headers=headers)


ITEMS = {
    "method": "POST",
    "path": "/a",
    "body": b"content",
    "params": {"x": "a"},
    "query": {"b": "c"},
    "cookies": {"d": "e"},
    "context": None,
    "user": None,
    "state": {},
}


@pytest.mark.parametrize("key", ITEMS)
def test_items(request_: _core.Request, key: str) -> None:
    assert request_[key] == ITEMS[key]
    assert request_[key] is getattr(request_, key)
    assert request_.get(key, "unused") is getattr(request_, key)


def test_header_item(request_: _core.Request) -> None:
    assert request_["headers"]["x-f"] == "g"


@pytest.mark.parametrize("key", ["auth", "nothing", "META", "raw_cookies", "get_full_path", "Method", 7, None, (1, 2)])
def test_no_such_item(request_: _core.Request, key: Any) -> None:
    with pytest.raises(KeyError) as raised:
        request_[key]
    assert raised.value.args == (key,)
    assert request_.get(key) is None
    assert request_.get(key, "fallback") == "fallback"
    assert request_.get(key, default="fallback") == "fallback"


def test_state_entries_are_not_items(request_: _core.Request) -> None:
    request_.state["session"] = {}
    with pytest.raises(KeyError):
        request_["session"]


def test_set_items(request_: _core.Request) -> None:
    user, state = object(), {"a": 1}
    request_["user"] = user
    request_["state"] = state
    assert request_.user is user
    assert request_.state is state


@pytest.mark.parametrize("key", ["method", "query", "context", "anything"])
def test_other_items_cannot_be_set(request_: _core.Request, key: str) -> None:
    with pytest.raises(KeyError, match=r"only 'user' and 'state'; use request\.state"):
        request_[key] = 1


def test_items_cannot_be_deleted(request_: _core.Request) -> None:
    with pytest.raises(AttributeError, match=r"request\.user cannot be deleted"):
        del request_["user"]
    with pytest.raises(KeyError):
        del request_["method"]


def test_setdefault(request_: _core.Request) -> None:
    first, second = object(), object()
    assert request_.setdefault("user", first) is first
    assert request_.setdefault("user", second) is first
    assert request_.setdefault("state", {"unused": 1}) is request_.state
    assert request_.setdefault("method", "unused") == "POST"
    with pytest.raises(KeyError):
        request_.setdefault("anything", 1)


def test_set_attributes(request_: _core.Request) -> None:
    request_.user = "somebody"
    request_.state = {"session": "s"}
    assert request_["user"] == "somebody"
    assert request_["state"] == {"session": "s"}


@pytest.mark.parametrize("name", ["method", "path", "query", "headers", "cookies", "body", "context", "META"])
def test_read_only_attributes(request_: _core.Request, name: str) -> None:
    with pytest.raises(AttributeError, match=f"request.{name} cannot be set"):
        setattr(request_, name, 1)
    with pytest.raises(AttributeError, match=f"request.{name} cannot be deleted"):
        delattr(request_, name)


def test_unknown_attributes_cannot_be_set(request_: _core.Request) -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'tenant' to set; keep it in request.state\['tenant'\]"):
        request_.tenant = 1  # type: ignore[attr-defined]


def test_state_must_be_a_dict(request_: _core.Request) -> None:
    with pytest.raises(TypeError, match=r"request\.state must be a dict, not list"):
        request_.state = []  # type: ignore[assignment]


def test_unknown_attributes_are_read_from_state(request_: _core.Request) -> None:
    with pytest.raises(AttributeError, match="no attribute 'session'"):
        _ = request_.session  # type: ignore[attr-defined]
    request_.state["session"] = "s"
    request_.state["method"] = "never seen"
    assert request_.session == "s"  # type: ignore[attr-defined]
    assert request_.method == "POST"
    assert not hasattr(request_, "other")


@pytest.mark.parametrize("name", ["auth", "scheme", "client", "url", "get_host", "is_secure", "session"])
def test_names_it_does_not_have(request_: _core.Request, name: str) -> None:
    assert not hasattr(request_, name)


def test_state_is_one_dict_per_request() -> None:
    def fill(request: _core.Request) -> dict[str, Any]:
        request.state["n"] = request.state.get("n", 0) + 1
        return request.state

    assert look(fill) == {"n": 1}


def test_auser(request_: _core.Request) -> None:
    assert isinstance(asyncio.run(request_.auser()), AnonymousUser)
    assert request_.user is None
    request_.user = user = object()
    assert asyncio.run(request_.auser()) is user


def test_weak_references(request_: _core.Request) -> None:
    other = kept_request()
    reference = weakref.ref(other)
    assert reference() is other
    assert {request_, other} == {other, request_}  # hashable, compared by identity
    del other
    gc.collect()
    assert reference() is None
