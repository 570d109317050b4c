"""What the database does for a query, as PostgreSQL explains it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tracker.postgres.database import Connection

Plan = dict[str, Any]


class ExplainingPool:
    """A pool that gives no answers but keeps what the database does for them."""

    def __init__(self, connection: Connection):
        self.connection = connection
        self.plans: list[Plan] = []

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        """Run a query and keep its plan."""
        [row] = await self.connection.fetch(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", *arguments
        )
        self.plans.append(json.loads(row[0])[0]["Plan"])
        return []

    async def fetchrow(self, query: str, *arguments: Any) -> None:
        """The same for one row."""
        await self.fetch(query, *arguments)

    async def fetchval(self, query: str, *arguments: Any) -> int:
        """The same for one value."""
        await self.fetch(query, *arguments)
        return 0


def nodes(plan: Plan) -> Iterator[Plan]:
    """A plan and all that is below it."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def pages(plan: Plan) -> int:
    """How many pages the database looked at."""
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
