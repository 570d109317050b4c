"""Statements of lists in a file, for reading and for psql.

    python -m tests.projections.golden_sql

rewrites it after a change; `git diff` then shows the effect on each statement. The file prepares each
statement and executes it. In psql on the database of a tracker,

    EXPLAIN ANALYZE EXECUTE controls_on_a_group (…);

with the arguments below the statement shows the plan.
"""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg

from projections.query.as_of import PLANNED_ONCE, AsOf
from projections.query.moment import Moment
from tests.projections.questions import QUESTIONS, Question
from tests.support.pools import RowsAtOnce
from tracker.postgres.session_settings import SEARCH_PATH

GOLDEN = Path(__file__).with_name("golden.sql")
MOMENT = Moment(date(2025, 6, 1), 1_000_000)
"""A position after every event of the corpus."""
SETTINGS = {"search_path": SEARCH_PATH, **PLANNED_ONCE}


class RecordingPool(RowsAtOnce):
    """A pool that records statements and returns nothing."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, tuple[Any, ...]]] = []

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        """Record a statement and its arguments."""
        self.statements.append((statement, arguments))
        return []

    async def fetchrow(self, statement: str, *arguments: Any) -> None:
        """Record a statement for one row."""
        await self.fetch(statement, *arguments)

    async def fetchval(self, statement: str, *arguments: Any) -> int:
        """Record a statement for one value."""
        await self.fetch(statement, *arguments)
        return 0


def identifier(name: str) -> str:
    """Return the name of a query as a PostgreSQL identifier."""
    return name.replace(" ", "_")


async def script(name: str, question: Question) -> str:
    """Return a query's part of the file: its statement, and its arguments."""
    pool: Any = RecordingPool()
    await question(AsOf(pool, None), MOMENT)  # type: ignore[arg-type]
    [(statement, arguments)] = pool.statements
    values = ",\n    ".join(literal(value) for value in arguments)
    return (
        f"-- {name}\n"
        f"PREPARE {identifier(name)} AS\n{statement.rstrip(';')};\n\n"
        f"EXECUTE {identifier(name)} (\n    {values});\n"
    )


def literal(value: Any) -> str:
    """Return an argument as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(value).lower()
    return "'" + text(value).replace("'", "''") + "'"


def text(value: Any) -> str:
    """Return the text inside a literal's quotation marks."""
    if isinstance(value, list):
        return "{" + ",".join(f'"{item}"' for item in value) + "}"
    if isinstance(value, asyncpg.Range):
        lower, upper = ("" if end is None else end for end in (value.lower, value.upper))
        return f"{'(['[value.lower_inc]}{lower},{upper}{')]'[value.upper_inc]}"
    return str(value)


async def scripts() -> dict[str, str]:
    """Return the parts of all queries by name; the settings come first."""
    settings = "\n".join(f"SET {setting} = {value};" for setting, value in SETTINGS.items())
    head = f"-- Written by: python -m tests.projections.golden_sql\n{settings}\n"
    return {"": head} | {name: await script(name, of) for name, of in QUESTIONS.items()}


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(asyncio.run(scripts()).values()), encoding="utf-8")
