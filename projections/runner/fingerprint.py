"""Hash of the code behind rows, which triggers a rebuild after a change.

Docstrings, comments, layout, imports and module locations are ignored. A false change costs a rebuild;
a missed change would leave wrong rows.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from projections.runner.projection import Projection

SQL_COMMENT = re.compile(r"--[^\n]*")
"""Our SQL has no string with two dashes; `-- name:` lines are not behaviour either."""

INDENT = 4
"""Spaces per level, as `ruff format` writes them."""

PIECES = re.compile(
    r"""(?P<string>\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<end>\n)|#[^\n]*|\\\n|[ \t]+|(?P<word>[^\s"'#()\[\]{}\\]+)""",
    re.DOTALL,
)
"""The strings, brackets, ends of lines and other words of Python code; a prefix of a string is a word."""

MAX_FILES_REMEMBERED = 500
"""More files than all projections have; a process with several trackers reads them once."""


def fingerprint(projection: Projection[Any]) -> str:
    """Return the hash of the code behind a projection's rows, cached for the process.

    Files that are replaced later do not change it, because this process does not run them.
    """
    return _fingerprint(tuple(projection.code))


@cache
def _fingerprint(code: tuple[Path, ...]) -> str:
    return hash_files(code)


def hash_files(paths: Iterable[Path]) -> str:
    """Return the hash of the behaviour of files, independent of their names."""
    behaviours = sorted(behaviour(path.suffix, path.read_text(encoding="utf-8")) for path in paths)
    digests = b"".join(hashlib.sha256(text.encode()).digest() for text in behaviours)
    return hashlib.sha256(digests).hexdigest()


@lru_cache(maxsize=MAX_FILES_REMEMBERED)
def behaviour(suffix: str, text: str) -> str:
    """Return the text of a file without parts that do not affect behaviour."""
    if suffix == ".py":
        return "\n".join(_statements(text))
    if suffix == ".sql":
        return " ".join(SQL_COMMENT.sub(" ", text).split())
    return text


def _statements(text: str) -> Iterator[str]:
    """Yield the logical lines of Python code with indentation, without docstrings and imports.

    `tokenize` takes ten times as long, which every start would pay.
    """
    parts: list[str] = []
    brackets = indentation = 0
    does_something = False
    for piece in PIECES.finditer(text):
        kind = piece.lastgroup
        if kind == "end" and parts and not brackets:
            if does_something and parts[0] not in ("import", "from"):
                yield f"{indentation} " + "".join(parts)
            parts, does_something = [], False
        elif kind and kind != "end":
            if not parts:
                begin = piece.start()
                indentation = (begin - text.rfind("\n", 0, begin) - 1) // INDENT
            parts.append(piece[0])
            does_something |= kind != "string"
            brackets += (kind == "open") - (kind == "close")
