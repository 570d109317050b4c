"""A search reads only entries with its words, neither all texts nor history, for any planner statistics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest

from projections.query.as_of import PLANNED_ONCE
from projections.query.moment import Moment
from projections.query.search import EventRange, Searches, SearchQuery
from tests.support.query_plans import ExplainingPool, nodes
from tracker.postgres.database import Target, connect

KINDS = ("alliance", "announcement", "export-control", "figure", "firm")
LARGE = {"annexes", "events", "versions"}
"""Tables that grow with the log, which no search may read completely. For word tables the planner may
do so while they are small."""


class AnsweringPool(ExplainingPool):
    """A pool that explains its queries, and returns their results."""

    async def fetch(self, query: str, *arguments: Any) -> Any:
        """Return rows, and store the plan of the query."""
        await super().fetch(query, *arguments)
        return await self.connection.fetch(query, *arguments)

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """Return the one value of the one row."""
        return await self.connection.fetchval(query, *arguments)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[AnsweringPool]:
        """Return this pool as its connection."""
        yield self


async def no_states(*_: object) -> dict[str, Any]:
    """Return no states, because only the search is tested."""
    return {}


@pytest.mark.parametrize("statistics", ["none", "all"])
async def test_a_search_looks_up_what_has_its_words(corpus_target: Target, statistics: str) -> None:
    connection = await connect(corpus_target)
    try:
        for setting, value in PLANNED_ONCE.items():
            await connection.execute(f"SET {setting} = {value}")
        if statistics == "all":
            await connection.execute("ANALYZE")
        pool: Any = AnsweringPool(connection)
        searches = Searches(pool, no_states)
        moment = Moment(date(2026, 1, 1), 10_000)
        for text in ("gallium", "fentanyl talks", "galium china", "lithium chile 2023"):
            await searches.answer(SearchQuery(text, KINDS), moment)
            await searches.event_positions(text, EventRange(0, 10_000))
        used = set()
        for plan in pool.plans:
            for node in nodes(plan):
                used.add(node.get("Index Name"))
                is_scan = node["Node Type"] == "Seq Scan"
                assert not (is_scan and node["Relation Name"] in LARGE), node
        assert "annexes_words" in used
    finally:
        await connection.close()
