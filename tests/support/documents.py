"""Code blocks in the documentation, and their programs in separate processes."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

from tests.support.checkout import ROOT


@dataclass(frozen=True)
class Block:
    """A code block of a page."""

    page: str
    line: int
    language: str
    text: str


def pages() -> list[str]:
    """Return the documents with blocks to copy."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
    return [path.relative_to(ROOT).as_posix() for path in found]


INDENTED = "indented"
"""Language of blocks without a fence."""


@cache
def blocks(page: str, language: str | None = None) -> tuple[Block, ...]:
    """Return the blocks of a page, optionally in one language, in order and without list indents."""
    found = []
    for token in MarkdownIt().parse((ROOT / page).read_text(encoding="utf-8")):
        if token.type in ("fence", "code_block"):
            name = token.info.strip() if token.type == "fence" else INDENTED
            found.append(Block(page, (token.map or [0])[0] + 1, name, token.content))
    return tuple(each for each in found if language in (None, each.language))


def block(page: str, language: str, part: str) -> str:
    """Return the text of the only block in a language with a given part."""
    [found] = [each.text for each in blocks(page, language) if part in each.text]
    return found


class Program:
    """A program of a page in a separate process, with its output in a file."""

    def __init__(self, directory: Path, name: str, text: str, *arguments: str):
        (directory / name).write_text(text, encoding="utf-8")
        interpreter = sys.executable if name.endswith(".py") else "node"
        self.output = directory / f"{name}.output"
        with self.output.open("w") as file:
            self.process = subprocess.Popen(
                [interpreter, name, *arguments], cwd=directory, stdout=file, stderr=file
            )

    def read(self) -> str:
        """Return its output so far. Raises AssertionError once it has ended."""
        text = self.output.read_text(encoding="utf-8")
        assert self.process.poll() is None, text
        return text


@contextmanager
def running_program(directory: Path, name: str, text: str, *arguments: str) -> Iterator[Program]:
    """Run a program for the duration of a block."""
    program = Program(directory, name, text, *arguments)
    try:
        yield program
    finally:
        program.process.kill()
        program.process.wait()
