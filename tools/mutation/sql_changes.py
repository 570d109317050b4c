"""Faulty changes of SQL, outside comments and literals."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.mutation.source_change import Change

NAMED = re.compile(
    r"^-- name: (\w+)\n"
    r"|^CREATE (?:OR REPLACE )?\w+ (?:IF NOT EXISTS )?([\w.]+)",
    re.MULTILINE,
)
NO_CODE = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\"[^\"]*\"")
SWAPS = {
    r"<(?![=>@-])": "<=",
    r"<=": "<",
    r"(?<![-=<>@])>(?![=>])": ">=",
    r">=": ">",
    r"(?<![:<>=!])=(?![>=])": "<>",
    r"<>": "=",
    r"\bAND\b": "OR",
    r"(?<!UPDATE )(?<!DELETE )(?<!INSERT )\bOR\b(?! REPLACE)": "AND",
    r"\bIS NULL\b": "IS NOT NULL",
    r"\bIS NOT NULL\b": "IS NULL",
    r"\bNOT EXISTS\b": "EXISTS",
    r"(?<!NOT )(?<!IF )\bEXISTS\b": "NOT EXISTS",
    r"\bIF NOT\b(?! EXISTS)": "IF",
    r"\bDESC\b": "ASC",
    r"\bDISTINCT\b(?! FROM)": "",
    r"\bLEFT JOIN\b": "JOIN",
    r"\bUNION ALL\b": "UNION",
    r"\bmin\b(?=\()": "max",
    r"\bmax\b(?=\()": "min",
    r"\blead\b(?=\()": "lag",
    r"(?<=\s)\+(?=\s)": "-",
    r"(?<=\s)-(?=\s)": "+",
    r"(?<!\$)\b1\b": "2",
    r"(?<!\$)\b0\b": "1",
    r"(?m)^ *(?:AND|OR) [^\n]*(?<![;,(])$": "",
    r"(?m)^ *WHERE [^\n()]*(?:\([^\n()]*\)[^\n()]*)*(?<!;)$": "",
    r"\bFOR (?:NO KEY )?UPDATE\b": "",
}
BETWEEN = re.compile(r"BETWEEN \S+ $")


def sql_changes(source: str) -> Iterator[Change]:
    """Yield all changes of the queries and functions in a file."""
    code = NO_CODE.sub(lambda match: " " * len(match.group()), source)
    names = [(match.start(), match.group(1) or match.group(2)) for match in NAMED.finditer(source)]
    for pattern, after in SWAPS.items():
        for match in re.finditer(pattern, code):
            if not BETWEEN.search(code, 0, match.start()):
                yield Change(
                    _name(names, match.start()),
                    match.start(),
                    source[match.start() : match.end()],
                    after,
                )


def _name(names: list[tuple[int, str]], start: int) -> str:
    """Return the query or function at a place."""
    return next((name for place, name in reversed(names) if place <= start), "")
