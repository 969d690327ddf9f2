"""Virtual environments of the peers, one each under bench/venvs/, made on demand and reused while nothing changed.

Each environment remembers what it was made from in a stamp file; another interpreter, other requirements or other
sources of this project make it anew. No two peers share an environment, so none sees another's packages.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
VENVS = BENCH / "venvs"
_SOURCES = ("pyproject.toml", "meson.build", "meson.options", "engine", "server", "db", "bindings", "python")
_DEFAULT_PYTHONS = ("python3.13", "python3.12")


class SetupError(Exception):
    """Something the benchmark needs is missing or could not be made; the text says what to do."""


def find_python(wanted: str | None) -> str:
    """A runnable interpreter through tools/find_python.sh.

    Raises SetupError when none of the candidates is installed.
    """
    candidates = (wanted,) if wanted else _DEFAULT_PYTHONS
    for candidate in candidates:
        command = [str(ROOT / "tools" / "find_python.sh"), candidate]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
    raise SetupError(f"none of {', '.join(candidates)} is installed; pass PYTHON=...")


@dataclass(frozen=True)
class Environment:
    """A finished virtual environment."""

    path: Path

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    def versions(self) -> dict[str, str]:
        """Installed distributions and their versions."""
        output = _run([str(self.python), "-m", "pip", "list", "--format=json", "--disable-pip-version-check"])
        return {item["name"]: item["version"] for item in json.loads(output)}


def python_version(python: Path | str) -> str:
    """'3.13.0' for an interpreter.

    Raises SetupError when it does not run.
    """
    return _run([str(python), "-c", "import platform; print(platform.python_version())"]).strip()


def prepare(name: str, python: str, requirements: Sequence[str], pip_options: Sequence[str] = ()) -> Environment:
    """The environment `name` with exactly these requirements on that interpreter, created when it is missing.

    A requirement that starts with this project's root directory installs the project as a release wheel.
    Raises SetupError with pip's last lines when an installation fails.
    """
    version = python_version(python)
    environment = Environment(VENVS / f"{name}-cp{''.join(version.split('.')[:2])}")
    stamp = environment.path / ".made-from"
    wanted = "\n".join([version, *requirements, *pip_options])
    if any(requirement.startswith(str(ROOT)) for requirement in requirements):
        wanted += "\n" + source_fingerprint()
    if stamp.is_file() and stamp.read_text() == wanted:
        return environment
    print(f"making {environment.path.relative_to(ROOT)} ...", flush=True)
    shutil.rmtree(environment.path, ignore_errors=True)
    _run([python, "-m", "venv", str(environment.path)])
    pip = [str(environment.python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    _run([*pip, *pip_options, *requirements])
    stamp.write_text(wanted)
    return environment


def source_fingerprint() -> str:
    """Changes when a file that goes into the project's wheel changes."""
    digest = hashlib.sha256()
    for path in sorted(_source_files()):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _source_files() -> Iterable[Path]:
    for name in _SOURCES:
        path = ROOT / name
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from (p for p in path.rglob("*") if p.is_file() and p.suffix not in {".pyc", ".so"})


def compile_ceiling() -> Path:
    """The C ceiling server, compiled when its source is newer. Raises SetupError when gcc is missing or fails."""
    source = BENCH / "ceiling" / "ceiling.c"
    program = VENVS / "ceiling"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        VENVS.mkdir(exist_ok=True)
        _run(["gcc", "-O2", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-o", str(program), str(source)])
    return program


def _run(command: Sequence[str]) -> str:
    """Standard output of a command that must succeed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise SetupError(f"{command[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        tail = "\n".join(str(error.stderr).splitlines()[-15:])
        raise SetupError(f"{' '.join(command)}\n{tail}") from error
    return done.stdout
