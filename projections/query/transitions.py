"""Transitions of entities, past and upcoming, as recorded at a moment."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from projections.fold.public_facts import facts_public_by
from projections.fold.transitions import EntityTransitions, Transition, TransitionKind, clause_of
from projections.lru_cache import SizedLruCache
from projections.query.changes import ChangeFilter
from projections.query.moment import Moment
from projections.query.sql_parts import fill, load_parts
from projections.versions.rows import filter_columns, firm_words
from tracker.clock import Pauses
from tracker.domain.actors.alliance import Alliance
from tracker.domain.actors.announcement import AnnouncementState
from tracker.domain.actors.firm import FirmState, spelling
from tracker.domain.basics.values import DAY
from tracker.domain.controls.export_control import ExportControl, ExportControlState
from tracker.domain.controls.matching import names_firm
from tracker.domain.entities.entity import EntityState, RecordedFact, entity_type
from tracker.errors import InvalidInput
from tracker.log.entries import RecordedEvent
from tracker.log.recorder import Recorder
from tracker.postgres.database import Pool

SQL = load_parts(Path(__file__).with_name("transitions.sql"))
WITH_TRANSITIONS = fill(SQL.with_transitions, still=SQL.still_known, about="true")
WITH_TRANSITIONS_ABOUT = fill(SQL.with_transitions, still=SQL.still_known, about=SQL.about_words)
EVER_WITH_TRANSITIONS = fill(SQL.with_transitions, still="true", about="true")
EVER_WITH_TRANSITIONS_ABOUT = fill(SQL.with_transitions, still="true", about=SQL.about_words)
MAX_CACHE_BYTES = 64 * 1024 * 1024
TRANSITION_BYTES = 4000
"""Approximate bytes of a transition with the states before and after it."""
EVIDENCE_BYTES = 500
"""Approximate additional bytes for each fact behind a transition."""
MAX_CACHED_FACTS = 500
"""Maximum of facts of an entity for which all transitions are cached, not only the requested ones."""
MAX_DAYS_OF_MANY_FACTS = 1000
"""Maximum of days in one query for the transitions of an entity with more facts."""
MAX_STREAMS_IN_MEMORY = 500
"""Maximum of entities whose events are read at once."""
ALL_DAYS = (date.min, date.max)

Known = tuple[int, ...]
"""Positions of the facts behind the transitions."""


class TransitionFilter(ChangeFilter, frozen=True):
    """A filter of transitions; None does not filter.

    `issuers` are issuers of controls. `firms` are the spellings of one firm in a clause, an
    announcement or a firm. `alliance` selects the alliance itself, and announcements by or about it.
    """

    entity: str | None = None
    what: Sequence[TransitionKind] | None = None
    issuers: Sequence[str] | None = None
    firms: frozenset[str] | None = None
    alliance: str | None = None

    @property
    def words(self) -> list[str] | None:
        """The smallest set of index words that finds the entities."""
        if self.firms is not None:
            return [*firm_words(sorted(self.firms))]
        if self.issuers is not None or self.places is not None:
            return [*(self.issuers or self.places or ())]
        if self.commodities is not None:
            return [*self.commodities, *(self.commodities_of_controls or ())]
        return None


class Transitions:
    """Queries for transitions."""

    def __init__(self, pool: Pool, recorder: Recorder):
        self._pool = pool
        self._recorder = recorder
        self._kept: SizedLruCache[tuple[str, Known], tuple[Transition, ...]] = SizedLruCache(
            MAX_CACHE_BYTES
        )

    async def between(
        self, moment: Moment, first: date, last: date, about: TransitionFilter
    ) -> list[Transition]:
        """Return the transitions from one day to another, by day, entity and part.

        They follow from facts that were public by the moment's day, including facts with a later
        effective date.
        """
        if first > last:
            return []
        after = first - DAY if first > date.min else first
        entities = (
            [about.entity]
            if about.entity
            else await entities_with_transitions(self._pool, moment, after, last, about)
        )
        transitions = [
            transition
            for transition in await self._of_entities(entities, moment, after, last)
            if is_about(transition, about)
        ]
        return sorted(transitions, key=lambda one: (one.day, one.entity, one.part))

    async def of_entities(
        self, entities: Sequence[str], moment: Moment
    ) -> dict[str, list[Transition]]:
        """Return all transitions of some entities, by entity and day."""
        by_entity: dict[str, list[Transition]] = {entity: [] for entity in entities}
        for transition in await self._of_entities(entities, moment, *ALL_DAYS):
            by_entity[transition.entity].append(transition)
        return by_entity

    async def _of_entities(
        self, entities: Sequence[str], moment: Moment, after: date, last: date
    ) -> list[Transition]:
        transitions: list[Transition] = []
        pauses = Pauses()
        for begin in range(0, len(entities), MAX_STREAMS_IN_MEMORY):
            some = entities[begin : begin + MAX_STREAMS_IN_MEMORY]
            for entity, events in (await read_streams(self._recorder, some, moment)).items():
                known = facts_public_by(events, moment.valid_at)
                if len(known) > MAX_CACHED_FACTS:
                    transitions += await _of_many_facts(entity, known, after, last)
                    continue
                for transition in self._of_entity(entity, known, after, last):
                    transitions.append(transition)
                    await pauses.pause()
        return transitions

    def _of_entity(
        self, entity: str, known: Sequence[RecordedFact], after: date, last: date
    ) -> Iterator[Transition]:
        key = entity, tuple([fact.position for fact in known])
        transitions = self._kept.get(key)
        if transitions is None:
            transitions = tuple(EntityTransitions(entity, known).between(*ALL_DAYS))
            size = len(transitions) * (TRANSITION_BYTES + EVIDENCE_BYTES * len(known))
            self._kept.put(key, transitions, size)
        yield from (one for one in transitions if after < one.day <= last)


async def _of_many_facts(
    entity: str, known: Sequence[RecordedFact], after: date, last: date
) -> list[Transition]:
    """Return the transitions of an entity with many facts.

    A thread makes them one by one, because the next one may take longer than the event loop should wait.
    """
    of = EntityTransitions(entity, known)
    _check_number(entity, len(of.days(after, last)))
    made, transitions = of.between(after, last), list[Transition]()
    while (transition := await asyncio.to_thread(next, made, None)) is not None:
        transitions.append(transition)
    return transitions


def _check_number(entity: str, days: int) -> None:
    """Check the number of days for an entity with many facts. Raises InvalidInput."""
    if days > MAX_DAYS_OF_MANY_FACTS:
        raise InvalidInput(
            f"{entity} may change on {days} of these days: expected at most {MAX_DAYS_OF_MANY_FACTS},"
            " ask for fewer",
            code="TOO_LARGE",
            path=("between",),
        )


async def entities_with_transitions(
    pool: Pool, moment: Moment, after: date, last: date, about: TransitionFilter, ever: bool = False
) -> list[str]:
    """Return the entities that may change after one day and up to another.

    `ever` adds entities with changes that were announced but later withdrawn.
    """
    words = about.words
    given = (min(after, moment.valid_at), last, moment.position, [*about.kinds])

    async def read() -> list[str]:
        if words is None:
            rows = await pool.fetch(EVER_WITH_TRANSITIONS if ever else WITH_TRANSITIONS, *given)
        else:
            rows = await pool.fetch(
                EVER_WITH_TRANSITIONS_ABOUT if ever else WITH_TRANSITIONS_ABOUT, *given, words
            )
        return [row["entity"] for row in rows]

    if moment.series is None:
        return await read()
    key = ("with transitions", *given[:3], ever, *about.kinds, None, *(words or ()))
    return await moment.series.read(key, read)


async def read_streams(
    recorder: Recorder, entities: Sequence[str], moment: Moment
) -> dict[str, list[RecordedEvent]]:
    """Return the events of some entities up to a moment's position, read once per series."""

    async def read() -> dict[str, list[RecordedEvent]]:
        return await recorder.read_streams(entities, moment.position)

    if moment.series is None:
        return await read()
    return await moment.series.read(("streams", tuple(entities)), read)


