"""Absolute URIs of a request: which scheme and host its client used, checked like Django checks them.

Called by ``_core.Request.build_absolute_uri``. The settings are read at every call, so ``override_settings`` works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost, ImproperlyConfigured
from django.http.request import split_domain_port, validate_host
from django.utils.encoding import iri_to_uri

if TYPE_CHECKING:
    from django_bolt._core import Request

_LOCAL_HOSTS = [".localhost", "127.0.0.1", "[::1]"]
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def scheme(request: Request) -> str:
    """``https`` when the header named by SECURE_PROXY_SSL_HEADER says so, else ``http``."""
    if not settings.SECURE_PROXY_SSL_HEADER:
        return "http"
    try:
        header, secure_value = settings.SECURE_PROXY_SSL_HEADER
    except ValueError:
        raise ImproperlyConfigured("SECURE_PROXY_SSL_HEADER must be a tuple of a META name and a value") from None
    value = request.META.get(header)
    return "https" if value is not None and value.split(",", 1)[0].strip() == secure_value else "http"


def _raw_host(request: Request) -> str:
    meta = request.META
    if settings.USE_X_FORWARDED_HOST and "HTTP_X_FORWARDED_HOST" in meta:
        return str(meta["HTTP_X_FORWARDED_HOST"])
    if "HTTP_HOST" in meta:
        return str(meta["HTTP_HOST"])
    port = meta["HTTP_X_FORWARDED_PORT"] if _trusts_forwarded_port(request) else meta["SERVER_PORT"]
    host = str(meta["SERVER_NAME"])
    if ":" in host:
        host = f"[{host}]"
    return host if port == _DEFAULT_PORTS[scheme(request)] else f"{host}:{port}"


def _trusts_forwarded_port(request: Request) -> bool:
    return bool(settings.USE_X_FORWARDED_PORT) and "HTTP_X_FORWARDED_PORT" in request.META


def host(request: Request) -> str:
    """The host the client used. Raises DisallowedHost when ALLOWED_HOSTS does not list it."""
    raw = _raw_host(request)
    allowed = settings.ALLOWED_HOSTS or (_LOCAL_HOSTS if settings.DEBUG else [])
    domain, _port = split_domain_port(raw)
    if domain and validate_host(domain, allowed):
        return raw
    advice = f"You may need to add {domain!r} to ALLOWED_HOSTS." if domain else "It is not a valid host name."
    raise DisallowedHost(f"Invalid HTTP_HOST header: {raw!r}. {advice}")


def build_absolute_uri(request: Request, location: str | None) -> str:
    """The absolute form of ``location``, or of the request's own path and query string for None."""
    if location is None:
        return f"{scheme(request)}://{host(request)}{request.get_full_path()}"
    parts = urlsplit(str(location))
    if parts.scheme and parts.netloc:
        return iri_to_uri(str(location)) or ""
    own_path = request.get_full_path().partition("?")[0]
    return iri_to_uri(urljoin(f"{scheme(request)}://{host(request)}{own_path}", str(location))) or ""
