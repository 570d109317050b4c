"""The search index follows the log later than the versions, and answers as if it did not."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.bootstrap import open_connection
from projections.query import search
from projections.runner.rebuild import rebuild
from projections.runner.tables import SQL
from projections.runner.writing import one_statement
from projections.search_index.projection import SearchIndex
from projections.streams.handover import MAX_BYTES, MAX_EVENTS, FoldedPage, Handover
from schema.services import Services
from tests.projections.test_projections import events
from tests.support.api import Api, control
from tests.support.log_events import append_all
from tests.support.time_limits import within
from tracker.postgres.database import PROJECTOR, Connection, Target

SEARCH = "{ asOf { position search(text: %s) { position totalCount nodes { entity } } } }"
TABLES = {
    "documents": "entity, key",
    "state_documents": "entity, first_day, since",
    "event_words": "position",
    "vocabulary": "word",
}


async def hold_index(holder: Connection) -> None:
    """Take the lock of the search index, so that it stays behind until the transaction ends."""
    async with asyncio.timeout(within(10)):
        while not await holder.fetchval(SQL.take_turn, SearchIndex.name, "60s"):
            await asyncio.sleep(0.01)


async def rows(target: Target) -> list[list[tuple[Any, ...]]]:
    """Return all rows of the index."""
    async with open_connection(target) as connection:
        found = [
            await connection.fetch(f"SELECT * FROM projection.{table} ORDER BY {order}")
            for table, order in TABLES.items()
        ]
    return [[tuple(row) for row in table] for table in found]


async def test_a_command_does_not_wait_for_the_index_but_a_search_does(
    services: Services, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(services)
    async with open_connection(target, role=PROJECTOR) as holder:
        async with holder.transaction():
            await hold_index(holder)
            await api.do("announceExportControl", control("samarium-magnets"))
            searching = asyncio.ensure_future(api.ask(SEARCH % '"samarium"'))
            await asyncio.sleep(0.1)
            assert not searching.done()
            monkeypatch.setattr(search, "INDEX_TIMEOUT_SECONDS", 0.1)
            [error] = (await api.post(SEARCH % '"magnets"'))["errors"]
            assert error["extensions"]["code"] == "SEARCH_NOT_READY"
        found = (await searching)["asOf"]
    assert found["search"]["nodes"] == [{"entity": "export-control/samarium-magnets"}]
    assert found["search"]["position"] == found["position"] == "1"


async def test_a_search_at_an_earlier_position_does_not_wait(
    services: Services, target: Target
) -> None:
    api = Api(services)
    await api.do("announceExportControl", control("first"))
    assert (await api.ask(SEARCH % '"first"'))["asOf"]["search"]["totalCount"] == 1
    async with open_connection(target, role=PROJECTOR) as holder, holder.transaction():
        await hold_index(holder)
        await api.do("announceExportControl", control("second"))
        query = '{ asOf(position: "1") { search(text: "first") { position totalCount } } }'
        assert (await api.ask(query))["asOf"]["search"] == {"position": "1", "totalCount": 1}


@pytest.mark.parametrize("seed", range(2))
async def test_rows_do_not_depend_on_who_folded_the_pages(
    services: Services, target: Target, seed: int
) -> None:
    chance, coming = Random(seed), events(seed)
    while coming:
        count = chance.randint(1, 30)
        await append_all(services.recorder, coming[:count])
        coming = coming[count:]
        services.follower.wake()
        await asyncio.sleep(chance.choice([0, 0.02, 0.1]))
    await services.as_of.searches.reach(await services.recorder.head())
    followed = await rows(target)
    await rebuild(target, SearchIndex())
    assert await rows(target) == followed


def page(after: int, until: int) -> FoldedPage:
    """Return a page whose entity is named after its position."""
    return FoldedPage(after, until, until - after, ((f"{until}", [], None),))  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 1200)), max_size=30))
def test_a_handover_gives_each_event_once_in_order_or_not_at_all(
    steps: Sequence[tuple[int, int]],
) -> None:
    handover, head, position = Handover(), 0, 0
    for count, limit in steps:
        handover.put(page(head, head + count))
        head += count
        taken = handover.take(position, limit)
        if taken:
            assert (taken.after, taken.count) == (position, taken.until - position)
            assert taken.count <= limit
            assert not taken.is_last  # later events may have come meanwhile
            position = taken.until
        else:  # the other projection reads the log, up to the first page that waits
            begin, before = handover.first_after(position), position
            position = min(position + limit, head if begin is None else begin)
            assert position > before or position == head


def test_a_page_larger_than_the_limit_is_left_to_the_log() -> None:
    handover = Handover()
    handover.put(page(0, 1000))
    handover.put(page(1000, 1001))
    assert handover.take(0, 500) is None
    assert handover.first_after(0) == 1000
    assert handover.take(500, 500) is None
    assert handover.take(1000, 500)


def test_a_handover_keeps_few_bytes() -> None:
    handover = Handover()
    for start in range(5):
        handover.put(replace(page(start, start + 1), size=MAX_BYTES // 2))
    assert handover.first_after(0) == 3
    handover.put(replace(page(5, 6), size=2 * MAX_BYTES))
    assert handover.first_after(0) is None


def test_a_handover_keeps_only_the_newest_pages_and_only_connected_ones() -> None:
    handover = Handover()
    for start in range(0, 2 * MAX_EVENTS, 500):
        handover.put(page(start, start + 500))
    assert handover.take(0, 1000) is None
    assert handover.first_after(0) == MAX_EVENTS
    handover.put(page(9 * MAX_EVENTS, 9 * MAX_EVENTS + 1))
    assert handover.take(MAX_EVENTS, 1000) is None
    assert handover.take(9 * MAX_EVENTS, 1000)


async def test_several_statements_become_one_with_their_own_parameters(target: Target) -> None:
    async with open_connection(target) as connection:
        await connection.execute("CREATE TEMP TABLE a (x int); CREATE TEMP TABLE b (x int, y int)")
        statement = one_statement(
            "INSERT INTO a SELECT unnest($1::int[])",
            "-- Two columns.\nINSERT INTO b SELECT * FROM unnest($1::int[], $2::int[]);",
        )
        await connection.execute(statement, [1, 2], [3], [4])
        assert [tuple(row) for row in await connection.fetch("TABLE a")] == [(1,), (2,)]
        assert [tuple(row) for row in await connection.fetch("TABLE b")] == [(3, 4)]
