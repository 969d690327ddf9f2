"""Named constants users pass to responses and file limits."""

from __future__ import annotations

import enum


class MediaType(enum.StrEnum):
    """Content types of common representations."""

    JSON = "application/json"
    HTML = "text/html"
    TEXT = "text/plain"
    CSS = "text/css"
    XML = "application/xml"
    MESSAGEPACK = "application/x-msgpack"


class FileSize(enum.IntEnum):
    """Sizes in octets; one MB here is 1,048,576 octets (a MiB)."""

    MB_1 = 1 << 20
    MB_2 = 2 << 20
    MB_3 = 3 << 20
    MB_4 = 4 << 20
    MB_5 = 5 << 20
    MB_6 = 6 << 20
    MB_7 = 7 << 20
    MB_8 = 8 << 20
    MB_9 = 9 << 20
    MB_10 = 10 << 20
    MB_20 = 20 << 20
    MB_30 = 30 << 20
    MB_40 = 40 << 20
    MB_50 = 50 << 20
    MB_60 = 60 << 20
    MB_70 = 70 << 20
    MB_80 = 80 << 20
    MB_90 = 90 << 20
    MB_100 = 100 << 20
