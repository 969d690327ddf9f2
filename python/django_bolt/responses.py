"""Responses a handler may return when data alone does not say enough: status, headers, cookies, content type."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeAlias

from django.utils.encoding import iri_to_uri

from django_bolt._json import encode_json
from django_bolt.cookies import Cookie, make_delete_cookie

Encoder: TypeAlias = Callable[[Any], bytes]
RawResponse: TypeAlias = tuple[int, list[tuple[str, str]], bytes]
"""Status, header pairs (names in lower case), content octets: what the server sends."""

_UNSAFE = re.compile(r"[\r\n\x00]")
CONTENTLESS = (204, 304)
"""Statuses whose responses have no content (RFC 9110 sections 15.3.5 and 15.4.5)."""


class Response:
    """A response with any content.

    For JSON media types (``application/json`` and ``*+json``) the content is encoded as JSON, None as ``{}``; for
    others it is the text of the object. Bytes go out unchanged. A ``content-type`` in ``headers`` wins.
    """

    media_type = "application/json"

    def __init__(
        self,
        content: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        if not 200 <= status_code <= 599:
            raise ValueError(f"{type(self).__name__}: status_code is {status_code}, expected 200 to 599")
        self.content = content
        self.status_code = int(status_code)
        self.headers: dict[str, str] = dict(headers) if headers else {}
        self.cookies: list[Cookie] = []
        if media_type is not None:
            self.media_type = str(media_type)

    def set_cookie(
        self,
        name: str,
        value: str = "",
        max_age: int | None = None,
        expires: datetime.datetime | str | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = "Lax",
    ) -> Self:
        """Set a cookie; see ``cookies.Cookie`` for the arguments and the errors. Returns the response."""
        self.cookies.append(Cookie(name, value, max_age, expires, path, domain, secure, httponly, samesite))
        return self

    def delete_cookie(self, name: str, path: str = "/", domain: str | None = None) -> Self:
        """Make the browser forget a cookie. Returns the response."""
        self.cookies.append(make_delete_cookie(name, path, domain))
        return self

    def is_json(self) -> bool:
        """True when the content is encoded as JSON."""
        content_type = self.content_type()
        if content_type == "application/json":
            return True
        essence = content_type.partition(";")[0].strip().lower()
        return essence == "application/json" or essence.endswith("+json")

    def content_type(self) -> str:
        """The Content-Type header: the one in ``headers``, else the media type, with a charset for text."""
        for name, value in self.headers.items():
            if name.lower() == "content-type":
                return value
        text = self.media_type.startswith("text/") and "charset" not in self.media_type
        return f"{self.media_type}; charset=utf-8" if text else self.media_type

    def render(self, encode: Encoder = encode_json) -> bytes:
        """The content octets. Raises TypeError for content without a JSON form, NeedsFinalize for models in it."""
        content = self.content
        if self.status_code in CONTENTLESS:
            return b""
        if isinstance(content, bytes | bytearray | memoryview):
            return bytes(content)
        if self.is_json():
            return encode({} if content is None else content)
        return b"" if content is None else str(content).encode()

    def to_raw(self, encode: Encoder = encode_json) -> RawResponse:
        """What the server sends. Raises ValueError for a header that would break the framing, and as ``render``."""
        body = self.render(encode)
        pairs = [] if self.status_code in CONTENTLESS else [("content-type", self.content_type())]
        return self.status_code, self._with_fields(pairs, ("content-type", "content-length")), body

    def _with_fields(self, pairs: list[tuple[str, str]], skipped: tuple[str, ...]) -> list[tuple[str, str]]:
        """``pairs`` and the response's own headers and cookies."""
        if self.headers:
            own = [(name.lower(), str(value)) for name, value in self.headers.items()]
            pairs += [pair for pair in own if pair[0] not in skipped]
        if self.cookies:
            pairs += [("set-cookie", cookie.to_header_value()) for cookie in self.cookies]
        return checked_headers(pairs)


class JSON(Response):
    """A JSON document with a status and headers of its own. None is ``null``."""

    def __init__(self, data: Any = None, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(data, status_code, headers)

    def render(self, encode: Encoder = encode_json) -> bytes:
        """The document's octets, see ``Response.render``."""
        return b"" if self.status_code in CONTENTLESS else encode(self.content)


class PlainText(Response):
    """UTF-8 text."""

    media_type = "text/plain"

    def __init__(self, text: str = "", status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text, status_code, headers)


class HTML(Response):
    """An HTML document in UTF-8."""

    media_type = "text/html"

    def __init__(self, html: str = "", status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(html, status_code, headers)


class Redirect(Response):
    """A redirect without content. Raises ValueError for a status outside 300-399."""

    def __init__(self, url: str, status_code: int = 307, headers: Mapping[str, str] | None = None) -> None:
        if not 300 <= status_code <= 399:
            raise ValueError(f"Redirect: status_code is {status_code}, expected 300 to 399")
        super().__init__(None, status_code, headers)
        self.url = str(url)

    def to_raw(self, encode: Encoder = encode_json) -> RawResponse:
        """What the server sends; see ``Response.to_raw``."""
        location = ("location", iri_to_uri(self.url) or "")
        return self.status_code, self._with_fields([location], ("location",)), b""


def checked_headers(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same pairs. Raises ValueError for a line break or NUL, which would let data end the header (RFC 9110 5.5)."""
    for name, value in pairs:
        if not (name + value).isprintable() and _UNSAFE.search(name + value):
            raise ValueError(f"response header {name!r} holds a line break or NUL: {value!r}")
    return pairs
