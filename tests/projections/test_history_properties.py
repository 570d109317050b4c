"""Random histories of commands, corrections, retractions and imports, on a real database.

The database and the in-memory fold agree on any moment of both axes, and earlier results never change. To
test more histories:

    pytest tests/projections/test_history_properties.py --hypothesis-profile long --timeout 0
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import date
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from deploy.bootstrap import running_tracker
from deploy.postgres import Postgres
from projections.fold.replay import ReplayState
from projections.fold.timeline import timeline
from projections.query.moment import Moment
from schema.services import Services
from tests.conftest import copied
from tests.projections.test_supplies import check_supplies
from tests.support.fact_builders import (
    DAYS,
    STREAMS,
    any_day,
    any_fact,
    any_fact_of,
    claimed,
    in_the_world,
    rearranged,
    source,
)
from tests.support.importer import ImportFixture
from tracker.commands.handler import load
from tracker.domain.basics.codec import encode, from_builtins
from tracker.domain.basics.values import DAY
from tracker.domain.entities.entity import Retracted
from tracker.domain.entities.fact import Fact, Source
from tracker.domain.events.registry import STATES, entity_type
from tracker.domain.evidence.import_receipt import Receipt
from tracker.domain.figures.figure_facts import Claimed, edition_key
from tracker.errors import InvalidInput, NotFound
from tracker.log.entries import RecordedEvent
from tracker.sources.importing.reconcile import equal_quantities
from tracker.sources.readers.corpus_format import format_line

T = TypeVar("T")
EXAMPLES = settings().max_examples // 8
SOURCE = from_builtins(Source, source())
WINDOW = [date.min, DAYS[0] - DAY, *DAYS, DAYS[-1] + 30 * DAY, date.max]
CHANCE = st.integers(0, 2**32).map(Random)
"""Dice with a seed: many throws that cost hypothesis one."""


def is_told(fact: Fact, others: Sequence[Fact]) -> bool:
    """Whether one of other facts is the same claim of the same edition."""
    return isinstance(fact, Claimed) and any(
        isinstance(other, Claimed)
        and other.series == fact.series
        and edition_key(other) == edition_key(fact)
        and equal_quantities(other.quantity, fact.quantity)
        for other in others
    )


@pytest.fixture(autouse=True)
def short_generations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin generations of rows after few events."""
    monkeypatch.setattr("projections.fold.timeline.MIN_GENERATION_EVENTS", 3)