def is_about(transition: Transition, about: TransitionFilter) -> bool:
    """Whether a transition matches a filter. For a clause, its own goods and firms count."""
    states = [state for state in (transition.before, transition.after) if state]
    return (
        entity_type(transition.entity).KIND in about.kinds
        and about.entity in (None, transition.entity)
        and (about.what is None or transition.kind in about.what)
        and _has_any(
            about.commodities and _selected_commodities(transition, about), _commodities(transition)
        )
        and _has_any(
            about.places, (p for of in states for p in filter_columns(of, texts=False).places)
        )
        and _has_any(about.publishers, (s.publisher for of in states for s in of.sources))
        and _has_any(
            about.issuers, (of.issuer for of in states if isinstance(of, ExportControlState))
        )
        and (about.firms is None or _names_firm(transition, states, about.firms))
        and (about.alliance is None or _is_of_alliance(transition, about.alliance))
    )


def _has_any(selected: Sequence[str] | None, values: Iterator[str]) -> bool:
    return selected is None or not set(selected).isdisjoint(values)


def _selected_commodities(transition: Transition, about: ChangeFilter) -> Sequence[str]:
    is_control = entity_type(transition.entity) is ExportControl
    return (about.commodities_of_controls if is_control else about.commodities) or ()


def _commodities(transition: Transition) -> Iterator[str]:
    """Yield the goods of the transition's clause, or of the entity if it has no clause."""
    for state in (transition.before, transition.after):
        if transition.clause is None or not isinstance(state, ExportControlState):
            yield from filter_columns(state, texts=False).commodities if state else ()
        elif clause := clause_of(state, transition.clause):
            yield from clause.clause.commodities


def _names_firm(
    transition: Transition, states: Sequence[EntityState], names: frozenset[str]
) -> bool:
    for state in states:
        match state:
            case ExportControlState():
                if any(
                    names_firm(item, names)
                    for item in state.clauses
                    if transition.clause in (None, item.clause.id)
                ):
                    return True
            case AnnouncementState():
                if not names.isdisjoint(map(spelling, state.firms)):
                    return True
            case FirmState():
                if not names.isdisjoint(state.spellings):
                    return True
    return False


def _is_of_alliance(transition: Transition, key: str) -> bool:
    name = f"{Alliance.KIND}/{key}"
    state = transition.after
    if isinstance(state, AnnouncementState):
        return key in state.actors or name in state.about
    return transition.entity == name
