"""How deliveries stand as a whole, for those who watch over servers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tracker.postgres.database import Pool, named_queries

SQL = named_queries(Path(__file__).with_name("deliverer.sql"))
LEASE = "deliverer"
"""The lease of whoever delivers."""


@dataclass(frozen=True, slots=True)
class DeliverySummary:
    """Endpoints by state, how many active ones fail, and whether a server delivers."""

    active: int
    paused: int
    disabled: int
    failing: int
    position: int | None
    """Up to where all active ones that do not fail have had what they are for; None without any."""
    delivering: bool


async def read_summary(pool: Pool) -> DeliverySummary:
    """The summary at this moment, whichever server delivers."""
    row = await pool.fetchrow(SQL.summary, LEASE)
    assert row is not None
    return DeliverySummary(**row)
