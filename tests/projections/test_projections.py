"""Version rows on a real PostgreSQL equal an in-memory fold for every day and position, after any
failure of projection."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from datetime import date, timedelta
from random import Random
from signal import SIGKILL
from typing import Any

import pytest

from deploy.bootstrap import prepare, take_over_rows
from projections.fold.replay import ReplayState
from projections.fold.timeline import EntityFold
from projections.query.as_of import AsOf
from projections.query.changes import ChangeFilter, Changes
from projections.query.lists import Filter, Key, KeyRange
from projections.query.moment import Moment
from projections.runner.projection import PAGE_EVENTS
from projections.runner.projector import Projector, ReadAhead
from projections.runner.rebuild import rebuild
from projections.runner.tables import SQL, create_tables
from projections.runner.tables import project_page as project_page_of
from projections.streams.folding import FoldCache, apply_facts
from projections.versions.projection import Versions
from projections.versions.row_batch import RowBatch, fold_page, fold_streams, write_page
from schema.services import Services
from tests.support.fact_builders import (
    DAYS,
    STREAMS,
    announced,
    claimed,
    clause,
    fact,
    history,
    source,
    suspended,
)
from tests.support.log_events import append_all
from tests.support.long_histories import KINDS
from tests.support.pools import OneConnection
from tests.support.time_limits import within
from tracker import clock
from tracker.commands.commands import PlannedEvent, RecordFact
from tracker.commands.decisions import decide_all, rehydrate
from tracker.commands.handler import Commands
from tracker.domain.actors.alliance import Founded
from tracker.domain.actors.announcement import Made
from tracker.domain.basics.codec import encode, from_builtins
from tracker.domain.basics.values import DAY
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.entities.entity import Entity
from tracker.domain.entities.fact import Source
from tracker.domain.events.registry import STATES
from tracker.errors import Unavailable
from tracker.log import fact_reader
from tracker.log.entries import NewEvent, new_event
from tracker.log.fact_reader import StreamFacts
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import (
    CONNECTION_ERRORS,
    PROJECTOR,
    Connection,
    Target,
    connect,
    create_pool,
)

GALLIUM = "export-control/gallium"
FIGURE = "figure/rare_earths/CN/production/mine/2023"
SEEDS = range(3)


def events(seed: int, length: int = 120) -> list[NewEvent]:
    """Return a random history of entities of all kinds, ready to append."""
    orders = history(Random(seed), length)
    entities = {stream: rehydrate(stream, []) for stream in STREAMS}
    decided, refused = decide_all(entities, orders, entities)
    assert not refused
    return decided


async def project_random_history(services: Services, seed: int) -> ReplayState:
    """Return the replay of a random history that was recorded and projected in random pages."""
    chance, coming = Random(seed), events(seed)
    while coming:
        count = chance.randint(1, 40)
        await append_all(services.recorder, coming[:count])
        coming = coming[count:]
        services.follower.wake()
        await services.projector.reach(await services.recorder.head())
    return await world_of(services.recorder)


async def world_of(recorder: Recorder) -> ReplayState:
    """Return the log, folded in memory."""
    world = ReplayState()
    async for event in recorder.read_all(await recorder.head()):
        world.add(event)
    return world


def moments(seed: int, head: int, count: int = 60) -> list[Moment]:
    """Return random moments on both axes."""
    chance = Random(seed)
    days = [date(1900, 1, 1), *DAYS, DAYS[-1] + timedelta(days=30), date(2100, 1, 1)]
    return [Moment(chance.choice(days), chance.randint(0, head)) for _ in range(count)]


async def digests(services: Services, asked: list[Moment]) -> list[str]:
    """Return the digests of the database."""
    return [await services.as_of.digest(moment) for moment in asked]


@pytest.fixture
async def connection(target: Target) -> AsyncIterator[Connection]:
    """Open a connection to a database without a projector."""
    connection = await connect(target)
    yield connection
    await connection.close()


async def project_page(connection: Connection, *, limit: int) -> int:
    """Project the next events into the live tables, and return the position, or 0."""
    return await project_page_of(connection, Versions(), Versions.name, limit=limit)


ANEW = """
DELETE FROM versions; DELETE FROM elements; DELETE FROM subjects; DELETE FROM texts;
UPDATE progress SET position = 0 WHERE projection = 'versions'"""


async def rows(connection: Connection) -> list[tuple[Any, ...]]:
    """Return all version rows, and their index words."""
    found = [
        await connection.fetch(f"SELECT * FROM {table} ORDER BY {order}")
        for table, order in (
            ("versions", "entity, since, first_day"),
            ("elements", "entity, since, list, place, first_day"),
            ("subjects", "entity, word"),
            ("texts", "entity, said"),
        )
    ]
    return [tuple(row) for table in found for row in table]


async def project(connection: Connection, page: int) -> list[tuple[Any, ...]]:
    """Return the rows after projecting the whole log in pages of this size."""
    await connection.execute(ANEW)
    while await project_page(connection, limit=page):
        pass
    return await rows(connection)


@pytest.fixture
def short_generations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin generations and separate lists after few events."""
    monkeypatch.setattr("projections.fold.timeline.MIN_GENERATION_EVENTS", 3)
    monkeypatch.setattr("tracker.domain.entities.elements.MAX_INLINE_FACTS", 2)