class Histories(RuleBasedStateMachine):
    """A tracker on a separate database, and an in-memory replay beside it."""

    def __init__(self, server: Postgres, template: str, directory: Path):
        super().__init__()
        self.database = copied(server, template)
        self.loop = asyncio.Runner()
        self.opened = AsyncExitStack()
        target = next(self.database)
        self.services: Services = self.wait(
            self.opened.enter_async_context(running_tracker(target))
        )
        self.importer = ImportFixture(target, self.services.recorder, directory)
        self.world, self.log = ReplayState(), list[RecordedEvent]()
        self.given: dict[Moment, str] = {}

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of some work."""
        return self.loop.run(work)

    def do(self, command: Coroutine[Any, Any, Any]) -> None:
        """Run a command, which the rules may refuse, and wait for its projection."""
        with suppress(InvalidInput, NotFound):
            self.wait(command)
        for event in self.wait(self.services.recorder.read(self.world.position)):
            self.world.add(event)
            self.log.append(event)
        self.wait(self.services.projector.reach(self.world.position))

    def facts(self, chance: Random, *streams: str) -> list[tuple[str, Fact]]:
        """Return a fact of each stream, where possible."""
        entities = self.wait(load(self.services.recorder, streams))
        found = []
        for stream in streams:
            with suppress(InvalidInput):
                found.append((stream, any_fact(chance, entities[stream])))
        return found

    @rule(stream=st.sampled_from(STREAMS), chance=CHANCE)
    def record(self, stream: str, chance: Random) -> None:
        """Record a fact of any day, late or early."""
        for _, fact in self.facts(chance, stream):
            self.do(self.services.commands.record(stream, fact))

    @rule(place=st.sampled_from(("CN", "US", "WORLD")), year=st.integers(2022, 2024), chance=CHANCE)
    def claim(self, place: str, year: int, chance: Random) -> None:
        """Record a claim on one of several series, in one of several units."""
        fact = claimed(
            chance.randint(0, 9),
            year=year,
            place=place,
            commodity=chance.choice(("rare_earths", "gallium")),
            publisher=chance.choice(("usgs", "bgs")),
            edition=f"edition {chance.randint(1, 3)}",
            published_on=any_day(chance, late=False),
            unit=chance.choice(("t", "kg")),
            basis=chance.choice((None, "REO", "contained\tmetal ")),
        )
        self.do(self.services.commands.record(fact.stream, fact))

    @precondition(lambda self: self.log)
    @rule(chance=CHANCE)
    def retract(self, chance: Random) -> None:
        """Retract an event, possibly itself a retraction or part of a correction."""
        self.do(self.services.commands.retract(chance.choice(self.log).event_id, "wrong", SOURCE))

    @precondition(lambda self: self.log)
    @rule(chance=CHANCE)
    def correct(self, chance: Random) -> None:
        """Correct an event, mostly by a fact of its own kind."""
        event = chance.choice(self.log)
        if isinstance(event.fact, Receipt):
            return
        kinds = [kind for kind in entity_type(event.stream).FACTS.values() if kind is not Retracted]
        kind = chance.choice([*kinds, *[type(event.fact)] * 9])
        if kind is Retracted:
            return
        try:
            fact = any_fact_of(chance, kind, event.stream)
        except InvalidInput:
            return
        head = self.world.position
        self.do(self.services.commands.correct(event.event_id, event.stream, fact, "wrong", SOURCE))
        assert self.world.position in (head, head + 2)

    @rule(streams=st.lists(st.sampled_from(STREAMS), min_size=1, max_size=6), chance=CHANCE)
    def import_lines(self, streams: list[str], chance: Random) -> None:
        """Record the valid lines of a file once.

        A claim known under another id, from the log or an earlier line, is not new.
        """
        facts = self.facts(chance, *streams)
        claims = [event.fact for event in self.log if isinstance(event.fact, Claimed)]
        known = sum(
            is_told(fact, [*claims, *(of for _, of in facts[:n])])
            for n, (_, fact) in enumerate(facts)
        )
        lines = [
            format_line(
                f"line-{self.world.position}-{n}", entity_type(stream).type_of(fact), fact, stream
            )
            for n, (stream, fact) in enumerate(facts)
        ]
        first, again = (self.wait(self.importer.take(*lines, skip_refused=True)) for _ in range(2))
        told, repeated = first.receipt.counts, again.receipt.counts
        assert told.new + told.restated + told.refused + told.unchanged == len(lines)
        assert told.unchanged <= known
        assert repeated.new + repeated.restated <= told.refused  # their base exists now
        self.do(asyncio.sleep(0))

    @rule(day=st.sampled_from(WINDOW), chance=CHANCE)
    def ask(self, day: date, chance: Random) -> None:
        """Compare the database with the replay at a moment."""
        moment = Moment(day, chance.randint(0, self.world.position))
        self.given[moment] = self.world.digest(day, moment.position)
        assert self.wait(self.services.as_of.digest(moment)) == self.given[moment]
        expected = {
            entity: version.text
            for entity, version in self.world.states(moment.valid_at, moment.position)
        }
        found = {
            f"{name}/{state.id}": encode(state).decode()
            for name, kind in STATES.items()
            for state in self.wait(self.services.as_of.states(kind, moment))
        }
        assert found == expected
        self.wait(check_supplies(self.services.as_of, self.world, moment))

    @rule(stream=st.sampled_from(STREAMS), chance=CHANCE)
    def tell_in_another_order(self, stream: str, chance: Random) -> None:
        """Check that valid-time states depend only on the effective facts."""
        known = [event.known for event in self.log if event.stream == stream]
        other = timeline(stream, rearranged(chance, known))
        assert in_the_world(other) == in_the_world(timeline(stream, known))

    def teardown(self) -> None:
        """Check that every earlier result is unchanged."""
        try:
            for moment, digest in self.given.items():
                assert self.wait(self.services.as_of.digest(moment)) == digest
        finally:
            self.wait(self.opened.aclose())
            self.loop.close()
            next(self.database, None)


@pytest.mark.timeout(600)
def test_any_history_answers_alike_in_the_database_and_in_memory_and_for_ever(
    server: Postgres, empty_template: str, tmp_path: Path
) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Histories(server, empty_template, tmp_path),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
