"""get_full_path and build_absolute_uri."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import DisallowedHost, ImproperlyConfigured
from django.test import override_settings
from tests.python.support.requests import kept_request, look

ANY_PATH = "/{rest:path}"


@pytest.mark.parametrize(
    ("target", "full"),
    [
        ("/a", "/a"),
        ("/a?", "/a"),
        ("/a?b=c&d", "/a?b=c&d"),
        ("/a%20b?c=%20+", "/a%20b?c=%20+"),
        ("//evil.example/x?y", "/%2Fevil.example/x?y"),
        ("///x", "/%2F/x"),
        ("/\\evil.example?\\", "/%5Cevil.example?%5C"),
        ('/"<>{}|^`?"', "/%22%3C%3E%7B%7D%7C%5E%60?%22"),
        ("/-._~:@!$&'()*+,;=[]?-._~:@!$&'()*+,;=[]/?", "/-._~:@!$&'()*+,;=[]?-._~:@!$&'()*+,;=[]/?"),
        ("http://testserver/a?b", "/a?b"),
        ("/" + "x" * 3000, "/" + "x" * 3000),
    ],
)
def test_full_path(target: str, full: str) -> None:
    assert look(lambda request: request.get_full_path(), path=ANY_PATH, target=target) == full


@pytest.mark.parametrize("target", ["//evil.example/x", "/\\evil.example/x", "///evil.example/x", "/\\/evil.example/x"])
def test_full_path_never_names_a_host(target: str) -> None:
    full = kept_request(path=ANY_PATH, target=target).get_full_path()
    assert urlsplit(full.replace("\\", "/")).netloc == ""  # as browsers read it


def absolute(location: Any = None, *, target: str = "/dir/page?q=1", headers: Any = (), **settings: Any) -> str:
    with override_settings(**{"ALLOWED_HOSTS": ["testserver", ".example"], **settings}):
        request = kept_request(path=ANY_PATH, target=target, headers=headers)
        return request.build_absolute_uri() if location is None else request.build_absolute_uri(location)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (None, "http://testserver/dir/page?q=1"),
        ("/other?x=1", "http://testserver/other?x=1"),
        ("other", "http://testserver/dir/other"),
        ("../up", "http://testserver/up"),
        ("?only=query", "http://testserver/dir/page?only=query"),
        ("", "http://testserver/dir/page"),
        ("//elsewhere.test/x", "http://elsewhere.test/x"),
        ("https://elsewhere.test/x", "https://elsewhere.test/x"),
        ("/é", "http://testserver/%C3%A9"),
        (7, "http://testserver/dir/7"),
    ],
)
def test_absolute(location: Any, expected: str) -> None:
    assert absolute(location) == expected


def test_location_by_keyword() -> None:
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        assert kept_request().build_absolute_uri(location="/x") == "http://testserver/x"


def test_doubled_slashes_stay_on_this_host() -> None:
    assert absolute(target="//evil.example/x") == "http://testserver/%2Fevil.example/x"


@pytest.mark.parametrize("hosts", [["other.test"], []])
def test_host_must_be_allowed(hosts: list[str]) -> None:
    with pytest.raises(DisallowedHost, match="You may need to add 'testserver' to ALLOWED_HOSTS"):
        absolute(ALLOWED_HOSTS=hosts)
    assert absolute("http://elsewhere.test/", ALLOWED_HOSTS=hosts) == "http://elsewhere.test/"


def test_malformed_host() -> None:
    with pytest.raises(DisallowedHost, match="It is not a valid host name"):
        absolute(headers=(("X-Forwarded-Host", "a_b/c"),), USE_X_FORWARDED_HOST=True, ALLOWED_HOSTS=["*"])


def test_debug_allows_local_hosts() -> None:
    target = "http://localhost:8000/x"
    assert absolute(target=target, ALLOWED_HOSTS=[], DEBUG=True) == target
    with pytest.raises(DisallowedHost):
        absolute(ALLOWED_HOSTS=[], DEBUG=True)


def test_forwarded_host() -> None:
    headers = (("X-Forwarded-Host", "front.example:8443"),)
    assert absolute("/x", headers=headers) == "http://testserver/x"
    assert absolute("/x", headers=headers, USE_X_FORWARDED_HOST=True) == "http://front.example:8443/x"
    assert absolute("/x", USE_X_FORWARDED_HOST=True) == "http://testserver/x"


@pytest.mark.parametrize(
    ("value", "scheme"),
    [("https", "https"), ("https, http", "https"), ("http", "http"), ("http, https", "http"), ("", "http")],
)
def test_scheme_behind_a_proxy(value: str, scheme: str) -> None:
    setting = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = (("X-Forwarded-Proto", value),)
    assert absolute("/x", headers=headers, SECURE_PROXY_SSL_HEADER=setting) == f"{scheme}://testserver/x"
    assert absolute("/x", headers=headers) == "http://testserver/x"
    assert absolute("/x", SECURE_PROXY_SSL_HEADER=setting) == "http://testserver/x"


def test_malformed_proxy_setting() -> None:
    with pytest.raises(ImproperlyConfigured, match="must be a tuple of a META name and a value"):
        absolute(SECURE_PROXY_SSL_HEADER=("HTTP_X",))
