"""How one ``runbolt`` serves: the values its flags, settings and environment variables decided.

Made once by the command and read by supervisor, worker and banner, so none of them looks at argparse,
``settings`` or ``os.environ`` again. A flag wins over its environment variable, which wins over the default.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Number = TypeVar("Number", int, float)
Value = TypeVar("Value")

_DEFAULT_BACKLOG = 1024
_DEFAULT_KEEP_ALIVE_S = 75.0
_DEFAULT_KILL_TIMEOUT_S = 30.0
_DEFAULT_HEADER_BYTES = 8192
_DEFAULT_CONTENT_BYTES = 1024 * 1024


class OptionError(Exception):
    """A setting or environment variable has an impossible value; the text names it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen: a host and TCP port (0 lets the kernel choose), or the path of a UNIX socket."""

    host: str = "0.0.0.0"
    port: int = 8000
    uds: str | None = None

    def url(self) -> str:
        """The address as a person types it: ``http://[::1]:8000``, ``unix:/run/app.sock``."""
        if self.uds is not None:
            return f"unix:{self.uds}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Process and limit options. Times in seconds, sizes in octets; None leaves the feature off or the default."""

    processes: int = 1
    backlog: int = _DEFAULT_BACKLOG
    keep_alive_s: float = _DEFAULT_KEEP_ALIVE_S
    kill_timeout_s: float = _DEFAULT_KILL_TIMEOUT_S
    max_rss_bytes: int | None = None
    lifetime_s: float | None = None
    respawn: bool = False
    reuse_port: bool = False
    access_log: bool = False
    header_bytes: int = _DEFAULT_HEADER_BYTES
    content_bytes: int = _DEFAULT_CONTENT_BYTES
    dev: bool = False

    @property
    def supervised(self) -> bool:
        """Whether a supervisor forks workers; otherwise the one worker is this very process."""
        recycling = self.max_rss_bytes is not None or self.lifetime_s is not None or self.respawn
        return not self.dev and (self.processes > 1 or recycling)


def read_address(flags: Mapping[str, Any]) -> Address:
    """From ``--host``, ``--port`` and ``--uds``. An IPv6 host may stand in brackets."""
    host = str(flags["host"]).removeprefix("[").removesuffix("]")
    return Address(host=host, port=flags["port"], uds=flags["uds"])


def read_options(
    flags: Mapping[str, Any], settings: object, environment: Mapping[str, str], *, access_log: bool
) -> ServeOptions:
    """From the command's flags, Django's settings and ``os.environ``. Raises OptionError."""
    max_rss_mib: int | None = flags["max_rss"]
    kill_timeout_s = _flag_or_variable(
        flags["workers_kill_timeout"], environment, "DJANGO_BOLT_SHUTDOWN_TIMEOUT", seconds, _DEFAULT_KILL_TIMEOUT_S
    )
    return ServeOptions(
        processes=1 if flags["dev"] else flags["processes"],
        backlog=_flag_or_variable(flags["backlog"], environment, "DJANGO_BOLT_BACKLOG", positive_int, _DEFAULT_BACKLOG),
        keep_alive_s=_flag_or_variable(
            flags["keep_alive"], environment, "DJANGO_BOLT_KEEP_ALIVE", seconds, _DEFAULT_KEEP_ALIVE_S
        ),
        kill_timeout_s=kill_timeout_s,
        max_rss_bytes=None if max_rss_mib is None else max_rss_mib << 20,
        lifetime_s=flags["workers_lifetime"],
        respawn=flags["respawn_failed_workers"],
        reuse_port=environment.get("DJANGO_BOLT_REUSE_PORT") == "1",
        access_log=access_log,
        header_bytes=_size_setting(settings, "BOLT_MAX_HEADER_SIZE", _DEFAULT_HEADER_BYTES),
        content_bytes=_size_setting(settings, "BOLT_MAX_UPLOAD_SIZE", _DEFAULT_CONTENT_BYTES),
        dev=flags["dev"],
    )


def positive_int(text: str) -> int:
    """argparse type. Raises ArgumentTypeError."""
    return _parse(text, int, "a whole number above 0", lambda value: value > 0)


def port(text: str) -> int:
    """argparse type: a TCP port, 0 for one the kernel chooses. Raises ArgumentTypeError."""
    return _parse(text, int, "a port from 0 to 65535", lambda value: 0 <= value <= 65535)


def seconds(text: str) -> float:
    """argparse type: a time span above 0. Raises ArgumentTypeError."""
    return _parse(text, float, "a number of seconds above 0", lambda value: 0 < value < 10**9)


def _parse(text: str, convert: Callable[[str], Number], expected: str, fits: Callable[[Number], bool]) -> Number:
    try:
        value = convert(text)
    except ValueError:
        value = None
    if value is None or not fits(value):
        raise ArgumentTypeError(f"{text!r} is not {expected}")
    return value


def _flag_or_variable(
    flag: Value | None,
    environment: Mapping[str, str],
    name: str,
    convert: Callable[[str], Value],
    default: Value,
) -> Value:
    if flag is not None:
        return flag
    text = environment.get(name)
    if not text:
        return default
    try:
        return convert(text)
    except ArgumentTypeError as exc:
        raise OptionError(f"Environment variable {name}: {exc}.") from exc


def _size_setting(settings: object, name: str, default: int) -> int:
    value = getattr(settings, name, None)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise OptionError(f"settings.{name} must be a number of octets above 0, not {value!r}.")
    return value
