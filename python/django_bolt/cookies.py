"""Set-Cookie header values (RFC 6265 section 4.1)."""

from __future__ import annotations

import datetime
import email.utils
import http.cookies
import re
from dataclasses import dataclass

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_PLAIN_VALUE = re.compile(r"[!#$%&'*+\-.^_`|~:0-9A-Za-z]+")
_UNSAFE = re.compile(r"[;\x00-\x1f\x7f]")
_EPOCH = "Thu, 01 Jan 1970 00:00:00 GMT"
_SAME_SITE = {"lax": "Lax", "strict": "Strict", "none": "None"}


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to be set by a response.

    ``max_age`` is in seconds; ``expires`` is a moment (naive means UTC) or a text that is sent as it is.
    ``samesite`` is lax, strict or none in any case, where none also sets ``secure`` (browsers refuse it otherwise);
    None leaves the attribute out. Raises ValueError for a name, path, domain or samesite that is not a legal one.
    """

    name: str
    value: str = ""
    max_age: int | None = None
    expires: datetime.datetime | str | None = None
    path: str | None = "/"
    domain: str | None = None
    secure: bool = False
    httponly: bool = False
    samesite: str | None = "Lax"

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.name):
            raise ValueError(f"cookie name {self.name!r} is not a token of RFC 6265")
        if self.samesite and self.samesite.lower() not in _SAME_SITE:
            raise ValueError(f"cookie {self.name!r}: samesite is {self.samesite!r}, expected Lax, Strict or None")
        for attribute in (self.path, self.domain, self.expires):
            if isinstance(attribute, str) and _UNSAFE.search(attribute):
                raise ValueError(f"cookie {self.name!r}: {attribute!r} holds a semicolon or a control character")

    def to_header_value(self) -> str:
        """The value of the Set-Cookie header; a cookie value with special characters is quoted with octal escapes."""
        same_site = _SAME_SITE[self.samesite.lower()] if self.samesite else None
        parts = [f"{self.name}={_coded_value(str(self.value))}"]
        if self.httponly:
            parts.append("HttpOnly")
        if same_site:
            parts.append(f"SameSite={same_site}")
        if self.secure or same_site == "None":
            parts.append("Secure")
        if self.path is not None:
            parts.append(f"Path={self.path}")
        if self.domain is not None:
            parts.append(f"Domain={self.domain}")
        if self.max_age is not None:
            parts.append(f"Max-Age={int(self.max_age)}")
        if self.expires is not None:
            parts.append(f"Expires={_http_date(self.expires)}")
        return "; ".join(parts)


def make_delete_cookie(name: str, path: str = "/", domain: str | None = None) -> Cookie:
    """The cookie that makes a browser forget one of the same name, path and domain.

    Names with the ``__Secure-`` and ``__Host-`` prefixes need Secure, or browsers ignore it (RFC 6265bis 4.1.3).
    """
    secure = name.startswith(("__Secure-", "__Host-"))
    return Cookie(name, "", max_age=0, expires=_EPOCH, path=path, domain=domain, secure=secure)


def _coded_value(value: str) -> str:
    """The value as Python's and Django's cookie parsers read it back; an empty one is a pair of quotes."""
    if _PLAIN_VALUE.fullmatch(value):
        return value
    coded: str = http.cookies.SimpleCookie().value_encode(value)[1]
    return coded or '""'


def _http_date(moment: datetime.datetime | str) -> str:
    if isinstance(moment, str):
        return moment
    aware = moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment.astimezone(datetime.UTC)
    return email.utils.format_datetime(aware, usegmt=True)
