"""Notices changed source files for ``runbolt --dev``: inotify(7), or comparing times where that does not work.

inotify costs nothing while nothing happens and answers at once, but network and some container file systems never
report: ``BOLT_DEV_FORCE_POLLING`` selects the comparison, and so does running out of inotify watches.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

#: What a restart can depend on. Style sheets and the like are read at every request anyway.
WATCHED_SUFFIXES = frozenset({".py", ".html"})
_SKIPPED_DIRECTORIES = frozenset({"__pycache__", "node_modules"})


class Watcher(Protocol):
    """Collects changes below root directories (by suffix) and of single files."""

    @property
    def interval_s(self) -> float | None:
        """How often ``changes()`` must be asked; None when ``fileno()`` becomes readable instead."""

    def fileno(self) -> int | None:
        """Pollable descriptor, if there is one."""

    def add_roots(self, roots: Iterable[Path]) -> None:
        """Watch directories with all that is below them."""

    def add_files(self, files: Iterable[Path]) -> None:
        """Watch single files, wherever they are."""

    def changes(self) -> set[Path]:
        """Files that changed, appeared or vanished since the last call. Never blocks."""


def open_watcher(*, force_polling: bool) -> Watcher:
    """The best watcher this system offers."""
    if not force_polling:
        with contextlib.suppress(OSError):
            return InotifyWatcher()
    return PollingWatcher()


def source_directories(root: Path) -> Iterator[Path]:
    """``root`` and the directories below it that may hold the project's own sources."""
    for name, subdirectories, files in os.walk(root):
        if "pyvenv.cfg" in files:  # a virtual environment
            subdirectories.clear()
            continue
        subdirectories[:] = [sub for sub in subdirectories if _is_source_directory(sub)]
        yield Path(name)


def _is_source_directory(name: str) -> bool:
    return name not in _SKIPPED_DIRECTORIES and not name.startswith(".")


class PollingWatcher:
    """Compares modification times once per ``interval_s``."""

    def __init__(self, interval_s: float = 1.0) -> None:
        self._interval_s = interval_s
        self._roots: set[Path] = set()
        self._files: set[Path] = set()
        self._seen: dict[Path, int] = {}

    @property
    def interval_s(self) -> float | None:
        return self._interval_s

    def fileno(self) -> int | None:
        return None

    def add_roots(self, roots: Iterable[Path]) -> None:
        added = set(roots) - self._roots
        self._roots |= added
        self._seen.update(_times(_sources_below(added)))

    def add_files(self, files: Iterable[Path]) -> None:
        added = set(files) - self._files
        self._files |= added
        self._seen.update(_times(added - self._seen.keys()))

    def changes(self) -> set[Path]:
        now = _times(_sources_below(self._roots)) | _times(self._files)
        before, self._seen = self._seen, now
        return {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}


def _sources_below(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        for directory in source_directories(root):
            with contextlib.suppress(OSError):
                yield from (path for path in directory.iterdir() if path.suffix in WATCHED_SUFFIXES)


def _times(paths: Iterable[Path]) -> dict[Path, int]:
    times = {}
    for path in paths:
        with contextlib.suppress(OSError):
            times[path] = path.stat().st_mtime_ns
    return times


class InotifyWatcher:
    """Watches directories through the kernel. Raises OSError where inotify is not available."""

    _EVENT = struct.Struct("iIII")  # wd, mask, cookie, length of the name that follows
    _CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
    _IS_DIR = 0x40000000
    _MASK = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = _checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._directories: dict[int, Path] = {}
        self._recursive: set[Path] = set()
        self._files: set[Path] = set()
        # Set when the kernel had no watch left: from then on times are compared as well.
        self._fallback: PollingWatcher | None = None

    @property
    def interval_s(self) -> float | None:
        return None if self._fallback is None else self._fallback.interval_s

    def fileno(self) -> int | None:
        return self._fd

    def close(self) -> None:
        """Release the kernel's watches."""
        os.close(self._fd)

    def add_roots(self, roots: Iterable[Path]) -> None:
        for root in roots:
            for directory in source_directories(root):
                self._recursive.add(directory)
                if not self._watch(directory):
                    self._fall_back().add_roots([root])
                    break

    def add_files(self, files: Iterable[Path]) -> None:
        added = set(files) - self._files
        self._files |= added
        for directory in {path.parent for path in added} - set(self._directories.values()):
            if not self._watch(directory):
                self._fall_back().add_files(path for path in added if path.parent == directory)

    def changes(self) -> set[Path]:
        changed = set() if self._fallback is None else self._fallback.changes()
        for directory, mask, name in self._events():
            path = directory / name
            if mask & self._IS_DIR:
                if mask & (self._CREATE | self._MOVED_TO) and directory in self._recursive:
                    changed |= self._adopt(path)
            elif mask & ~self._CREATE and self._is_watched(path):  # a created file is written to and closed later
                changed.add(path)
        return changed

    def _is_watched(self, path: Path) -> bool:
        return path in self._files or (path.suffix in WATCHED_SUFFIXES and path.parent in self._recursive)

    def _adopt(self, directory: Path) -> set[Path]:
        """Watch a new directory; returns the sources it already holds."""
        if not _is_source_directory(directory.name):
            return set()
        self.add_roots([directory])
        return set(_sources_below([directory]))

    def _watch(self, directory: Path) -> bool:
        """Returns False when the kernel has no watch left; a directory that is gone is no failure."""
        try:
            wd = _checked(self._libc.inotify_add_watch(self._fd, os.fsencode(directory), self._MASK))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return True
        except OSError:
            return False
        self._directories[wd] = directory
        return True

    def _fall_back(self) -> PollingWatcher:
        if self._fallback is None:
            self._fallback = PollingWatcher()
        return self._fallback

    def _events(self) -> Iterator[tuple[Path, int, str]]:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._fd, 65536):
                offset = 0
                while offset < len(data):
                    wd, mask, _cookie, length = self._EVENT.unpack_from(data, offset)
                    offset += self._EVENT.size + length
                    name = os.fsdecode(data[offset - length : offset].rstrip(b"\0"))
                    if wd in self._directories:
                        yield self._directories[wd], mask, name


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
