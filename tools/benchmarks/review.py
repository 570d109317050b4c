"""Response time of the candidate queue with 100,000 candidates.

    python -m tools.benchmarks.review [--rounds 3] [--candidates 100000] [--write PAGE]

Each value is the 95th percentile in milliseconds of a GraphQL query in the server's process. The queries are
a page of 50 candidates with the fields of a list, one filter and its count; the counts by state; and a
candidate with its matching acts in the shipped corpus.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice
from random import Random
from typing import Any

import uvloop

from deploy.bootstrap import open_connection, running_tracker
from schema.execution.execute import execute
from schema.services import Access, Services
from tests.support.fact_builders import announced, clause
from tools.benchmarks import harness
from tracker.auth.scopes import Caller, Scope, expand_scopes
from tracker.commands.commands import PlannedEvent
from tracker.postgres.database import WATCHER, Target
from tracker.review.finding import FactProposal, Finding, Lead, LeadCode, Origin
from tracker.review.findings import propose
from tracker.sources.importing.importer import import_file
from tracker.sources.readers import corpus_format

CANDIDATES = 100_000
DISTINCT_FINDINGS = 2_000
"""Candidates that are added through the watcher."""
LEAST_ROUNDS = 20
SEED = 20
REVIEWER = Caller("ann", expand_scopes([Scope.REVIEW]))
GOODS = ("gallium", "germanium", "antimony", "dysprosium", "graphite", "lithium", "cobalt", "tin")
ISSUERS = ("CN", "US", "EU", "GB", "JP", "ID", "CD", "CL")
SOURCES = tuple(f"source-{number}" for number in range(20))
LIST = """query ($state: CandidateState, $source: String, $kind: CandidateKind, $commodity: String,
  $issuer: String, $assignedTo: String, $search: String, $orderBy: CandidateOrder!) {
  candidates(state: $state, source: $source, kind: $kind, commodity: $commodity, issuer: $issuer,
    assignedTo: $assignedTo, search: $search, orderBy: $orderBy, first: 50) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id kind state title language source publishedOn number reason revision issuers assignedTo
      acceptedBy } } }"""
COUNTS = "{ candidateCounts { pending postponed accepting accepted rejected superseded } }"
MULTIPLY = """INSERT INTO review.candidates (source, item, part, content_sha256, title, language, url,
  place, snapshot, published_on, number, reason, commodities, issuers, words, kind, stream, type, data,
  event_id, lead, state, closed_at)
SELECT source, item || '-' || n, part || '-' || n, sha256(content_sha256 || n::text::bytea), title,
  language, url, place, snapshot, published_on + n, number, reason, commodities, issuers,
  words || ' item-' || id + n * $1::int, kind, stream || '-' || n, type, data, event_id || '-' || n, lead,
  CASE WHEN id % 3 = 0 THEN 'rejected' ELSE 'pending' END, CASE WHEN id % 3 = 0 THEN now() END
