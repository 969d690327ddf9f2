"""The servers that are compared: how each is installed and started, and which scenarios it can answer.

Every Python peer runs on the same interpreter, in one process, with its access log off. Peers whose speed depends on
Django, msgspec, psycopg or uvloop get the same versions of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import venvs
from bench.scenarios import Scenario

APPS = Path(__file__).resolve().parent / "apps"
PROJECT = APPS / "django_project"

HOST = "127.0.0.1"
POOL_SIZE = 10
"""PostgreSQL connections of the hand-written peer; the Django peers decide for themselves."""

DJANGO = "Django==5.2.19"
MSGSPEC = "msgspec==0.22.0"
PSYCOPG = "psycopg[binary]==3.3.9"
UVLOOP = "uvloop==0.23.0"
UVICORN = ("uvicorn==0.54.0", "httptools==0.9.0", UVLOOP)


@dataclass(frozen=True)
class Launch:
    """What a start command may refer to."""

    python: Path
    port: int
    answer_file: Path
    """Holds the exact answer of the scenario, for servers that send a fixed one."""

    def tool(self, name: str) -> str:
        """A console script of the peer's environment."""
        return str(self.python.parent / name)


@dataclass(frozen=True, eq=False)
class Peer:
    """One server under test."""

    name: str
    title: str
    command: Callable[[Launch], list[str]]
    requirements: tuple[str, ...] = ()
    pip_options: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    directory: Path = APPS
    serves_static: bool = True
    serves_orders: bool = True
    databases: tuple[str, ...] = ()
    optional: bool = False
    """Left out unless named."""
    black_box: bool = False
    """Its output is never shown beyond the last line of a failure."""

    def answers(self, scenario: Scenario, database: str | None) -> bool:
        """True when the peer implements the scenario (on that database)."""
        if scenario.uses_database:
            return database in self.databases
        return self.serves_static and (scenario.body is None or self.serves_orders)

    def prepare(self, python: str) -> Path:
        """Installs the peer when needed; returns its interpreter (the program itself for the ceiling)."""
        if not self.requirements:
            return venvs.compile_ceiling()
        return venvs.prepare(self.name, python, self.requirements, self.pip_options).python


def _uvicorn(app: str) -> Callable[[Launch], list[str]]:
    def command(launch: Launch) -> list[str]:
        options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
        return [launch.tool("uvicorn"), app, "--host", HOST, "--port", str(launch.port), "--workers", "1", *options]

    return command


def _runbolt(launch: Launch) -> list[str]:
    serve = ["manage.py", "runbolt", "--host", HOST, "--port", str(launch.port), "--processes", "1"]
    return [str(launch.python), *serve]


def _granian(launch: Launch) -> list[str]:
    options = ["--workers", "1", "--runtime-threads", "1", "--loop", "uvloop", "--no-ws", "--log-level", "warning"]
    where = ["--host", HOST, "--port", str(launch.port)]
    return [launch.tool("granian"), "--interface", "rsgi", *where, *options, "--no-access-log", "rsgi_app:app"]


def _gunicorn(launch: Launch) -> list[str]:
    options = ["--workers", "1", "--worker-class", "gthread", "--threads", "4", "--keep-alive", "60"]
    return [launch.tool("gunicorn"), "wsgi:application", "--bind", f"{HOST}:{launch.port}", *options]


def _ceiling(launch: Launch) -> list[str]:
    return [str(launch.python), str(launch.port), str(launch.answer_file)]


_BOLT_ENVIRONMENT = {"DJANGO_SETTINGS_MODULE": "bolt_settings"}
_BOTH = ("sqlite", "postgresql")

OURS = Peer(
    name="ours",
    title="django-cbolt",
    command=_runbolt,
    requirements=(str(venvs.ROOT), DJANGO, MSGSPEC, PSYCOPG, UVLOOP),
    environment=_BOLT_ENVIRONMENT,
    directory=PROJECT,
    databases=_BOTH,
)
REFERENCE = Peer(
    name="django-bolt",
    title="django-bolt 0.13.0",
    command=_runbolt,
    requirements=("django-bolt==0.13.0", DJANGO, MSGSPEC, PSYCOPG, UVLOOP),
    pip_options=("--only-binary", ":all:"),
    environment=_BOLT_ENVIRONMENT,
    directory=PROJECT,
    databases=_BOTH,
    black_box=True,
)
CEILING = Peer(name="ceiling", title="C ceiling", command=_ceiling)

ALL: Sequence[Peer] = (
    OURS,
    REFERENCE,
    CEILING,
    Peer(
        name="granian",
        title="granian RSGI",
        command=_granian,
        requirements=("granian==2.8.7", MSGSPEC, UVLOOP),
    ),
    Peer(
        name="fastapi",
        title="FastAPI on uvicorn",
        command=_uvicorn("fastapi_app:app"),
        requirements=("fastapi==0.165.0", *UVICORN),
    ),
    Peer(
        name="asyncpg",
        title="raw ASGI + asyncpg",
        command=_uvicorn("asyncpg_app:app"),
        requirements=("asyncpg==0.32.0", MSGSPEC, *UVICORN),
        environment={"BENCH_POOL_SIZE": str(POOL_SIZE)},
        serves_static=False,
        databases=("postgresql",),
    ),
    Peer(
        name="django-wsgi",
        title="Django on gunicorn",
        command=_gunicorn,
        requirements=("gunicorn==27.0.1", DJANGO, PSYCOPG),
        directory=PROJECT,
        serves_orders=False,
        databases=_BOTH,
        optional=True,
    ),
)

BY_NAME: Mapping[str, Peer] = {peer.name: peer for peer in ALL}
