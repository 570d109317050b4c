"""Every documented code block is run or checked by a test, or has a reason for its exemption.

The table is `documented_code.toml`. A new block needs a line there, and a test that reads it from its
page.
"""

import ast
import tomllib
from dataclasses import dataclass
from functools import cache

from tests.support.cases import each_case
from tests.support.checkout import ROOT
from tests.support.documents import Block, blocks, pages

UNTESTED = "untested: "


@dataclass(frozen=True)
class Entry:
    """A line of the table."""

    page: str
    language: str
    part: str
    """A part of a single block, or its start after `^`; empty for all blocks in the language."""
    why: str

    def matches(self, block: Block) -> bool:
        """Whether the line is about a block."""
        if (block.page, block.language) != (self.page, self.language):
            return False
        if self.part.startswith("^"):
            return block.text.startswith(self.part[1:])
        return self.part in block.text


TABLE = tomllib.loads((ROOT / "tests" / "documented_code.toml").read_text(encoding="utf-8"))
ENTRIES = [
    Entry(page, *key.partition(": ")[::2], why)
    for page, lines in TABLE.items()
    for key, why in lines.items()
]


@cache
def functions_of(file: str) -> set[str]:
    """Return the names of the functions in a test file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@each_case("page", pages())
def test_each_block_has_one_test_or_one_reason(page: str) -> None:
    wrong = [
        f"{page}:{block.line} ({block.language}) is in {count} lines of documented_code.toml"
        for block in blocks(page)
        if (count := sum(entry.matches(block) for entry in ENTRIES)) != 1
    ]
    assert wrong == []


def test_each_line_of_the_table_is_about_blocks_that_there_are() -> None:
    counts = {entry: sum(entry.matches(block) for block in blocks(entry.page)) for entry in ENTRIES}
    assert [entry for entry, count in counts.items() if not count] == []
    assert [entry for entry, count in counts.items() if entry.part and count > 1] == []


def test_the_tests_of_the_table_are_there() -> None:
    named = [entry.why for entry in ENTRIES if not entry.why.startswith(UNTESTED)]
    assert len(named) >= 100
    for file, _, name in (test.partition("::") for test in named):
        assert name in functions_of(file), (file, name)
