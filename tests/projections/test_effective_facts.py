"""Rows of facts: at every position they are the facts that are not retracted, however pages fall."""

from itertools import groupby
from operator import attrgetter
from random import Random

from msgspec.structs import astuple

from projections.fold.timeline import EntityFold
from tests.support.cases import each_case
from tests.support.fact_builders import announced, decided_facts, history, retracted, suspended
from tracker.domain.entities.entity import RecordedFact, effective_facts
from tracker.domain.events.registry import entity_type


def counted(stream: str, known: list[RecordedFact], pages: list[int]) -> dict[int, set[int]]:
    """Return the positions of the facts in rows at each position, folded in pages."""
    fold, rows = EntityFold(stream), dict[tuple[int, int], int | None]()
    start = 0
    for size in pages:
        delta = fold.apply(known[start : start + size])
        start += size
        for ended, at in map(astuple, delta.closed_facts):
            [open_] = [
                key for key, until in rows.items() if key[0] == ended.position and until is None
            ]
            rows[open_] = at
        for row in delta.facts:
            assert (row.known.position, row.since) not in rows
            rows[row.known.position, row.since] = row.until
    return {
        item.position: {
            position
            for (position, since), until in rows.items()
            if since <= item.position and (until is None or item.position < until)
        }
        for item in known
    }


def test_a_fact_counts_until_it_is_retracted_and_again_when_that_is() -> None:
    known = decided_facts(
        "export-control/a", announced(), suspended(), retracted("e2"), retracted("e3")
    )
    for pages in ([4], [1, 1, 1, 1], [2, 2], [3, 1]):
        assert counted("export-control/a", known, pages) == {1: {1}, 2: {1, 2}, 3: {1}, 4: {1, 2}}


@each_case("seed", range(20))
def test_at_every_position_the_rows_are_the_facts_that_are_not_retracted(seed: int) -> None:
    chance = Random(seed)
    orders = history(chance, 120)
    told = [
        RecordedFact(n, order.event_id, entity_type(order.stream).type_of(order.fact), order.fact)
        for n, order in enumerate(orders, 1)
    ]
    streams = dict(zip([item.position for item in told], [o.stream for o in orders], strict=True))
    by_stream = sorted(told, key=lambda item: streams[item.position])
    for stream, group in groupby(by_stream, key=lambda item: streams[item.position]):
        known = sorted(group, key=attrgetter("position"))
        pages = [chance.randint(1, 9) for _ in known]
        for position, found in counted(stream, known, pages).items():
            until = [item for item in known if item.position <= position]
            assert found == {item.position for item in effective_facts(until)}
