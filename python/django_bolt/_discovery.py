"""Finds the project's BoltAPI instances: ``settings.BOLT_API``, else by convention.

Modules are first *read*, not imported: a package may have an ``api`` module of its own that has nothing to do with us
and must not be imported for its name alone. Only a module whose source assigns ``x = BoltAPI(...)`` at top level is.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from django_bolt.api import BoltAPI

_CLASS_NAME = BoltAPI.__name__
_MODULE_NAMES = ("api", "bolt_api")


class DiscoveryError(Exception):
    """An API that was asked for cannot be loaded; the text names the setting or file and the fix."""


class AppLike(Protocol):
    """What discovery reads of a Django AppConfig."""

    name: str


@dataclass(frozen=True, slots=True)
class FoundAPI:
    """An API and where it came from."""

    api: BoltAPI
    module: str
    attribute: str

    def __str__(self) -> str:
        return f"{self.module}:{self.attribute}"


def discover_apis(
    entries: Sequence[str] | None, root_urlconf: str | None, app_configs: Iterable[AppLike]
) -> list[FoundAPI]:
    """All APIs to serve, the first one leading (its documentation settings win).

    ``entries`` is ``settings.BOLT_API`` or None when it is not defined. Raises DiscoveryError for a bad entry or
    hint, or a module that cannot be parsed; what importing a module raises passes through.
    """
    found = _configured(entries) if entries is not None else _conventional(root_urlconf, app_configs)
    unique: dict[int, FoundAPI] = {}
    for item in found:
        unique.setdefault(id(item.api), item)
    return list(unique.values())


def _configured(entries: Sequence[str]) -> Iterator[FoundAPI]:
    if isinstance(entries, str) or not all(isinstance(entry, str) for entry in entries):
        raise DiscoveryError(f'settings.BOLT_API must be a list of "module:attribute" strings, not {entries!r}.')
    for entry in entries:
        yield load_api(entry, "settings.BOLT_API")


def _conventional(root_urlconf: str | None, app_configs: Iterable[AppLike]) -> Iterator[FoundAPI]:
    project = _project_package(root_urlconf)
    project_found = False
    if root_urlconf is not None:
        for api in _first_of(_candidates(project)):
            project_found = True
            yield api
    for config in app_configs:
        hint = getattr(config, "bolt_api", None)
        if hint is not None:
            yield load_api(hint, f"{type(config).__name__}.bolt_api")
        elif not (project_found and project and _is_within(config.name, project)):
            yield from _first_of(_candidates(config.name))


def _project_package(root_urlconf: str | None) -> str:
    """First part of a dotted ROOT_URLCONF; empty when the URLconf is a top-level module."""
    return root_urlconf.partition(".")[0] if root_urlconf and "." in root_urlconf else ""


def _candidates(package: str) -> list[str]:
    return [f"{package}.{name}" if package else name for name in _MODULE_NAMES]


def _is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def _first_of(modules: Iterable[str]) -> Iterator[FoundAPI]:
    """The API of the first of ``modules`` that has one; nothing when none has."""
    for module in modules:
        attribute = find_api_name(module)
        if attribute is not None:
            yield load_api(f"{module}:{attribute}", module)
            return


def load_api(entry: str, origin: str) -> FoundAPI:
    """Import "module:attribute". ``origin`` says in messages who asked for it.

    Raises DiscoveryError when the module or attribute is missing, or is no BoltAPI.
    """
    if not isinstance(entry, str):
        raise DiscoveryError(f'{origin}: {entry!r} must be a "module:attribute" string.')
    module_name, _, attribute = entry.partition(":")
    if not module_name or not attribute:
        raise DiscoveryError(f'{origin}: {entry!r} must have the form "module:attribute".')
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as exc:
        if exc.name is None or not _is_within(module_name, exc.name):
            raise  # the module is there; something it imports is not
        raise DiscoveryError(f"{origin}: there is no module {module_name!r}.") from exc
    try:
        api = getattr(module, attribute)
    except AttributeError as exc:
        raise DiscoveryError(f"{origin}: module {module_name!r} has no {attribute!r}.") from exc
    if not isinstance(api, BoltAPI):
        raise DiscoveryError(f"{origin}: {entry!r} is {type(api).__name__}, not BoltAPI.")
    return FoundAPI(api, module_name, attribute)


def find_api_name(module: str) -> str | None:
    """The first top-level name in ``module``'s source that is assigned ``BoltAPI(...)``; imports at most its parents.

    Raises DiscoveryError when the source cannot be parsed.
    """
    source = _source_of(module)
    if source is None:
        return None
    text, path = source
    try:
        tree = ast.parse(text, path)
    except (SyntaxError, ValueError) as exc:  # ValueError: a NUL in the source
        line = getattr(exc, "lineno", None)
        raise DiscoveryError(f"{path}{f':{line}' if line else ''}: {exc}") from exc
    class_names = {_CLASS_NAME}
    for statement in _top_level(tree.body):
        class_names |= _aliases(statement)
        name = _assigned_api(statement, class_names)
        if name is not None:
            return name
    return None


def _source_of(module: str) -> tuple[bytes, str] | None:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    if spec is None or spec.origin is None or not spec.has_location or not spec.origin.endswith(".py"):
        return None
    with open(spec.origin, "rb") as file:
        return file.read(), spec.origin


def _top_level(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run at import: the module's own, and those inside its if, try and with blocks."""
    for statement in body:
        yield statement
        for field in ("body", "orelse", "finalbody"):
            if isinstance(statement, ast.If | ast.Try | ast.With):
                yield from _top_level(getattr(statement, field, ()))


def _aliases(statement: ast.stmt) -> set[str]:
    """Other names the class gets: ``from django_bolt.api import BoltAPI as API``."""
    if not isinstance(statement, ast.ImportFrom):
        return set()
    return {alias.asname for alias in statement.names if alias.name == _CLASS_NAME and alias.asname}


def _assigned_api(statement: ast.stmt, class_names: set[str]) -> str | None:
    if isinstance(statement, ast.Assign):
        targets, value = statement.targets, statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets, value = [statement.target], statement.value
    else:
        return None
    if not isinstance(value, ast.Call):
        return None
    made_by = value.func
    called = made_by.id if isinstance(made_by, ast.Name) else getattr(made_by, "attr", "")
    if called not in class_names:
        return None
    return next((target.id for target in targets if isinstance(target, ast.Name)), None)
