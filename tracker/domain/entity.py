"""What every entity has in common: a stream of facts, retractions, and the rule for new ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import dropwhile
from typing import Any, ClassVar, NamedTuple, Self

from eventsourcing.domain import BaseAggregate, CanMutateAggregate, datetime_now_with_tzinfo

from tracker.domain.values import ENTITY_PATH, Fact, Name, Source, Value, check_reason
from tracker.errors import InvalidInput, NotFound, TrackerError

MOST_LETTERS = 300
"""How long the name of an entity may be."""


class Retracted(Fact, frozen=True, kw_only=True):
    """A recorded event was wrong: from this position on, nothing follows from it any more.

    The event itself stays in the log, and every earlier answer stays as it was. A retraction can
    be retracted, which brings its target back. `replacement` is the event told instead, where this
    is a correction.
    """

    retracts: Name
    reason: Name
    replacement: Name | None = None

    def __post_init__(self) -> None:
        check_reason(self.reason)

    @property
    def public_on(self) -> date:
        """Retractions act in transaction time only; in valid time they begin with all time."""
        return date.min


class Known(NamedTuple):
    """A recorded fact, as folds see it. The position is 0 while it is not yet in the log."""

    position: int
    event_id: str
    type: str
    fact: Fact


class Because(Value, frozen=True, kw_only=True):
    """A fact that made a state what it is."""

    position: int
    event_id: str
    type: str
    source: Source


class EntityState(Value, frozen=True, kw_only=True):
    """What every state has: the entity's id without its kind, and the facts behind it."""

    id: str

    @property
    def because(self) -> tuple[Because, ...]:
        """The facts that made the state what it is, in the order of the log."""
        raise NotImplementedError

    @property
    def sources(self) -> list[Source]:
        """The sources of those facts."""
        return [fact.source for fact in self.because]


class CitingState(EntityState, frozen=True, kw_only=True):
    """A state that lists the facts behind it apart from what they say."""

    because: tuple[Because, ...]


def because(known: Iterable[Known]) -> tuple[Because, ...]:
    """The facts behind a state, in the order of the log."""
    return tuple(cited(k) for k in sorted(known, key=lambda k: k.position))


def cited(known: Known) -> Because:
    """A fact as states refer to it."""
    return Because(position=known.position, event_id=known.event_id, type=known.type,
                   source=known.fact.source)


def retracted(known: Sequence[Known]) -> set[str]:
    """The ids of the events that are retracted, given all that is known in the order of the log.

    A retraction counts unless a later one that counts retracts it: so they are read backwards.
    """
    gone: set[str] = set()
    for item in reversed(known):
        if isinstance(item.fact, Retracted) and item.event_id not in gone:
            gone.add(item.fact.retracts)
    return gone


def standing(known: Sequence[Known]) -> list[Known]:
    """The facts that stand, in valid-time order; those of one day in the order of `places`, but
    openings first: a corrected one is told after the acts that follow from it."""
    gone, place = retracted(known), places(known)
    facts = [k for k in known if k.event_id not in gone and not isinstance(k.fact, Retracted)]
    return sorted(facts, key=lambda k: (*rank(k), place[k.event_id]))


def rank(known: Known) -> tuple[date, bool]:
    """What facts are ordered by before the order in which they were told."""
    return known.fact.public_on, type(known.fact) not in OPENINGS


def places(known: Sequence[Known]) -> dict[str, int]:
    """The place of every event in the order in which things were told: that of the log, but a
    replacement stands where the event that it corrects stood."""
    place: dict[str, int] = {}
    taken: dict[str, int] = {}
    for index, item in enumerate(known):
        place[item.event_id] = taken.get(item.event_id, index)
        if isinstance(item.fact, Retracted) and item.fact.replacement:
            taken[item.fact.replacement] = place[item.fact.retracts]
    return place