FROM review.candidates, generate_series(1, $2::int) AS n"""
ONE = """{ candidate(id: "77") { title proposal { type entity data } matches { kind entity because }
  decisions { at actor action } } }"""
FILTERS: Mapping[str, Mapping[str, Any]] = {
    "all": {},
    "state": {"state": "PENDING"},
    "published": {"state": "PENDING", "orderBy": "PUBLISHED_ON_DESC"},
    "source": {"state": "PENDING", "source": "source-7"},
    "kind": {"state": "PENDING", "kind": "LEAD"},
    "commodity": {"state": "PENDING", "commodity": "rare_earths"},
    "issuer": {"state": "PENDING", "issuer": "CN"},
    "assigned": {"state": "PENDING", "assignedTo": "nobody-yet"},
    "search": {"state": "PENDING", "search": "dysprosium licence"},
    "search-rare": {"state": "PENDING", "search": "item-4242"},
    "several": {"state": "PENDING", "source": "source-3", "commodity": "tin", "issuer": "ID"},
}


def findings(chance: Random) -> Iterator[tuple[str, Finding]]:
    """Yield endless findings with their sources: mostly facts, and some leads."""
    number = 0
    while True:
        number += 1
        good, issuer, source = (chance.choice(of) for of in (GOODS, ISSUERS, SOURCES))
        day = date(2020, 1, 1) + timedelta(days=chance.randrange(2500))
        item = f"item-{number}"
        title = f"Notice {number} of {day} on {chance.choice(['a ban', 'a licence', 'a duty'])} for {good}"
        origin = Origin(
            item,
            title,
            "ab" * 32,
            f"https://publisher.example/{number}",
            "",
            "en",
            day,
            f"No. {number}",
        )
        if number % 5:
            fact = announced(
                clause(commodities=[good]), issuer=issuer, title=title, on=day.isoformat()
            )
            order = PlannedEvent(f"export-control/{source}-{number}", fact, f"{source}-{number}")
            yield source, FactProposal(origin, "The notice says so in its title", order)
        else:
            yield source, Lead(origin, "A number is missing", LeadCode.GAP)


async def fill(target: Target, count: int) -> None:
    """Fill the queue with candidates: some through the watcher, and copies with other numbers.

    A third is decided.
    """
    proposals = list(islice(findings(Random(SEED)), min(count, DISTINCT_FINDINGS)))
    async with open_connection(target, role=WATCHER) as connection:
        for source in SOURCES:
            await propose(connection, source, [one for of, one in proposals if of == source])
    async with open_connection(target) as connection:
        await connection.execute(MULTIPLY, DISTINCT_FINDINGS, count // DISTINCT_FINDINGS - 1)
        await connection.execute("VACUUM ANALYZE review.candidates")


async def percentile(
    services: Services, document: str, variables: Mapping[str, Any], seconds: float
) -> float:
    """Return the 95th percentile of a query in milliseconds."""
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(taken) < LEAST_ROUNDS:
        before = time.perf_counter()
        answer = await execute(services, document, dict(variables), Access(), caller=REVIEWER)
        taken.append((time.perf_counter() - before) * 1000)
        assert "errors" not in answer, answer["errors"]
    return statistics.quantiles(taken, n=20)[-1]


async def report(target: Target, count: int, seconds: float) -> str:
    """Fill the queue once, run all queries, and return the results as Markdown."""
    async with harness.database(target) as made, running_tracker(made) as services:
        await import_file(made, corpus_format.READER, corpus_format.SHIPPED_CORPUS)
        begun = time.perf_counter()
        await fill(made, count)
        filled = time.perf_counter() - begun
        await services.projector.reach(await services.recorder.head(), seconds=120)
        queries: dict[str, tuple[str, Mapping[str, Any]]] = {
            f"page: {name}": (LIST, {"orderBy": "FOUND_AT", **narrowed})
            for name, narrowed in FILTERS.items()
        }
        queries |= {"counts by state": (COUNTS, {}), "one, with its matches": (ONE, {})}
        for query in queries.values():  # warm-up of plans and caches
            await percentile(services, *query, 0)
        rows = [
            f"| {name} | {await percentile(services, *query, seconds):.1f} |"
            for name, query in queries.items()
        ]
    heading = (
        f"{harness.machine()}. {count:,} candidates, a third of them decided, put into the queue in"
        f" {filled:.0f} s; {seconds:g} s a figure."
    )
    return "\n".join([heading, "", "| question | p95, ms |", "| --- | --- |", *rows])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on a separate server."""
    parser = harness.options(__doc__ or "")
    parser.add_argument("--candidates", type=int, default=CANDIDATES)
    parser.add_argument("--seconds", type=float, default=1, help="seconds per measurement")
    chosen = parser.parse_args(arguments)
    with harness.server() as target:
        text = uvloop.run(report(target, chosen.candidates, chosen.seconds))
    harness.publish("review", text, chosen.write)


if __name__ == "__main__":
    main()
