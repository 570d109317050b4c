"""State of relays in the database."""

import re
from pathlib import Path
from typing import NamedTuple

import asyncpg

from tracker.delivery.endpoint import EndpointFilter
from tracker.delivery.relay.cursor import Cursor
from tracker.errors import InvalidInput
from tracker.postgres.database import Pool, named_queries
from tracker.postgres.lease import Lease, check_epoch

SQL = named_queries(Path(__file__).with_name("relays.sql"))
NAME = re.compile("[a-z0-9][a-z0-9._-]{0,62}")


class RelayProgress(NamedTuple):
    """Progress of a relay, and how often its broker lost events."""

    name: str
    position: int
    refills: int


async def read_relays(pool: Pool) -> list[RelayProgress]:
    """Return all relays, by name."""
    return [RelayProgress(*row) for row in await pool.fetch(SQL.all)]


class RelayStore:
    """The row of one relay. Only the holder of its lease changes it."""

    def __init__(self, pool: Pool, name: str):
        if not NAME.fullmatch(name):
            raise InvalidInput(
                f"{name!r}: expected a name of up to 63 lower-case letters, digits, '.', '_', '-'",
                path=("name",),
            )
        self.name = name
        self.lease = Lease(pool, f"relay {name}")
        self._pool = pool

    async def begin(
        self, sink: str, filter: EndpointFilter, after: int | None, head: int
    ) -> Cursor:
        """Begin the relay after a position, or resume it; None is the head of the log for a new relay.

        Raises InvalidInput if the relay exists with other settings: then the previous positions in its
        messages would no longer prove that no event is missing.
        """
        words = (filter.types, filter.commodities, filter.places, filter.entity)
        start = head if after is None else after
        if start > head:
            raise InvalidInput(
                f"the log ends at {head}: expected --after up to there", path=("after",)
            )
        await self._pool.execute(SQL.begin, self.name, sink, *words, start)
        row = await self._pool.fetchrow(SQL.read, self.name)
        assert row is not None
        if _filter(row) != filter:
            raise InvalidInput(
                f"the relay {self.name} was begun with other filters: expected those, or another name"
                " and a stream of its own",
                path=("name",),
            )
        cursor = _cursor(row)
        if after not in (None, cursor.started_after):
            raise InvalidInput(
                f"the relay {self.name} was begun after {cursor.started_after}: expected that"
                " position or none, or another name and a stream of its own",
                path=("after",),
            )
        return cursor

    async def read(self) -> Cursor:
        """Return the cursor."""
        row = await self._pool.fetchrow(SQL.read, self.name)
        assert row is not None
        return _cursor(row)

    async def write(self, sink: str, cursor: Cursor, *, refilling: bool = False) -> None:
        """Write the cursor. Raises LeaseLost if another process holds the lease."""
        place = cursor.position, cursor.previous_position, cursor.sequence
        async with self._pool.acquire() as connection, connection.transaction():
            await check_epoch(connection, self.lease)
            await connection.execute(SQL.write, self.name, sink, *place, int(refilling))


def _filter(row: asyncpg.Record) -> EndpointFilter:
    def words(name: str) -> tuple[str, ...] | None:
        return None if row[name] is None else tuple(row[name])

    return EndpointFilter(words("types"), words("commodities"), words("places"), row["entity"])


def _cursor(row: asyncpg.Record) -> Cursor:
    return Cursor(row["started_after"], row["position"], row["previous_position"], row["sequence"])