# --- the database and the fold in memory agree


@pytest.mark.usefixtures("short_generations")
@pytest.mark.parametrize("seed", SEEDS)
async def test_the_digest_of_any_moment_is_that_of_a_fold_in_memory(
    services: Services, seed: int
) -> None:
    world = await project_random_history(services, seed)
    asked = moments(seed, world.position)
    expected = [world.digest(moment.valid_at, moment.position) for moment in asked]
    assert await digests(services, asked) == expected
    assert len(set(expected)) > 20


@pytest.mark.usefixtures("short_generations")
@pytest.mark.parametrize("seed", SEEDS[:1])
async def test_the_state_of_any_entity_is_that_of_a_fold_in_memory(
    services: Services, seed: int
) -> None:
    world = await project_random_history(services, seed)
    for moment in moments(seed, world.position, 15):
        expected = {
            entity: version.state
            for entity, version in world.states(moment.valid_at, moment.position)
        }
        for kind, state in STATES.items():
            states = await services.as_of.states(state, moment)
            assert states == [s for entity, s in expected.items() if entity.startswith(kind)]
        for entity in STREAMS:
            kind, _, id = entity.partition("/")
            assert await services.as_of.state(STATES[kind], id, moment) == expected.get(entity)


async def test_the_first_and_the_last_day_of_the_calendar_are_days_like_others(
    services: Services,
) -> None:
    await services.commands.record(GALLIUM, announced(clause(inForceFrom="9999-12-31"), on="0001"))
    await services.commands.record(GALLIUM, suspended(start="9999-12-30", end=None))
    await services.projector.reach(2)
    world = await world_of(services.recorder)
    for day in (date.min, date(2025, 1, 1), date.max - timedelta(days=1), date.max):
        for position in range(3):
            assert await services.as_of.digest(Moment(day, position)) == world.digest(day, position)


async def test_text_of_any_script_is_hashed_alike_in_the_database_and_in_memory(
    services: Services,
) -> None:
    # Some facts are refused today, but exist in older logs.
    odd = Entity.Event(GALLIUM, 1, clock.now(), "odd", announced(title='镓 "Ga" \\ \u2028 𝔊\t'))
    await services.recorder.append([new_event(odd, None)])
    await services.projector.reach(1)
    day, world = date(2025, 1, 1), await world_of(services.recorder)
    assert await services.as_of.digest(Moment(day, 1)) == world.digest(day, 1)


# --- nothing changes the past


@pytest.mark.usefixtures("short_generations")
@pytest.mark.parametrize("seed", SEEDS[:2])
async def test_no_answer_ever_changes_once_it_was_given(services: Services, seed: int) -> None:
    given: dict[Moment, str] = {}
    for event in events(seed, 60):
        [position] = (await services.recorder.append([event])).positions
        await services.projector.reach(position)
        moment = Moment(Random(position).choice(DAYS), position)
        given[moment] = await services.as_of.digest(moment)
    assert await digests(services, list(given)) == list(given.values())


async def test_a_retraction_changes_the_answers_from_its_position_on_and_none_before(
    services: Services,
) -> None:
    day = date(2026, 1, 1)
    await services.commands.record(GALLIUM, announced())
    await services.commands.record(GALLIUM, suspended(), idempotency_key="suspended")

    async def answer(position: int) -> tuple[str, bytes]:
        state = await services.as_of.state(ExportControlState, "gallium", Moment(day, position))
        assert state
        return state.clauses[0].status.value, encode(state)

    await services.projector.reach(2)
    before = [await answer(1), await answer(2)]
    await services.commands.retract("suspended", "misread", from_builtins(Source, source()))
    await services.projector.reach(3)
    assert [await answer(1), await answer(2)] == before
    assert await answer(3) == before[0]
    assert [status for status, _ in before] == ["in_force", "suspended"]


