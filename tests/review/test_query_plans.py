"""Pending candidates are counted with partial indexes, for any filter values."""

import pytest

from deploy.bootstrap import open_connection
from tests.support.findings import lead
from tracker.postgres.database import API, WATCHER, Target
from tracker.review.candidate import CandidateState
from tracker.review.candidates import CandidateFilter, count_statement
from tracker.review.findings import propose

INDEXES = "candidates_pending_"
COPIES = """
INSERT INTO review.candidates (source, item, part, content_sha256, title, url, place, reason, words, kind,
  lead, commodities, issuers, state, closed_at)
SELECT source, 'item-' || n, part, sha256(n::text::bytea), title, url, place, reason, words, kind, lead,
  ARRAY[(ARRAY['tin', 'lithium', 'cobalt', 'gallium'])[1 + n % 4]], ARRAY[(ARRAY['CN', 'US'])[1 + n % 2]],
  CASE WHEN n % 3 = 0 THEN 'rejected' ELSE 'pending' END, CASE WHEN n % 3 = 0 THEN now() END
FROM review.candidates, generate_series(1, 6000) AS n"""


@pytest.fixture
async def filled(target: Target) -> Target:
    """Create a queue of 6,001 candidates, a third of them decided."""
    async with open_connection(target, role=WATCHER) as connection:
        await propose(connection, "a-list", [lead()])
    async with open_connection(target) as connection:
        await connection.execute(COPIES)
        await connection.execute("ANALYZE review.candidates")
    return target


@pytest.mark.parametrize(
    ("narrowed", "count", "uses_them"),
    [
        ({"commodities": ["tin"]}, 1000, True),
        ({"commodities": ["tin", "cobalt"], "issuer": "CN"}, 2000, True),
        ({"issuer": "US"}, 2000, True),
        ({"search": "2024-1"}, 4001, False),
        ({}, 4001, False),
    ],
    ids=["commodity", "commodities and issuer", "issuer", "words", "all"],
)
async def test_waiting_candidates_are_counted_by_their_indexes(
    filled: Target, narrowed: dict[str, object], count: int, uses_them: bool
) -> None:
    statement, arguments = count_statement(
        CandidateFilter(state=CandidateState.PENDING, **narrowed)  # type: ignore[arg-type]
    )
    async with open_connection(filled, role=API) as connection:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        lines = await connection.fetch(f"EXPLAIN {statement}", *arguments)
        assert await connection.fetchval(statement, *arguments) == count
    plan = "\n".join(line[0] for line in lines)
    assert (INDEXES in plan) is uses_them, plan
