"""State of all deliveries, for monitoring."""

from pathlib import Path

from msgspec import Struct

from tracker.postgres.database import Pool, named_queries

SQL = named_queries(Path(__file__).with_name("deliverer.sql"))
LEASE = "deliverer"
"""Name of the deliverer's lease."""


class DeliverySummary(Struct, frozen=True):
    """Endpoints by state, the number of failing ones, and whether a server delivers."""

    active: int
    paused: int
    disabled: int
    failing: int
    position: int | None
    """Position that all active endpoints without failures have reached; None without any."""
    delivering: bool


async def read_summary(pool: Pool) -> DeliverySummary:
    """Return the present summary, whichever server delivers."""
    row = await pool.fetchrow(SQL.summary, LEASE)
    assert row is not None
    return DeliverySummary(**row)