# --- pages and crashes


@pytest.mark.usefixtures("short_generations")
@pytest.mark.parametrize("seed", SEEDS[:2])
async def test_the_rows_do_not_depend_on_the_size_of_the_pages(
    recorder: Recorder, connection: Connection, seed: int
) -> None:
    await append_all(recorder, events(seed))
    one_by_one = await project(connection, 1)
    assert len(one_by_one) > 100
    assert await connection.fetchval("SELECT count(DISTINCT generation) FROM versions") > 5
    for page in (2, 7, 1000):
        assert await project(connection, page) == one_by_one


async def test_the_history_of_an_entity_does_not_show_in_which_generations_its_rows_are(
    recorder: Recorder, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append_all(recorder, events(0))
    told, counts = list[Any](), list[int]()
    for fewest in (3, 1000):
        monkeypatch.setattr("projections.fold.timeline.MIN_GENERATION_EVENTS", fewest)
        counts.append(len(await project(connection, 1000)))
        pool: Any = OneConnection(connection)
        told.append([await AsOf(pool, recorder).histories.page(stream) for stream in STREAMS])
    assert counts[0] > counts[1]
    assert told[0] == told[1]
    assert sum(map(len, told[0])) > 30


async def answers(connection: Connection, recorder: Recorder) -> list[Any]:
    """Return results for states, their sources, and changes."""
    pool: Any = OneConnection(connection)
    as_of, changes = AsOf(pool, recorder), Changes(pool, recorder)
    head = await recorder.head()
    now, then = Moment(DAYS[-1], head), Moment(DAYS[2], head // 2)
    filters = [
        Filter(),
        *(Filter(publishers=[name]) for name in ("usgs", "bgs", "mofcom")),
        Filter(published=(DAYS[0], DAYS[3])),
        Filter(verified=True),
        Filter(verified=False),
        Filter(primary=True),
        Filter(checked="memory"),
    ]
    return [
        *[
            await as_of.states(kind, at, asked)
            for kind in STATES.values()
            for at in (now, then)
            for asked in filters
        ],
        *[await as_of.lists.claims(at, asked) for at in (now, then) for asked in filters],
        *[await as_of.histories.page(stream) for stream in STREAMS],
        *[await as_of.digest(at) for at in (now, then)],
        *[
            await changes.between(then, now, ChangeFilter(publishers=names))
            for names in (None, ["usgs"], ["mofcom"])
        ],
    ]


async def test_no_answer_shows_whether_the_long_lists_of_states_are_written_apart(
    recorder: Recorder, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append_all(recorder, events(1))
    told = []
    for few, apart in ((1000, False), (1, True)):
        monkeypatch.setattr("tracker.domain.entities.elements.MAX_INLINE_FACTS", few)
        await project(connection, 7)
        assert await connection.fetchval("SELECT EXISTS (SELECT FROM elements)") is apart
        told.append(await answers(connection, recorder))
    assert told[0] == told[1]
    assert sum(map(bool, told[0])) > len(told[0]) / 5


async def test_rows_grow_with_the_events_of_an_entity_and_not_with_their_square(
    recorder: Recorder, connection: Connection
) -> None:
    claims = [
        claimed(n, edition=f"no {n}", published_on=str(DAYS[0] + n % 50 * DAY)) for n in range(600)
    ]
    entities = {FIGURE: rehydrate(FIGURE, [])}
    sizes = []
    for count in (200, 600):
        done = 0 if count == 200 else 200
        orders = [PlannedEvent(FIGURE, one, str(one.edition)) for one in claims[done:count]]
        decided, refused = decide_all(entities, orders, entities)
        assert not refused
        await append_all(recorder, decided)
        while await project_page(connection, limit=100):
            pass
        sizes.append(
            await connection.fetchval("""
            SELECT (SELECT sum(pg_column_size(version)) FROM versions AS version)
                   + (SELECT sum(pg_column_size(element)) FROM elements AS element)""")
        )
    assert sizes[1] < 3.5 * sizes[0]


MERGED = """
    SELECT first_day, last_day, first.position AS since, next.position AS until, state
    FROM (
        SELECT first_day, last_day, state, unnest(range_agg(int8range(since, until))) AS known
        FROM versions WHERE entity = $1 GROUP BY first_day, last_day, state
    ) AS version
    JOIN log.events AS first ON first.position = lower(known)
    LEFT JOIN log.events AS next ON next.position = upper(known)
    ORDER BY since, first_day"""
"""The whole history of an entity, put together from its rows in another way than pages are."""


@pytest.mark.parametrize("fewest", [3, 1000])
async def test_the_pages_of_a_history_are_the_history_whatever_their_size_and_way(
    recorder: Recorder, connection: Connection, monkeypatch: pytest.MonkeyPatch, fewest: int
) -> None:
    await append_all(recorder, events(0, 70))  # with more, states would not be whole in their rows
    monkeypatch.setattr("projections.fold.timeline.MIN_GENERATION_EVENTS", fewest)
    await project(connection, 1000)
    pool: Any = OneConnection(connection)
    as_of = AsOf(pool, recorder)
    for stream in STREAMS:
        rows = await connection.fetch(MERGED, stream)
        expected = [
            (row["first_day"], row["since"], row["until"] and row["until"] - 1, row["state"])
            for row in rows
        ]
        assert await as_of.histories.count(stream) == len(expected)
        for size in (1, 3, 1000):
            for from_end in (False, True):
                assert await walked(as_of, stream, size, from_end) == expected


async def walked(as_of: AsOf, stream: str, size: int, from_end: bool) -> list[Any]:
    """Return the history of an entity from its pages."""
    found: list[Any] = []
    key: Key | None = None
    while True:
        span = KeyRange(
            limit=size,
            from_end=from_end,
            after=None if from_end else key,
            before=key if from_end else None,
        )
        page = await as_of.histories.page(stream, span=span)
        held = [
            (of.valid_from, of.known_from, of.known_until, encode(of.state).decode())
            for of in page
            if of.state is not None
        ]
        found = [*held, *found] if from_end else [*found, *held]
        if len(page) < size:
            return found
        end = page[0 if from_end else -1]
        key = end.known_from, end.valid_from.isoformat()
        closed = await as_of.histories.page(
            stream, span=KeyRange(after=key, before=key, closed=True)
        )
        assert closed == [end]


@pytest.mark.parametrize("few", [1, 1000])
async def test_a_page_of_a_history_has_no_more_bytes_of_states_than_it_may(
    recorder: Recorder, connection: Connection, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("tracker.domain.entities.elements.MAX_INLINE_FACTS", few)
    await append_all(recorder, events(0))
    await project(connection, 1000)
    pool: Any = OneConnection(connection)
    as_of = AsOf(pool, recorder)
    [*_, (_, stream)] = sorted([(await as_of.histories.count(of), of) for of in STREAMS])
    whole = await as_of.histories.page(stream)
    for from_end in (False, True):
        order = whole[::-1] if from_end else whole
        most = sum(len(encode(of.state)) for of in order[:3] if of.state)
        monkeypatch.setattr("projections.query.histories.MAX_PAGE_STATE_BYTES", most)
        page = await as_of.histories.page(stream, span=KeyRange(limit=6, from_end=from_end))
        given = [of.state for of in (page[::-1] if from_end else page)]
        assert given == [*[of.state for of in order[:3]], None, None, None]
        monkeypatch.setattr("projections.query.histories.MAX_PAGE_STATE_BYTES", 1)
        page = await as_of.histories.page(stream, span=KeyRange(limit=2, from_end=from_end))
        assert [of.state is None for of in page] == [from_end, not from_end]


WORDS = """
    WITH said (kind, word, entity, since, first_day) AS (
        SELECT kind, '', entity, since, first_day FROM versions
        UNION ALL
        SELECT kind, place, entity, since, first_day
        FROM versions, jsonb_array_elements_text(places) AS place
        UNION ALL
        SELECT kind, good, entity, since, first_day
        FROM versions, jsonb_array_elements_text(commodities) AS good WHERE kind <> 'figure'
        UNION ALL
        SELECT kind, commodity || ' ' || period, entity, since, first_day
        FROM versions WHERE period IS NOT NULL
        UNION ALL
        SELECT kind, source ->> 'publisher', entity, since, first_day
        FROM versions, jsonb_array_elements(sources) AS source
        UNION ALL
        SELECT split_part(entity, '/', 1), found ->> 'publisher', entity, since, first_day
        FROM elements, jsonb_path_query(source, '$[*]') AS found
    )
    SELECT kind, word, entity, min(since) AS since, min(first_day) AS first_day
    FROM said GROUP BY kind, word, entity"""
"""Since which position and from which day on entities were about words, put together from all rows."""
FOUND_UNDER = f"""
    SELECT kind, word, entity, since, first_day FROM subjects
    WHERE (kind, word, entity) IN (SELECT kind, word, entity FROM ({WORDS}) AS said)"""


@pytest.mark.usefixtures("short_generations")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("projection", [None, Versions()], ids=["cold", "warm"])
async def test_an_entity_is_found_under_its_words_from_the_first_day_on_that_it_was_about_them(
    recorder: Recorder, connection: Connection, seed: int, projection: Versions | None
) -> None:
    await append_all(recorder, events(seed))
    lowered, first_days = 0, dict[Any, date]()
    while await project_page_of(connection, projection or Versions(), Versions.name, limit=3):
        found = {tuple(row)[:3]: row["first_day"] for row in await connection.fetch(FOUND_UNDER)}
        lowered += sum(day < first_days.get(key, day) for key, day in found.items())
        first_days = found
    assert lowered > 5
    expected = {tuple(row) for row in await connection.fetch(WORDS)}
    assert {tuple(row) for row in await connection.fetch(FOUND_UNDER)} == expected
    assert len(expected) > 30


@pytest.mark.parametrize("seed", SEEDS[:1])
async def test_a_projector_that_crashes_in_a_page_goes_on_where_the_last_one_ended(
    recorder: Recorder, connection: Connection, seed: int
) -> None:
    await append_all(recorder, events(seed))
    expected, chance, crashes = await project(connection, 1000), Random(seed), 0
    await connection.execute(ANEW)
    more = 1
    while more:
        transaction = connection.transaction()
        await transaction.start()
        more = await project_page(connection, limit=chance.randint(1, 9))
        if more and chance.random() < 0.5:
            crashes += 1
            await transaction.rollback()
        else:
            await transaction.commit()
    assert crashes > 3
    assert await rows(connection) == expected


async def test_a_page_that_was_read_ahead_is_read_again_when_another_projector_had_a_turn(
    recorder: Recorder, connection: Connection, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append_all(recorder, events(0))
    expected = await project(connection, 1000)
    await connection.execute(ANEW)
    read = ReadAhead._fold

    async def overtaken(ahead: ReadAhead[RowBatch], after: int) -> RowBatch | None:
        page = await read(ahead, after)
        if after in (10, 23):  # read ahead
            async with connection.transaction():
                await connection.execute(
                    SQL.wait_turn, Versions.name
                )  # until the page before is written
                await project_page(connection, limit=3)
        return page

    monkeypatch.setattr(ReadAhead, "_fold", overtaken)
    assert (await caught_up(recorder, target))[:3] == [10, 23, 36]
    assert await rows(connection) == expected


async def caught_up(recorder: Recorder, target: Target) -> list[int]:
    """Return the positions of a projector, in small pages."""
    async with await create_pool(target, role=PROJECTOR) as pool:
        positions = list[int]()
        projector = Projector(pool, Follower(recorder, target), Versions(), page_events=10)
        await projector.catch_up(positions.append)
    return positions


async def test_an_entity_that_was_just_folded_is_not_read_again(
    recorder: Recorder, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, folds = list[str](), FoldCache()

    async def read_facts_of(
        _: object, streams: dict[str, int], until: int
    ) -> dict[str, StreamFacts]:
        read.extend(streams)
        return await fact_reader.read_facts_of(connection, streams, until)

    monkeypatch.setattr("projections.streams.folding.read_facts_of", read_facts_of)
    commands = Commands(recorder)
    await commands.record(GALLIUM, announced())
    await commands.record("export-control/other", announced())
    assert await fold_page(connection, 0, limit=PAGE_EVENTS, folds=folds)
    await commands.record(GALLIUM, suspended())
    kept = await fold_page(connection, 2, limit=PAGE_EVENTS, folds=folds)
    assert not read
    assert kept == await fold_page(connection, 2, limit=PAGE_EVENTS, folds=FoldCache())
    assert read == [GALLIUM]
    assert kept == await fold_page(
        connection, 2, limit=PAGE_EVENTS, folds=folds
    )  # its current knowledge is too new
    assert read == [GALLIUM, GALLIUM]


@pytest.mark.parametrize("most", [1, 20_000, 10**9])
async def test_a_page_has_fewer_events_where_their_rows_are_large(
    recorder: Recorder, connection: Connection, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    await append_all(recorder, events(0))
    expected = await project(connection, 1000)
    await connection.execute(ANEW)
    monkeypatch.setattr("projections.streams.folding.MAX_PAGE_ROW_BYTES", most)
    counts = list[int]()
    while page := await fold_page(connection, sum(counts), limit=PAGE_EVENTS, folds=FoldCache()):
        async with connection.transaction():
            await write_page(connection, page)
        counts.append(page.count)
    assert await rows(connection) == expected
    assert (max(counts) == 1, len(counts) == 1) == (most == 1, most == 10**9)


async def test_the_pages_of_a_source_do_not_shrink_however_many_looks_there_were(
    recorder: Recorder, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, make = KINDS["source"]
    facts = [make(number, f"2026-11-{1 + number // 20:02}") for number in range(200)]
    await Commands(recorder).record_all([RecordFact(stream, one) for one in facts])
    monkeypatch.setattr("projections.streams.folding.MAX_PAGE_ROW_BYTES", 400_000)
    counts, folds = list[int](), FoldCache()
    while page := await fold_page(connection, sum(counts), limit=50, folds=folds):
        counts.append(page.count)
    assert counts == [50] * 4


async def test_others_get_their_turn_while_an_entity_learns_much(
    recorder: Recorder, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.clock.YIELD_INTERVAL_SECONDS", 0)
    commands = Commands(recorder)
    for number in range(5):
        await commands.record_all(
            [
                RecordFact(FIGURE, claimed(n, edition=f"E{n}"))
                for n in range(20 * number, 20 * number + 20)
            ]
        )
    turns = [0]

    async def others() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    facts = await fact_reader.read_facts(connection, 0, limit=1000)
    taking_turns = asyncio.create_task(others())
    delta = await apply_facts(EntityFold(FIGURE), facts[FIGURE].facts)
    of_fold, turns[0] = turns[0], 0
    batch = await fold_streams(connection, 100, facts)
    taking_turns.cancel()
    assert of_fold >= 100
    assert len(batch.added) >= 100
    assert turns[0] >= of_fold + len(batch.added)
    assert delta.added == EntityFold(FIGURE).apply(facts[FIGURE].facts).added


async def test_a_fold_takes_in_what_another_projector_has_projected(
    recorder: Recorder, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, folds, commands = dict[str, int](), FoldCache(), Commands(recorder)
    await commands.record(GALLIUM, announced())
    await fold_page(connection, 0, limit=PAGE_EVENTS, folds=folds)
    for start in ("2025-11-01", "2025-12-01", "2026-01-01"):
        await commands.record(GALLIUM, suspended(start=start, end=f"{start[:7]}-09"))
    cold = await fold_page(connection, 3, limit=PAGE_EVENTS, folds=FoldCache())

    async def read_facts_of(
        _: object, streams: dict[str, int], until: int
    ) -> dict[str, StreamFacts]:
        asked.update(streams)
        return await fact_reader.read_facts_of(connection, streams, until)

    monkeypatch.setattr("projections.streams.folding.read_facts_of", read_facts_of)
    warm = await fold_page(connection, 3, limit=PAGE_EVENTS, folds=folds)
    assert asked == {GALLIUM: 1}
    assert warm
    assert cold
    assert (warm.added, sorted(warm.closed)) == (cold.added, sorted(cold.closed))


async def test_others_see_the_rows_of_a_page_and_its_position_at_once(
    recorder: Recorder, connection: Connection, target: Target
) -> None:
    await append_all(recorder, events(0))
    other = await connect(target)

    async def seen() -> tuple[int, int]:
        return (
            await other.fetchval("SELECT position FROM progress WHERE projection = 'versions'"),
            await other.fetchval("SELECT count(*) FROM versions"),
        )

    async with connection.transaction():
        assert await project_page(connection, limit=20) == 20
        assert await seen() == (0, 0)
    position, count = await seen()
    assert position == 20
    assert count > 0
    await other.close()


async def test_a_projector_that_loses_its_connections_goes_on_at_once(
    services: Services, target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    await services.commands.record(GALLIUM, announced())
    await services.projector.reach(1)
    admin = await connect(target)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    services.follower.wake()
    async with await create_pool(target) as pool:
        await Commands(Recorder(pool)).record(GALLIUM, suspended())

    async def reached() -> None:
        while (
            await admin.fetchval("SELECT position FROM progress WHERE projection = 'versions'") < 2
        ):
            await asyncio.sleep(0.01)

    await asyncio.wait_for(reached(), within(4))
    assert "the projector can't go on" not in caplog.text
    await admin.close()


async def test_a_wait_for_an_unreached_position_is_an_error(services: Services) -> None:
    with pytest.raises(Unavailable, match=r"at position 0 and did not reach 5 in 0\.1 s"):
        await services.projector.reach(5, seconds=0.1)


# --- rebuild


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set small pages, so that a rebuild takes many."""
    monkeypatch.setattr("projections.streams.whole_streams.PAGE_EVENTS", 20)


PAUSE_SECONDS = 0.05
"""Lets a rebuild go on where readers and writers could use all of a core."""


@pytest.mark.usefixtures("small_pages")
async def test_a_rebuild_gives_the_same_answers_while_others_read_and_write(
    services: Services, target: Target
) -> None:
    world = await project_random_history(services, 1)
    asked = moments(1, world.position, 10)
    expected, rebuilt = await digests(services, asked), asyncio.Event()

    async def read() -> int:
        rounds = 0
        while not rebuilt.is_set():
            assert await digests(services, asked) == expected
            rounds += 1
            await asyncio.sleep(PAUSE_SECONDS)
        return rounds

    async def write() -> int:
        count = 0
        while not rebuilt.is_set():
            count += 1
            await services.commands.record(f"export-control/new-{count}", announced())
            await asyncio.sleep(PAUSE_SECONDS)
        return count

    readers = [asyncio.create_task(work()) for work in (read, read, write)]
    for _ in range(3):
        await rebuild(target, Versions())
    rebuilt.set()
    answers, _, written = await asyncio.gather(*readers)
    assert answers > 0
    await services.projector.reach(world.position + written)
    now = await world_of(services.recorder)
    asked = moments(2, now.position, 20)
    assert await digests(services, asked) == [now.digest(m.valid_at, m.position) for m in asked]


async def test_a_rebuild_makes_the_very_same_rows(
    recorder: Recorder, connection: Connection, target: Target
) -> None:
    await append_all(recorder, events(0))
    expected = await project(connection, 7)
    assert await rebuild(target, Versions()) == await recorder.head()
    assert await rows(connection) == expected


@pytest.mark.usefixtures("small_pages")
async def test_a_rebuild_that_fails_in_the_middle_leaves_the_live_rows_and_can_be_done_again(
    recorder: Recorder, connection: Connection, target: Target
) -> None:
    await append_all(recorder, events(0))
    expected = await project(connection, 1000)

    def fail(position: int) -> None:
        if position > 40:
            raise RuntimeError("the machine went down")

    with pytest.raises(RuntimeError, match="went down"):
        await rebuild(target, Versions(), fail)
    assert await rows(connection) == expected
    await rebuild(target, Versions())
    assert await rows(connection) == expected


HALF = """
import asyncio, json, sys, time
import projections.runner.rebuild as module
import projections.streams.whole_streams
from projections.versions.projection import Versions

def stop(folded):
    if folded > 40:
        print("half", flush=True)
        time.sleep(60)

projections.streams.whole_streams.PAGE_EVENTS = 20
asyncio.run(module.rebuild(json.loads(sys.argv[1]), Versions(), stop))
"""


async def test_a_rebuild_that_is_killed_leaves_the_live_rows_and_can_be_done_again(
    recorder: Recorder, connection: Connection, target: Target
) -> None:
    await append_all(recorder, events(0))
    expected = await project(connection, 1000)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HALF, json.dumps(target), stdout=PIPE
    )
    assert process.stdout
    assert await process.stdout.readline() == b"half\n"
    process.kill()
    assert await process.wait() == -SIGKILL
    assert await rows(connection) == expected
    assert await rebuild(target, Versions()) == await recorder.head()
    assert await rows(connection) == expected


CUT = """
CREATE FUNCTION cut() RETURNS event_trigger LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END';
CREATE EVENT TRIGGER cut ON ddl_command_end WHEN TAG IN ('{step}') EXECUTE FUNCTION cut();
"""


@pytest.mark.parametrize("step", ["CREATE TABLE", "CREATE INDEX", "ALTER TABLE"])
async def test_a_rebuild_cut_off_in_any_step_leaves_the_live_rows_and_can_be_done_again(
    recorder: Recorder, connection: Connection, target: Target, step: str
) -> None:
    await append_all(recorder, events(0))
    expected = await project(connection, 1000)
    await connection.execute(CUT.format(step=step))
    with pytest.raises(CONNECTION_ERRORS):
        await rebuild(target, Versions())
    assert await rows(connection) == expected
    await connection.execute("DROP EVENT TRIGGER cut")
    assert await rebuild(target, Versions()) == await recorder.head()
    assert await rows(connection) == expected


@pytest.mark.usefixtures("small_pages")
async def test_progress_counts_every_event_once(recorder: Recorder, target: Target) -> None:
    await append_all(recorder, events(0))
    told: list[int] = []
    await rebuild(target, Versions(), told.append)
    assert told == sorted(set(told))
    assert told[-1] == await recorder.head()


@pytest.mark.usefixtures("small_pages")
async def test_two_rebuilds_at_once_do_not_mix_their_rows(
    recorder: Recorder, connection: Connection, target: Target
) -> None:
    await append_all(recorder, events(0))
    expected = await project(connection, 1000)
    reached = list(await asyncio.gather(rebuild(target, Versions()), rebuild(target, Versions())))
    assert reached == [await recorder.head()] * 2
    assert await rows(connection) == expected


async def test_a_rebuild_waits_for_the_projector_and_takes_in_what_came_meanwhile(
    recorder: Recorder, connection: Connection, target: Target
) -> None:
    coming = events(0)
    await append_all(recorder, coming[:50])
    async with connection.transaction():
        await connection.execute(SQL.wait_turn, Versions.name)
        rebuilding = asyncio.create_task(rebuild(target, Versions()))
        await asyncio.sleep(0.5)
        assert not rebuilding.done()
        await append_all(recorder, coming[50:])
    assert await rebuilding == len(coming)
    made = await rows(connection)
    assert await project(connection, 1000) == made


async def test_rows_that_other_code_has_made_are_made_anew(
    recorder: Recorder, connection: Connection, target: Target
) -> None:
    await append_all(recorder, events(0))
    expected = await project(connection, 1000)
    await connection.execute(
        "UPDATE versions SET state = 'old'; UPDATE progress SET fold = 'old', release = '0.1.0'"
    )
    await prepare(target)
    assert not await create_tables(connection, Versions())
    await take_over_rows(target)
    assert await create_tables(connection, Versions())
    assert await rows(connection) == expected


async def test_entities_are_found_by_commodity_place_and_publisher(services: Services) -> None:
    record = services.commands.record
    await record("alliance/quad", fact(Founded, "2025-01-01", name="Quad", members=["US", "JP"]))
    await record(
        "announcement/a",
        fact(
            Made,
            "2025-01-01",
            kind="statement",
            title="A",
            actors=["quad", "IN"],
            commodities=["antimony"],
        ),
    )
    await record(GALLIUM, announced(clause(), clause("2", commodities=["germanium"])))
    await record("figure/rare_earths/CN/production/mine/2023", claimed(1))
    await services.projector.reach(4)

    async def found(**wanted: list[str]) -> list[str]:
        moment, filter = Moment(date(2025, 1, 1), 4), Filter(**wanted)  # type: ignore[arg-type]
        kinds: list[Any] = [*STATES.values()]
        return [
            state.id
            for kind in kinds
            for state in await services.as_of.states(kind, moment, filter)
        ]

    assert await found(places=["JP"]) == ["quad"]
    assert await found(places=["CN"], commodities=["germanium", "antimony"]) == ["gallium"]
    assert await found(places=["US"], commodities=["germanium"]) == []
    assert await found(places=["IN"]) == ["a"]
    assert await found(places=["CN"]) == ["gallium", "rare_earths/CN/production/mine/2023"]
    assert await found(commodities=["antimony"]) == ["a"]
    assert await found(commodities=["germanium"]) == ["gallium"]
    assert await found(publishers=["usgs"]) == ["rare_earths/CN/production/mine/2023"]
