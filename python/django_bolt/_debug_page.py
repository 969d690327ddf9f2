"""Django's traceback page for a request of ours (DEBUG only), and the request it and Django's log handlers expect."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.views.debug import get_exception_reporter_class


def as_http_request(request: Any) -> HttpRequest:
    """What Django's error reporting reads of a request: META, method, path, cookies."""
    copied = HttpRequest()
    copied.method = request.method
    copied.path = copied.path_info = request.path
    copied.META = dict(request.META)
    copied.COOKIES = dict(request.raw_cookies)
    return copied


def traceback_page(exc: BaseException, request: Any) -> bytes:
    """The page as UTF-8, made by ``settings.DEFAULT_EXCEPTION_REPORTER``."""
    http_request = HttpRequest() if request is None else as_http_request(request)
    reporter_class: Any = get_exception_reporter_class(http_request)
    reporter = reporter_class(http_request, type(exc), exc, exc.__traceback__)
    return str(reporter.get_traceback_html()).encode()
