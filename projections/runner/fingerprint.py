"""A hash of the code that rows follow from, so that rows made by other code are made anew.

Only what can change a row counts: neither docstrings and comments, nor layout, nor where a module
lies and what it imports. A change too many costs a rebuild, one too few would cost the truth.
"""

from __future__ import annotations

import hashlib
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from projections.runner.projection import Projection

SQL_COMMENT = re.compile(r"--[^\n]*")
"""No string in our SQL has two dashes; `-- name:` lines are no behaviour either."""

SPACE_TOKENS = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER)

MAX_FILES_REMEMBERED = 500
"""More than the code of all projections has; a process that begins several trackers reads it once."""


def fingerprint(projection: Projection[Any]) -> str:
    """The hash of the code that the rows of a projection follow from, as it was when this process first
    asked: files that are replaced later are not what it runs."""
    return _fingerprint(tuple(projection.code))


@cache
def _fingerprint(code: tuple[Path, ...]) -> str:
    return hash_files(code)


def hash_files(paths: Iterable[Path]) -> str:
    """The hash of what files do, whatever they are called."""
    behaviours = sorted(behaviour(path.suffix, path.read_text(encoding="utf-8")) for path in paths)
    digests = b"".join(hashlib.sha256(text.encode()).digest() for text in behaviours)
    return hashlib.sha256(digests).hexdigest()


@lru_cache(maxsize=MAX_FILES_REMEMBERED)
def behaviour(suffix: str, text: str) -> str:
    """The text of a file without what changes nothing."""
    if suffix == ".py":
        return "\n".join(_statements(text))
    if suffix == ".sql":
        return " ".join(SQL_COMMENT.sub(" ", text).split())
    return text


def _statements(text: str) -> Iterator[str]:
    """The logical lines of Python code, with their indentation, but docstrings and imports."""
    line: list[tokenize.TokenInfo] = []
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in SPACE_TOKENS:
            continue
        if token.type in (tokenize.INDENT, tokenize.DEDENT):
            depth += 1 if token.type == tokenize.INDENT else -1
        elif token.type != tokenize.NEWLINE:
            line.append(token)
        else:
            if _does_something(line):
                yield f"{depth} " + "".join(part.string for part in line)
            line = []


def _does_something(line: list[tokenize.TokenInfo]) -> bool:
    is_text = all(token.type == tokenize.STRING for token in line)
    return not is_text and line[0].string not in ("import", "from")
