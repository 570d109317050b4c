"""Rows as lines of text, and one statement that writes the rows of several tables."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from itertools import accumulate
from typing import Any

from tracker.postgres.database import Connection

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


async def write_rows(
    connection: Connection,
    parts: Iterable[tuple[str, Sequence[Sequence[Any]]]],
    *,
    seconds: float | None = None,
) -> None:
    """Execute several statements that modify rows, each with its columns, in one round trip.

    All see the rows before, so none may read rows that another one writes. Statements without rows are
    left out.
    """
    given = [(statement, columns) for statement, columns in parts if columns and columns[0]]
    if given:
        statement = one_statement(*[statement for statement, _ in given])
        await connection.execute(
            statement, *[column for _, columns in given for column in columns], timeout=seconds
        )


@lru_cache(maxsize=256)
def one_statement(*statements: str) -> str:
    """Return a statement that executes several ones, with their parameters in order."""
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
