"""The times of the last events of entities, commodities and places."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from tracker.postgres.database import Pool, named_queries

SQL = named_queries(Path(__file__).with_name("last_events.sql"))


class LastEvents:
    """Queries for the times of the last events."""

    def __init__(self, pool: Pool):
        self._pool = pool

    async def parts(self, kind: str, size: int) -> list[datetime]:
        """Return the time of the last event in each part of the entities of a kind, by their names."""
        return [row["recorded_at"] for row in await self._pool.fetch(SQL.parts, kind, size)]

    async def of_entities(self, kind: str, size: int, part: int) -> dict[str, datetime]:
        """Return the time of the last event of each entity in a part, counted from 0."""
        rows = await self._pool.fetch(SQL.of_entities, kind, size, part * size)
        return {row["stream"]: row["recorded_at"] for row in rows}

    async def about(self, words: Collection[str]) -> dict[str, datetime]:
        """Return the time of the last event about each word, a commodity or a place, that has any."""
        rows = await self._pool.fetch(SQL.about, list(words))
        return {row["word"]: row["recorded_at"] for row in rows}

    async def newest(self) -> datetime | None:
        """Return the time of the last event of the log; None for an empty log."""
        newest: datetime | None = await self._pool.fetchval(SQL.newest)
        return newest
