"""The samples are the guide's code: every code block of it is found, character by character, in examples/guide/samples.

``blocks/`` holds the guide's code blocks, one file each; where the guide itself is at hand they are compared with it.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GUIDE = ROOT.parent / "shared/spec/async-orm-guide.md"
BLOCKS = {path.stem: path.read_text() for path in sorted((Path(__file__).parent / "blocks").glob("*.txt"))}
SAMPLES = {path.name: path.read_text() for path in sorted((ROOT / "examples/guide/samples").glob("*.py"))}
#: The guide's example of a foreign service, which a local one stands in for.
FOREIGN_URL = "'https://api.example.com/data'"
#: What the guide warns of raises SynchronousOnlyOperation as long as Django's own drivers are used.
WARNED_OF = {name for name in BLOCKS if name.endswith("-don-t")}
HANDLERS = [name for name, text in BLOCKS.items() if "@api." in text]
SNIPPETS = [name for name in BLOCKS if name not in HANDLERS and name not in WARNED_OF]


def code_blocks(markdown: str) -> dict[str, str]:
    """The Python blocks of a Markdown text, named by number and section, without common indentation."""
    blocks: dict[str, str] = {}
    section, lines, fenced = "", list[str](), False
    for line in markdown.splitlines():
        if fenced and line.strip() == "```":
            name = re.sub("[^a-z0-9]+", "-", section.lower()).strip("-")
            blocks[f"{len(blocks) + 1:02d}-{name}"] = textwrap.dedent("\n".join(lines)) + "\n"
            fenced = False
        elif fenced:
            lines.append(line)
        elif line.strip() == "```python":
            lines, fenced = [], True
        elif line.startswith("#"):
            section = line.strip("# ")
    return blocks


def test_the_committed_blocks_are_complete() -> None:
    assert len(BLOCKS) == 27
    assert len(HANDLERS) == 9
    assert len(WARNED_OF) == 5
    if GUIDE.exists():
        assert code_blocks(GUIDE.read_text()) == BLOCKS


@pytest.mark.parametrize("name", HANDLERS)
def test_handlers_are_in_one_sample_word_for_word(name: str) -> None:
    block = BLOCKS[name].replace(FOREIGN_URL, "EXTERNAL_URL")
    assert [sample for sample, text in SAMPLES.items() if block in text], f"{name} is in no sample"


@pytest.mark.parametrize("name", SNIPPETS)
def test_snippets_are_inside_handlers_word_for_word(name: str) -> None:
    for paragraph in BLOCKS[name].strip("\n").split("\n\n"):
        indented = textwrap.indent(paragraph, " " * 4) + "\n"
        assert [sample for sample, text in SAMPLES.items() if indented in text], f"{name}: {paragraph}"
