"""The layer rule of the C code, enforced: who may include whom, who may know Python, what the module exports.

base <- http | route | ws | auth | limit <- server;  base <- db;  bindings -> everything. No arrow between siblings,
none upwards. Sources are judged by their #include lines, archives and the extension module by their symbols.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from django_bolt import _core

ROOT = Path(__file__).resolve().parents[2]

ENGINE_MODULES = {"http", "route", "ws", "auth", "limit"}
MAY_INCLUDE = {
    "base": {"base"},
    **{module: {"base", module} for module in ENGINE_MODULES},
    "server": {"base", *ENGINE_MODULES, "server"},
    "db": {"base", "db"},
}

# Public engine headers without a source of the same name under engine/src/<module>/.
HEADER_ONLY = {"base": "base", "ascii": "base"}

# The engine does no input or output and reads no clock: bytes and time are arguments.
SYSTEM_HEADERS_OF_ENGINE = {
    "arpa/inet.h",  # text of addresses, no sockets
    "assert.h",
    "limits.h",
    "stdbool.h",
    "stddef.h",
    "stdint.h",
    "stdlib.h",
    "string.h",
    "immintrin.h",
    "emmintrin.h",
}

INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*([<\"])([^>\"]+)[>\"]", re.MULTILINE)


def layer_sources(*suffixes: str) -> list[Path]:
    """Files of engine/, server/ and db/ with one of the suffixes, relative to the repository."""
    files: list[Path] = []
    for top in ("engine", "server", "db"):
        files += [path.relative_to(ROOT) for path in (ROOT / top).rglob("*") if path.suffix in suffixes]
    return sorted(files)


def includes_of(path: Path) -> list[tuple[str, str]]:
    """(bracket, name) of each #include."""
    return INCLUDE.findall((ROOT / path).read_text(encoding="utf-8"))


def module_of_public_header(name: str) -> str:
    """Which module owns <bolt/NAME.h>."""
    if (ROOT / "server/include/bolt" / f"{name}.h").exists():
        return "server"
    if (ROOT / "db/include/bolt" / f"{name}.h").exists():
        return "db"
    if name in HEADER_ONLY:
        return HEADER_ONLY[name]
    owners = [path.parent.name for path in (ROOT / "engine/src").glob(f"*/{name}.c")]
    assert len(owners) == 1, (
        f"bolt/{name}.h: {owners or 'no'} source of that name; if it needs none, add it to HEADER_ONLY"
    )
    return owners[0]


def module_of(path: Path) -> str:
    """The module a source or header belongs to."""
    match path.parts:
        case ("engine", "src", module, *_):
            return module
        case ("engine", "include", "bolt", name):
            return module_of_public_header(Path(name).stem)
        case (top, *_):
            return top
    raise AssertionError(path)


def test_includes_point_down_only() -> None:
    wrong = []
    for path in layer_sources(".c", ".h"):
        module = module_of(path)
        for _, name in includes_of(path):
            if not name.startswith("bolt/"):
                continue
            target = module_of_public_header(Path(name).stem)
            if target not in MAY_INCLUDE[module]:
                wrong.append(f"{path} ({module}) includes {name} ({target})")
    assert not wrong, "\n".join(wrong)


def test_private_headers_stay_private() -> None:
    """A quoted name that is not bolt/... is found next to the file that includes it."""
    wrong = [
        f"{path} includes {name}"
        for path in layer_sources(".c", ".h")
        for bracket, name in includes_of(path)
        if bracket == '"' and not name.startswith("bolt/") and not (ROOT / path.parent / name).is_file()
    ]
    assert not wrong, "\n".join(wrong)


def test_the_engine_includes_no_input_output_and_no_clock() -> None:
    wrong = [
        f"{path} includes <{name}>"
        for path in layer_sources(".c", ".h")
        if path.parts[0] == "engine"
        for bracket, name in includes_of(path)
        if bracket == "<" and name not in SYSTEM_HEADERS_OF_ENGINE
    ]
    assert not wrong, "\n".join(wrong)


def test_only_bindings_include_python() -> None:
    wrong = [
        str(path) for path in layer_sources(".c", ".h") if any(name == "Python.h" for _, name in includes_of(path))
    ]
    assert not wrong, "\n".join(wrong)
    assert any(("<", "Python.h") in includes_of(path) for path in (ROOT / "bindings").glob("*.h"))


def test_every_source_has_its_test_file() -> None:
    """engine/src/http/http1.c <-> tests/c/http/test_http1.c, server/src/conn.c <-> tests/c/server/test_conn.c."""
    missing = []
    for path in layer_sources(".c"):
        place = Path(*path.parts[2:]) if path.parts[0] == "engine" else Path(path.parts[0], *path.parts[2:])
        twin = Path("tests/c") / place.parent / f"test_{place.name}"
        if not (ROOT / twin).is_file():
            missing.append(f"{path} has no {twin}")
    assert not missing, "\n".join(missing)


# --- what was built ---


def nm(*arguments: str) -> str:
    """Output of nm; its complaint is the failure text."""
    done = subprocess.run(["nm", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def archives() -> list[Path]:
    """The static libraries of the build under test: BOLT_BUILD_DIR, else the one of the editable install."""
    extension = Path(str(_core.__file__))
    build = Path(os.environ.get("BOLT_BUILD_DIR", extension.parents[1]))
    found = [path for top in ("engine", "server", "db") for path in sorted((build / top).glob("*.a"))]
    assert found, f"no archive in {build}: use an editable install or set BOLT_BUILD_DIR"
    return found


def test_archives_know_no_python(archives: list[Path]) -> None:
    assert {path.name for path in archives} >= {f"libbolt_{name}.a" for name in ("base", "http", "route", "server")}
    wrong = [
        f"{path.name}: {symbol}"
        for path in archives
        for symbol in nm("--undefined-only", "--format=just-symbols", str(path)).split()
        if symbol.startswith(("Py", "_Py"))
    ]
    assert not wrong, "\n".join(wrong)


def test_the_engine_keeps_no_state_of_its_own(archives: list[Path]) -> None:
    """No writable static data but the counters of the allocation hook of test builds."""
    allowed = {"fail_countdown", "seen"}
    wrong = []
    for path in archives:
        if path.parent.name != "engine":
            continue
        for line in nm("--format=sysv", str(path)).splitlines():
            columns = [column.strip() for column in line.split("|")]
            writable = len(columns) == 7 and re.match(r"\.(data|bss|tdata|tbss)(?!\.rel\.ro)", columns[6])
            if writable and columns[3] == "OBJECT" and not columns[0].startswith("__") and columns[0] not in allowed:
                wrong.append(f"{path.name}: {columns[0]} in {columns[6]}")
    assert not wrong, "\n".join(wrong)


def test_the_extension_exports_its_init_function_only() -> None:
    symbols = nm("--dynamic", "--defined-only", "--format=just-symbols", str(_core.__file__)).split()
    assert symbols == ["PyInit__core"]
