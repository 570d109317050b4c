"""Cached entities decide like reloaded ones, after any events."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from random import Random

import pytest
from eventsourcing.domain import datetime_now_with_tzinfo
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from tests.domain.test_law import any_near_day
from tests.support.cases import each_case
from tests.support.effort import bytecodes
from tests.support.fact_builders import (
    STREAMS,
    announced,
    any_fact,
    claimed,
    decided_facts,
    fact,
    history,
    suspended,
)
from tests.support.long_histories import KINDS
from tests.support.published_log import superuser
from tests.support.time_limits import within
from tracker.commands.commands import PlannedEvent, RecordFact
from tracker.commands.decisions import decide
from tracker.commands.entity_cache import MIN_CACHED_EVENTS, EntityCache
from tracker.commands.handler import Commands
from tracker.domain.entities.entity import Entity
from tracker.domain.entities.history import History
from tracker.domain.events.registry import entity_type
from tracker.domain.evidence.watched_source import WatchedSource
from tracker.domain.evidence.watched_source_facts import SnapshotRedacted
from tracker.errors import InvalidInput, TrackerError
from tracker.log.entries import RecordedEvent
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target

GALLIUM = "export-control/gallium"
DAY = "2026-11-01"
RECENT = WatchedSource.RECENT_EVENTS or 0
LOOKED = 3 * RECENT + 1
"""Number of events of a source, the last of which is a fetch."""
seeds = st.integers(0, 2**32)


def anew(entity: Entity) -> Entity:
    """Return the entity folded from its facts at once."""
    twin = type(entity).empty(entity.id)
    twin.__base_init__(entity.id, entity.version, datetime_now_with_tzinfo())
    twin.history = History(entity.known)
    return twin


def outcome(entity: Entity, order: PlannedEvent) -> str:
    """Return the event of a command, or its error."""
    try:
        return str(decide(entity, order, STREAMS).attributes)
    except TrackerError as error:
        return f"{error.code} {error.message} {error.path}"


@pytest.mark.parametrize("stream", STREAMS[2:])
@pytest.mark.parametrize("step", [2, 512])
def test_an_entity_that_goes_on_decides_as_one_made_from_all_its_facts(
    stream: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.fact_builders.any_day", any_near_day)
    monkeypatch.setattr("tracker.domain.entities.fold.CACHED_FOLD_INTERVAL_FACTS", step)

    @settings(max_examples=40, deadline=None)
    @given(seeds, st.integers(1, 60))
    def holds(seed: int, length: int) -> None:
        chance, entity = Random(seed), entity_type(stream).empty(stream)
        for number in range(length):
            with suppress(TrackerError):
                order = PlannedEvent(stream, any_fact(chance, entity), f"e{number}")
                version = entity.version
                assert outcome(anew(entity), order) == outcome(entity, order)
                entity.forget_after(version)
                assert outcome(anew(entity), order) == outcome(entity, order)

    holds()


@pytest.mark.parametrize("stream", STREAMS[2:])
@pytest.mark.parametrize("step", [2, 512])
def test_effective_facts_are_kept_as_they_are_found_among_all(
    stream: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.fact_builders.any_day", any_near_day)
    monkeypatch.setattr("tracker.domain.entities.fold.CACHED_FOLD_INTERVAL_FACTS", step)

    @settings(max_examples=40, deadline=None)
    @given(seeds, st.integers(1, 60))
    def holds(seed: int, length: int) -> None:
        orders = history(Random(seed), length, [stream])
        on = History()
        for known in decided_facts(stream, *(order.fact for order in orders)):
            before = [*on.effective]
            place, day, _ = astuple(on.add(known))
            once = History(on.known)
            assert (on.effective, on.retracted, on.opening_count) == (
                once.effective,
                once.retracted,
                once.opening_count,
            )
            assert on.effective[:place] == before[:place]
            assert all(k.fact.public_on <= day for k in on.effective[:place])
        while on.known:
            before, place = [*on.effective], on.remove_last()
            once = History(on.known)
            assert (on.effective, on.retracted, on.opening_count) == (
                once.effective,
                once.retracted,
                once.opening_count,
            )
            assert on._corrected == once._corrected
            assert on.effective[:place] == before[:place]

    holds()


# --- on a database


class Counting(Recorder):
    """A log that counts the events that are read of streams."""

    read = 0

    async def read_streams_after(
        self, versions: Mapping[str, int]
    ) -> dict[str, list[RecordedEvent]]:
        found = await super().read_streams_after(versions)
        self.read += sum(map(len, found.values()))
        return found

    async def read_recent(
        self, stream: str, count: int, earlier_types: Sequence[str], last_types: Sequence[str]
    ) -> list[RecordedEvent]:
        found = await super().read_recent(stream, count, earlier_types, last_types)
        self.read += len(found)
        return found


FIGURE = claimed(1).stream
CLAIMS = [claimed(n, edition=f"no {n}") for n in range(MIN_CACHED_EVENTS + 5)]


async def filled(recorder: Recorder) -> Commands:
    """Record facts, enough of one figure to cache it."""
    commands = Commands(recorder)
    await commands.record_all([RecordFact(FIGURE, claim) for claim in CLAIMS[:MIN_CACHED_EVENTS]])
    return commands


async def test_of_an_entity_with_many_events_only_what_is_new_is_read(recorder: Recorder) -> None:
    counting = Counting(recorder._pool)
    commands = await filled(counting)
    await commands.record(FIGURE, CLAIMS[MIN_CACHED_EVENTS])
    counting.read = 0
    await commands.record(FIGURE, CLAIMS[MIN_CACHED_EVENTS + 1])
    await commands.record(FIGURE, CLAIMS[MIN_CACHED_EVENTS + 2])
    assert counting.read == 4  # for each command the last event that was known, and one more


async def test_a_kept_entity_knows_what_others_have_recorded(recorder: Recorder) -> None:
    ours, others = await filled(recorder), Commands(recorder)
    await ours.record(FIGURE, CLAIMS[MIN_CACHED_EVENTS])
    await others.record(FIGURE, CLAIMS[MIN_CACHED_EVENTS + 1], idempotency_key="theirs")
    with pytest.raises(InvalidInput, match="already: expected another edition"):
        await ours.record(FIGURE, CLAIMS[MIN_CACHED_EVENTS + 1])
    again = await ours.record(FIGURE, CLAIMS[MIN_CACHED_EVENTS + 1], idempotency_key="theirs")
    assert again.repeated
    await ours.record(FIGURE, CLAIMS[MIN_CACHED_EVENTS + 2], expected_version=MIN_CACHED_EVENTS + 2)


async def test_a_source_is_decided_on_by_what_was_recorded_of_it_last(recorder: Recorder) -> None:
    stream, make = KINDS["source"]
    commands = Commands(recorder)
    gone = fact(SnapshotRedacted, DAY, sha256="0" * 64, reason="An order of a court")
    first = [make(0, DAY), gone, *(make(number, DAY) for number in range(1, LOOKED))]
    await commands.record_all([RecordFact(stream, one) for one in first], idempotency_key="k")
    counting = Counting(recorder._pool)
    cold = Commands(counting)
    assert (await cold.record(stream, make(LOOKED, DAY))).positions[0] == LOOKED + 2
    assert counting.read == 3 + RECENT  # with the opening, the redaction and an earlier poll
    for wrong, code in ((make(LOOKED - 1, DAY), "LOOK_ENDED"), (gone, "ALREADY_REDACTED")):
        with pytest.raises(InvalidInput) as caught:
            await cold.record(stream, wrong)
        assert caught.value.code == code


async def test_a_look_ends_once_however_many_fetches_came_after_it(recorder: Recorder) -> None:
    stream, make = KINDS["source"]
    commands = Commands(recorder)
    fetched = [make(2 * number + 1, DAY) for number in range(1, 2 * RECENT)]
    for facts in ([make(0, DAY), make(2, DAY)], fetched):
        await commands.record_all([RecordFact(stream, one) for one in facts])
    cold = Commands(recorder)
    with pytest.raises(InvalidInput) as caught:
        await cold.record(stream, make(2, DAY))
    assert caught.value.code == "LOOK_ENDED"
    assert not (await cold.record(stream, make(4, DAY))).repeated


async def test_few_events_of_a_source_are_read_and_kept_however_many_there_are(
    recorder: Recorder,
) -> None:
    stream, make = KINDS["source"]
    counting = Counting(recorder._pool)
    commands, known = Commands(counting), []
    for first in range(0, LOOKED, 20):
        facts = [make(number, DAY) for number in range(first, first + 20)]
        await commands.record_all([RecordFact(stream, one) for one in facts])
        cached = commands._entities._cached.get(stream)
        known.append(len(cached.entity.known) if cached else 0)
    assert max(known) <= 2 * RECENT
    assert counting.read < 3 * LOOKED  # each about once, and the effective ones several times


async def test_decisions_that_were_not_recorded_are_not_cached(recorder: Recorder) -> None:
    commands = await filled(recorder)
    with pytest.raises(InvalidInput, match="already: expected another edition"):
        await commands.record_all(
            [RecordFact(FIGURE, CLAIMS[MIN_CACHED_EVENTS]), RecordFact(FIGURE, CLAIMS[0])]
        )
    assert not (await commands.record(FIGURE, CLAIMS[MIN_CACHED_EVENTS])).repeated


async def test_a_log_that_is_put_back_to_an_older_state_is_read_anew(
    recorder: Recorder, target: Target
) -> None:
    commands = await filled(recorder)
    await commands.record(FIGURE, CLAIMS[MIN_CACHED_EVENTS], idempotency_key="lost")
    await commands.record(FIGURE, CLAIMS[MIN_CACHED_EVENTS + 1])
    await superuser(target, f"DELETE FROM log.events WHERE position > {MIN_CACHED_EVENTS}")
    written = await commands.record(FIGURE, CLAIMS[MIN_CACHED_EVENTS], idempotency_key="lost")
    assert not written.repeated
    assert written.positions[0] == MIN_CACHED_EVENTS + 1


async def test_the_memory_of_kept_entities_is_bounded_by_bytes(recorder: Recorder) -> None:
    await filled(recorder)
    [*others] = [
        claimed(n, year=2000 + n % 3, edition=f"no {n}") for n in range(3 * MIN_CACHED_EVENTS)
    ]
    await Commands(recorder).record_all([RecordFact(claim.stream, claim) for claim in others])
    unbounded = EntityCache(recorder)
    assert await versions(unbounded, FIGURE) == [MIN_CACHED_EVENTS]
    one = unbounded.bytes
    bounded = EntityCache(recorder, 2 * one)
    for claim in others[:3]:
        assert (await versions(bounded, claim.stream, FIGURE))[1] == MIN_CACHED_EVENTS
        assert one <= bounded.bytes <= 2 * one
    assert await versions(EntityCache(recorder, one - 1), FIGURE) == [MIN_CACHED_EVENTS]


async def test_an_entity_with_few_events_is_not_kept(recorder: Recorder) -> None:
    await Commands(recorder).record(GALLIUM, announced())
    cache = EntityCache(recorder)
    assert await versions(cache, GALLIUM, "export-control/none") == [1, 0]
    assert cache.bytes == 0
    async with cache.load([GALLIUM]) as entities:
        entities[GALLIUM].record(suspended(), "e2")
    assert await versions(cache, GALLIUM) == [1]


async def versions(cache: EntityCache, *streams: str) -> list[int]:
    """Return the versions at which entities are loaded."""
    async with cache.load(streams) as entities:
        return [entities[stream].version for stream in streams]


async def test_a_decision_on_cached_entities_has_them_alone(recorder: Recorder) -> None:
    await filled(recorder)
    cache, other = EntityCache(recorder), claimed(1, year=2030).stream
    assert await versions(cache, FIGURE) == [MIN_CACHED_EVENTS]

    async def decide_slowly(*streams: str) -> int:
        async with cache.load(streams) as entities:
            found = entities[FIGURE].version
            entities[FIGURE].record(CLAIMS[MIN_CACHED_EVENTS], "e")
            for _ in range(5):
                await asyncio.sleep(0)
            return found

    deciding = [decide_slowly(*streams) for streams in ([FIGURE, other], [other, FIGURE]) * 3]
    assert await asyncio.wait_for(asyncio.gather(*deciding), within(10)) == [MIN_CACHED_EVENTS] * 6


async def test_commands_about_one_entity_at_the_same_time_are_all_recorded_once(
    recorder: Recorder,
) -> None:
    commands = await filled(recorder)
    batch = [RecordFact(FIGURE, claim) for claim in CLAIMS[MIN_CACHED_EVENTS:]]
    one, another = await asyncio.gather(
        commands.record_all(batch, idempotency_key="k"),
        commands.record_all(batch, idempotency_key="k"),
    )
    assert one.positions == another.positions
    assert await versions(commands._entities, FIGURE) == [len(CLAIMS)]


@each_case("kind", [*KINDS])
def test_one_more_fact_costs_an_entity_of_thousands_what_it_costs_one_of_ten(kind: str) -> None:
    def effort(count: int) -> int:
        stream, make = KINDS[kind]
        entity = entity_type(stream).empty(stream)
        for number in range(count):
            decide(entity, PlannedEvent(stream, make(number, "1990-01-01"), f"e{number}"), ())
        version = entity.version

        def one_more() -> None:
            decide(entity, PlannedEvent(stream, make(count, "1990-01-01"), "new"), ())
            entity.forget_after(version)

        one_more()
        return bytecodes(one_more)

    assert effort(2000) < 2 * effort(12)


async def test_an_entity_that_is_named_twice_does_not_wait_for_itself(recorder: Recorder) -> None:
    async with (
        asyncio.timeout(within(10)),
        EntityCache(recorder).load([GALLIUM, GALLIUM]) as entities,
    ):
        assert entities.keys() == {GALLIUM}
