"""Source linter for what compilers and formatters do not check: the table `RULES` and the size limits.

Usage: tools/clint.py [FILE...]   (no FILE: every file git knows or would add)

A line that must break a rule says so itself: a comment `clint: allow RULE-NAME, reason` on that line or the one before.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPDX = "/* SPDX-License-Identifier: MIT */"
MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 150

C_SUFFIXES = {".c", ".h"}
TEXT_SUFFIXES = {".c", ".h", ".py", ".pyi", ".sh", ".toml", ".build", ".options", ".md", ".yml", ".html", ".json", ""}

ANYWHERE = re.compile("")
PRODUCT_C = re.compile(r"^(engine|server|db)/.*\.[ch]$")
ANY_C = re.compile(r"\.[ch]$")
BINDINGS_C = re.compile(r"^bindings/.*\.[ch]$")


@dataclass(frozen=True)
class Rule:
    """One forbidden pattern. `where` selects paths; `code_only` hides comments and literals from the pattern."""

    name: str
    where: re.Pattern[str]
    pattern: re.Pattern[str]
    message: str
    code_only: bool = True
    exempt: tuple[str, ...] = ()


RULES = (
    Rule(
        "banned-call",
        ANY_C,
        re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strtok|alloca|gets|atoi|atol|atoll|atof)\s*\("),
        "{0}() has no bounds or no errors; use slices, bolt_buf and the scalar parsers",
    ),
    Rule(
        "raw-allocation",
        PRODUCT_C,
        re.compile(r"(?<!->)(?<!\.)\b(malloc|calloc|realloc|free|strdup|strndup)\s*\("),
        "{0}() escapes the allocation hook; use the bolt_{0} family",
        exempt=("engine/src/base/alloc.c",),
    ),
    Rule(
        "python-below-bindings",
        PRODUCT_C,
        re.compile(r"#\s*include\s*[<\"](Python\.h)"),
        "{0} belongs to bindings/ only",
        code_only=False,
    ),
    Rule(
        "unfinished",
        ANYWHERE,
        re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b"),
        "{0}: finish it or write an issue",
        code_only=False,
    ),
    Rule(
        "machine-path",
        ANYWHERE,
        re.compile(r"(?<![\w/.])(/(?:home|work|root|Users)/[\w.])"),
        "absolute path of one machine: {0}",
        code_only=False,
    ),
)


@dataclass(frozen=True)
class Finding:
    """One complaint; `line` counts from 1."""

    path: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text} [{self.rule}]"


TOKEN = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.DOTALL | re.VERBOSE,
)


def blank_comments_and_literals(source: str) -> str:
    """The same text with comments, strings and character constants replaced by spaces; line breaks stay."""
    return TOKEN.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), source)


def is_allowed(lines: list[str], index: int, rule: str) -> bool:
    """Does line `index` or the one before carry `clint: allow RULE`?"""
    marker = f"clint: allow {rule}"
    return any(marker in lines[i] for i in (index - 1, index) if i >= 0)


def check_rules(path: str, source: str) -> Iterator[Finding]:
    """The table above, line by line."""
    lines = source.splitlines()
    code = blank_comments_and_literals(source).splitlines() if Path(path).suffix in C_SUFFIXES else lines
    for rule in RULES:
        if not rule.where.search(path) or path in rule.exempt:
            continue
        for index, line in enumerate(code if rule.code_only else lines):
            match = rule.pattern.search(line)
            if match and not is_allowed(lines, index, rule.name):
                yield Finding(path, index + 1, rule.name, rule.message.format(match.group(1)))


def check_c_layout(path: str, source: str) -> Iterator[Finding]:
    """SPDX line, size of the file and of each function (bodies open and close in column one)."""
    lines = source.splitlines()
    if not lines or lines[0] != SPDX:
        yield Finding(path, 1, "spdx", f"the first line must be: {SPDX}")
    if len(lines) > MAX_FILE_LINES:
        yield Finding(path, len(lines), "file-size", f"{len(lines)} lines, at most {MAX_FILE_LINES}")
    start = 0
    for number, line in enumerate(blank_comments_and_literals(source).splitlines(), 1):
        if line.rstrip() == "{":
            start = number
        elif start and line.startswith("}"):
            size = number - start - 1
            if size > MAX_FUNCTION_LINES and not is_allowed(lines, start - 1, "function-size"):
                yield Finding(path, start, "function-size", f"a body of {size} lines, at most {MAX_FUNCTION_LINES}")
            start = 0


def check_error_clear(path: str, source: str) -> Iterator[Finding]:
    """Dropping a Python exception needs a reason next to it: a comment on the line, or ending on the one before."""
    lines = source.splitlines()
    for index, line in enumerate(blank_comments_and_literals(source).splitlines()):
        if not re.search(r"\bPyErr_Clear\s*\(", line):
            continue
        before = lines[index - 1].strip() if index else ""
        if "/*" not in lines[index] and not before.endswith("*/") and not before.startswith("//"):
            yield Finding(path, index + 1, "error-clear", "PyErr_Clear() without a comment that says why")


def check(path: str, source: str) -> Iterator[Finding]:
    """Everything that applies to one file; `path` is relative to the repository."""
    yield from check_rules(path, source)
    if Path(path).suffix in C_SUFFIXES:
        yield from check_c_layout(path, source)
    if BINDINGS_C.search(path):
        yield from check_error_clear(path, source)


def project_files() -> list[str]:
    """Tracked files and new ones that are not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in output.split("\0") if name and (ROOT / name).is_file())


def main(arguments: list[str]) -> int:
    """Prints the findings; 1 when there are any."""
    names = [Path(name).resolve().relative_to(ROOT).as_posix() for name in arguments] or project_files()
    findings: list[Finding] = []
    for name in names:
        if Path(name).suffix not in TEXT_SUFFIXES:
            continue
        try:
            source = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # fuzz corpus and other binary files
        findings.extend(check(name, source))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
