"""Hash of the code behind rows, which triggers a rebuild after a change.

Docstrings, comments, layout, imports and module locations are ignored. A false change costs a rebuild;
a missed change would leave wrong rows.
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
"""Our SQL has no string with two dashes; `-- name:` lines are not behaviour either."""

SPACE_TOKENS = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER)

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
    """Yield the logical lines of Python code with indentation, without docstrings and imports."""
    line: list[tokenize.TokenInfo] = []
    depth = 0
    for token in _tokens(text):
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


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens of Python code, equally in every version of Python.

    Since Python 3.12 an f-string has tokens of its own; they become one string again.
    """
    lines, begins = text.splitlines(keepends=True), list[tokenize.TokenInfo]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if kind.endswith("STRING_START"):
            begins.append(token)
        elif not begins:
            yield token
        elif kind.endswith("STRING_END"):
            begin = begins.pop()
            if not begins:
                (first, start), (last, end) = begin.start, token.end
                source = [*lines[first - 1 : last - 1], lines[last - 1][:end]]
                string = "".join([source[0][start:], *source[1:]])
                yield token._replace(type=tokenize.STRING, string=string, start=begin.start)


def _does_something(line: list[tokenize.TokenInfo]) -> bool:
    is_text = all(token.type == tokenize.STRING for token in line)
    return not is_text and line[0].string not in ("import", "from")
