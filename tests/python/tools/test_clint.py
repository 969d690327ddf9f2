"""Each rule of tools/clint.py finds what it is for and lets the harmless twin pass."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]
HEADER = "/* SPDX-License-Identifier: MIT */\n"


@pytest.fixture(scope="module")
def clint() -> ModuleType:
    spec = importlib.util.spec_from_file_location("clint", ROOT / "tools/clint.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


UNFINISHED = "TO" + "DO"
HOME = "/ho" + "me/"


@pytest.mark.parametrize(
    ("path", "code", "rules"),
    [
        ("engine/src/base/x.c", "strcpy(a, b);", ["banned-call"]),
        ("bindings/x.c", "n = atoi (text);", ["banned-call"]),
        ("tests/c/base/x.c", "sprintf(a, b);", ["banned-call"]),
        ("engine/src/base/x.c", "snprintf(a, n, b); my_strcpy(a, b);", []),
        ("engine/src/base/x.c", '/* strcpy(a, b) */ put("gets(x)"); // atoi(x)', []),
        ("engine/src/base/x.c", "char c = '\"'; strtok(a, b); char d = '\"';", ["banned-call"]),
        ("engine/src/base/x.c", "strcpy(a, b); /* clint: allow banned-call, a test of this linter */", []),
        ("engine/src/base/x.c", "/* clint: allow banned-call, above */\nstrcpy(a, b);", []),
        ("engine/src/base/x.c", "/* clint: allow spdx, another rule */\nstrcpy(a, b);", ["banned-call"]),
        ("engine/src/base/x.c", "p = malloc(3);", ["raw-allocation"]),
        ("server/src/x.c", "free(p);", ["raw-allocation"]),
        ("db/rows/x.c", "p = strdup(q);", ["raw-allocation"]),
        ("engine/src/base/x.c", "p = bolt_malloc(3); bolt_free(p); pool->free(p); pool.free(p);", []),
        ("engine/src/base/alloc.c", "p = malloc(3);", []),
        ("bindings/x.c", "p = malloc(3);", []),
        ("engine/src/base/x.c", "#include <Python.h>", ["python-below-bindings"]),
        ("bindings/x.c", "#include <Python.h>", []),
        ("engine/src/base/x.c", f"/* {UNFINISHED}: later */", ["unfinished"]),
        ("python/django_bolt/x.py", f"# {UNFINISHED} later", ["unfinished"]),
        ("python/django_bolt/x.py", "# todos and FIXMES", []),
        ("docs/x.md", f"see {HOME}me/project", ["machine-path"]),
        ("python/django_bolt/x.py", f'get("https://example.org{HOME}page")', []),
        ("bindings/x.c", "PyErr_Clear();", ["error-clear"]),
        ("bindings/x.c", "PyErr_Clear(); /* the attribute is optional */", []),
        ("bindings/x.c", "/* the attribute is optional */\nPyErr_Clear();", []),
        ("bindings/x.c", "/* far away */\nx();\nPyErr_Clear();", ["error-clear"]),
    ],
)
def test_rules(clint: ModuleType, path: str, code: str, rules: list[str]) -> None:
    header = HEADER + "\n" if path.endswith(".c") else ""
    assert [finding.rule for finding in clint.check(path, header + code + "\n")] == rules


def test_the_first_line_names_the_licence(clint: ModuleType) -> None:
    assert [finding.rule for finding in clint.check("engine/src/base/x.c", "int x;\n")] == ["spdx"]
    assert [finding.rule for finding in clint.check("engine/src/base/x.h", "\n" + HEADER)] == ["spdx"]
    assert not list(clint.check("tools/x.py", "x = 1\n"))


@pytest.mark.parametrize("extra", [0, 1])
def test_sizes(clint: ModuleType, extra: int) -> None:
    body = "    x();\n" * (clint.MAX_FUNCTION_LINES + extra)
    function = HEADER + "void f(void)\n{\n" + body + "}\n"
    assert [finding.rule for finding in clint.check("bindings/x.c", function)] == ["function-size"] * extra
    lines = HEADER + "int x;\n" * (clint.MAX_FILE_LINES - 1 + extra)
    assert [finding.rule for finding in clint.check("bindings/x.c", lines)] == ["file-size"] * extra


def test_findings_name_the_place(clint: ModuleType) -> None:
    (finding,) = clint.check("engine/src/base/x.c", HEADER + "/* a\n b */\nstrcpy(a, b);\n")
    assert str(finding).startswith("engine/src/base/x.c:4: strcpy()")