class Entity(BaseAggregate[str]):
    """Whatever facts are about, such as an alliance or a figure, and what may follow them.

    The identity of an entity is its stream, `kind/id`. An entity without facts is at version 0.
    """

    KIND: ClassVar[str]
    """The first part of the stream."""
    OPENING: ClassVar[type[Fact]]
    """The fact that a stream must begin with."""
    FACTS: ClassVar[dict[str, type[Fact]]]
    """The facts of this kind by event type; the types are pinned, whatever moves in the code."""

    known: list[Known]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        KINDS[cls.KIND] = cls
        OPENINGS.add(cls.OPENING)
        TYPES.update({fact: type_ for type_, fact in cls.FACTS.items() if fact is not Retracted})

    @dataclass(frozen=True)
    class Event(CanMutateAggregate[str]):
        """An entity's fact, with its place in the stream."""

        originator_id: str
        originator_version: int
        timestamp: datetime
        event_id: str
        fact: Fact
        position: int = 0

        def mutate(self, aggregate: Any) -> Any:
            """Add the fact to its entity; the first one makes the entity."""
            if aggregate is None:
                aggregate = kind_of(self.originator_id).blank(self.originator_id)
            return super().mutate(aggregate)

        def apply(self, aggregate: Any) -> None:
            """Keep the fact; states are folded from all of them."""
            type_ = aggregate.type_of(self.fact)
            aggregate.known.append(Known(self.position, self.event_id, type_, self.fact))

    @classmethod
    def blank(cls, stream: str) -> Self:
        """The entity before its first fact, at version 0."""
        entity = cls.__new__(cls)
        entity.__base_init__(stream, 0, datetime_now_with_tzinfo())
        entity.known = []
        return entity

    def copy(self) -> Self:
        """Another of the same facts, to try what may follow."""
        twin = type(self).__new__(type(self))
        twin.__base_init__(self.id, self.version, datetime_now_with_tzinfo())
        twin.known = list(self.known)
        return twin

    @classmethod
    def type_of(cls, fact: Fact) -> str:
        """The pinned event type of a fact of this kind. Raises InvalidInput for one of another."""
        if isinstance(fact, Retracted):
            return f"{cls.__name__}.Retracted"
        type_ = TYPES[type(fact)]
        if type_ not in cls.FACTS:
            raise InvalidInput(f"{type_} is no fact about an entity {cls.KIND}/…", path=("id",))
        return type_

    def record(self, fact: Fact, event_id: str) -> None:
        """Decide that `fact` may follow what is known, and make it an event.

        Raises InvalidInput or NotFound when it breaks a rule; then nothing has changed.
        """
        self.type_of(fact)  # refuses a fact about another kind of entity
        if isinstance(fact, Retracted):
            self._check_retraction(fact)
        else:
            self._check_opening(fact)
            self.check(fact)
        self.trigger_event(self.Event, fact=fact, event_id=event_id)

    def check(self, fact: Fact) -> None:
        """Raise InvalidInput if `fact` breaks a rule of this kind of entity."""
        raise NotImplementedError

    @classmethod
    def state_on(cls, id: str, facts: Sequence[Known], day: date) -> EntityState | None:
        """The state on `day`, from the standing facts in valid-time order; None before the first.

        Only facts public by that day count. Pure, and the same for projections and replay.
        """
        raise NotImplementedError

    @classmethod
    def turns(cls, facts: Sequence[Known]) -> set[date]:
        """Every day on which the state may change, given the standing facts."""
        return {k.fact.public_on for k in facts}

    @classmethod
    def since_opening(cls, facts: Iterable[Known]) -> list[Known]:
        """The facts that count, from those in valid-time order: none of a day before the opening,
        as there may be once that was moved to a later one."""
        return list(dropwhile(lambda k: not isinstance(k.fact, cls.OPENING), facts))

    @property
    def exists(self) -> bool:
        """Whether an opening fact of this entity stands."""
        return any(isinstance(k.fact, self.OPENING) for k in standing(self.known))

    def _check_opening(self, fact: Fact) -> None:
        if not isinstance(fact, self.OPENING) and not self.exists:
            raise NotFound(f"There is no {self.id}: expected a {self.OPENING.__name__} first",
                           path=("id",))
        if not self.known:
            check_stream(self.id, "id")

    def _check_retraction(self, fact: Retracted) -> None:
        target = next((k.fact for k in self.known if k.event_id == fact.retracts), None)
        if target is None:
            raise NotFound(f"{self.id} has no event {fact.retracts!r} to retract",
                           path=("eventId",))
        if fact.replacement and isinstance(target, Retracted):
            raise InvalidInput(f"Event {fact.retracts!r} is a retraction: expected it to be"
                               " retracted, not corrected", path=("eventId",))
        if fact.retracts in retracted(self.known):
            raise InvalidInput(f"Event {fact.retracts!r} is already retracted",
                               code="ALREADY_RETRACTED", path=("eventId",))
        for revived in self._revived(fact):
            try:
                self._check_opening(revived)
                self.check(revived)
            except TrackerError as error:
                error.path = ("eventId",)
                raise

    def _revived(self, fact: Retracted) -> list[Fact]:
        """What stands again once `fact` counts: it is held to the rules as if it were told now."""
        before = {k.event_id for k in standing(self.known)}
        after = [*self.known, Known(0, "", self.type_of(fact), fact)]
        return [k.fact for k in standing(after) if k.event_id not in before]


KINDS: dict[str, type[Entity]] = {}
"""Every kind of entity by the first part of its streams."""

OPENINGS: set[type[Fact]] = set()
"""The facts that streams begin with."""

TYPES: dict[type[Fact], str] = {}
"""The pinned event type of every fact but retractions, which each kind has of its own."""


def check_stream(stream: str, field: str) -> None:
    """Refuse what can't name an entity of any kind. Raises InvalidInput at `field`."""
    if len(stream) > MOST_LETTERS or not ENTITY_PATH.fullmatch(stream):
        raise InvalidInput(f"{stream[:MOST_LETTERS]!r}: expected at most {MOST_LETTERS} letters,"
                           " digits and '-', '_', '.'", code="INVALID_ID", path=(field,))


def kind_of(stream: str) -> type[Entity]:
    """The kind of entity that a stream belongs to. Raises InvalidInput for an unknown kind."""
    kind = KINDS.get(stream.partition("/")[0])
    if kind is None:
        raise InvalidInput(f"{stream!r} is not an entity: expected one of "
                           + ", ".join(f"{k}/…" for k in KINDS), path=("entity",))
    return kind
