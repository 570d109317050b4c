"""Query plans, as explained by PostgreSQL."""

import json
from collections.abc import Iterator
from typing import Any

from tests.support.pools import RowsAtOnce
from tracker.postgres.database import Connection

Plan = dict[str, Any]


class ExplainingPool(RowsAtOnce):
    """A pool that returns no results but stores query plans."""

    def __init__(self, connection: Connection):
        self.connection = connection
        self.plans: list[Plan] = []

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        """Explain a query and store its plan."""
        [row] = await self.connection.fetch(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", *arguments
        )
        self.plans.append(json.loads(row[0])[0]["Plan"])
        return []

    async def fetchrow(self, query: str, *arguments: Any) -> None:
        """Explain a query for one row."""
        await self.fetch(query, *arguments)

    async def fetchval(self, query: str, *arguments: Any) -> int:
        """Explain a query for one value."""
        await self.fetch(query, *arguments)
        return 0


def nodes(plan: Plan) -> Iterator[Plan]:
    """Yield a plan and its descendants."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def pages(plan: Plan) -> int:
    """Return the number of pages read."""
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
