"""Rows as lines of text, and one statement that writes the rows of several tables."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from itertools import accumulate

Line = str
"""A row as a line: tabs separate its columns. Neither JSON nor words contain tabs."""

NULL = "\x01"
"""A column without a value: JSON and words contain no control characters."""

OPEN_POSITION = 2**63 - 1
"""`until` of an open row: the largest number of its column."""
PARAMETER = re.compile(r"\$(\d+)")


@lru_cache(maxsize=65536)
def day_text(day: date | None) -> str:
    """Return a day as PostgreSQL reads it; the first and last of the calendar are infinities.

    asyncpg encodes them the same way. None is the end of an open range.
    """
    if day is None:
        return ""
    return {date.min: "-infinity", date.max: "infinity"}.get(day) or day.isoformat()


def one_statement(*statements: str) -> str:
    """Return a statement that executes several statements which modify rows.

    Its parameters are those of the statements, in order. All parts see the rows before the statement,
    so none may read rows that another part writes.
    """
    counts = [max(map(int, PARAMETER.findall(each)), default=0) for each in statements]
    offsets = accumulate(counts, initial=0)
    parts = [
        f"part_{number} AS (\n{_renumbered(each, offset)}\n)"
        for number, (each, offset) in enumerate(zip(statements, offsets, strict=False), 1)
    ]
    return f"WITH {', '.join(parts)}\nSELECT"


def _renumbered(statement: str, offset: int) -> str:
    return PARAMETER.sub(
        lambda parameter: f"${int(parameter[1]) + offset}", statement.rstrip().rstrip(";")
    )
