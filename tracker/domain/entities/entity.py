"""The base of entities: a stream of facts, retractions, and the rules for new facts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Self

from eventsourcing.domain import BaseAggregate, CanMutateAggregate, datetime_now_with_tzinfo

from tracker.domain.entities.fact import ENTITY_PATH, Fact
from tracker.domain.entities.fold import (
    CitingFold,
    EntityState,
    Fold,
    PrefixFolds,
    StateWithEvidence,
)
from tracker.domain.entities.history import (
    INITIAL_FACTS,
    Evidence,
    History,
    RecordedFact,
    Retracted,
    effective_facts,
    retracted_ids,
    to_evidence,
)
from tracker.errors import InvalidInput, NotFound, TrackerError

__all__ = [
    "INITIAL_FACTS",
    "KINDS",
    "RESERVED_ENDINGS",
    "TYPES",
    "CitingFold",
    "Entity",
    "EntityState",
    "Evidence",
    "Fold",
    "History",
    "RecordedFact",
    "Retracted",
    "StateWithEvidence",
    "because",
    "check_stream",
    "effective_facts",
    "entity_type",
    "has_reserved_ending",
    "retracted_ids",
    "to_evidence",
]

MAX_STREAM_CHARACTERS = 300
"""The maximum length of an entity's name."""
RESERVED_ENDINGS = (
    *("atom", "csv", "html", "ics", "json", "jsonfeed", "jsonl", "linkset", "parquet", "pdf"),
    *("png", "receipt", "svg", "xlsx"),
)
"""Endings of the files of pages, which no part of an id may have."""


def because(known: Iterable[RecordedFact]) -> tuple[Evidence, ...]:
    """The facts behind a state, in the order of the log."""
    return tuple(to_evidence(k) for k in sorted(known, key=lambda k: k.position))


class Entity(BaseAggregate[str]):
    """An entity, such as an alliance or a figure: its facts, and the rules for new ones.

    The identity of an entity is its stream, `kind/id`. An entity without facts is at version 0.
    """

    KIND: ClassVar[str]
    """The first part of the stream."""
    INITIAL_FACT: ClassVar[type[Fact]]
    """The fact that a stream must begin with."""
    FACTS: ClassVar[dict[str, type[Fact]]]
    """The facts of this kind by event type; the types are pinned, whatever moves in the code."""
    FOLD: ClassVar[type[Fold[Any]]]
    """The fold of facts of this kind."""
    ID_HAS_PARTS: ClassVar[bool] = False
    """Whether ids of this kind may have several parts separated by `/`."""
    RECENT_EVENTS: ClassVar[int | None] = None
    """Number of the last events that the rules use, for a kind with any number of facts and no
    retractions; None: all events."""
    EARLIER_TYPES: ClassVar[tuple[str, ...]] = ()
    """Types of older events that the rules use too."""
    LAST_TYPES: ClassVar[tuple[str, ...]] = ()
    """Types whose last event the rules use, even if it is older."""

    history: History
    """Its history: all recorded facts and their order."""
    _folding: PrefixFolds[Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        KINDS[cls.KIND] = cls
        INITIAL_FACTS.add(cls.INITIAL_FACT)
        TYPES.update({fact: type_ for type_, fact in cls.FACTS.items() if fact is not Retracted})

    @dataclass(frozen=True)
    class Event(CanMutateAggregate[str]):
        """A fact of an entity, with its place in the stream."""

        originator_id: str
        originator_version: int
        timestamp: datetime
        event_id: str
        fact: Fact
        position: int = 0

        def mutate(self, aggregate: Any) -> Any:
            """Add the fact to its entity; the first fact creates the entity."""
            if aggregate is None:
                aggregate = entity_type(self.originator_id).empty(self.originator_id)
            return super().mutate(aggregate)

        def apply(self, aggregate: Any) -> None:
            """Store the fact; states are folded from all facts."""
            type_ = aggregate.type_of(self.fact)
            known = RecordedFact(self.position, self.event_id, type_, self.fact)
            aggregate._folding.truncate(aggregate.history.add(known).place)

    @classmethod
    def empty(cls, stream: str) -> Self:
        """Return the entity before its first fact, at version 0."""
        entity = cls.__new__(cls)
        entity.__base_init__(stream, 0, datetime_now_with_tzinfo())
        entity.history, entity._folding = History(), PrefixFolds(cls.FOLD, lists=False)
        return entity

    def forget_after(self, version: int) -> None:
        """Remove all events after a version, as if they had never been decided."""
        self._pending_events.clear()
        while self.version > version:
            self._folding.truncate(self.history.remove_last())
            self.version -= 1

    @property
    def known(self) -> list[RecordedFact]:
        """All recorded facts, in the order of the log."""
        return self.history.known

    def at_version(self, version: int) -> RecordedFact | None:
        """Return the fact of a version; None, or an earlier one, if only the last facts are loaded."""
        index = version - 1 - self.version + len(self.known)
        return self.known[index] if 0 <= index < len(self.known) else None

    @classmethod
    def type_of(cls, fact: Fact) -> str:
        """Return the pinned event type of a fact of this kind. Raises InvalidInput for other kinds."""
        if isinstance(fact, Retracted):
            return f"{cls.__name__}.Retracted"
        type_ = TYPES[type(fact)]
        if type_ not in cls.FACTS:
            raise InvalidInput(f"{type_} is not a fact about an entity {cls.KIND}/…", path=("id",))
        return type_

    def record(self, fact: Fact, event_id: str) -> None:
        """Check that `fact` may follow the recorded facts, and create its event.

        Raises InvalidInput or NotFound if it breaks a rule; then nothing has changed.
        """
        self.type_of(fact)  # rejects a fact about another kind of entity
        if isinstance(fact, Retracted):
            self._check_retraction(fact)
        else:
            self._check_opening(fact)
            self.check(fact)
        self.trigger_event(self.Event, fact=fact, event_id=event_id)

    def check(self, fact: Fact) -> None:
        """Check the rules of this kind of entity. Raises InvalidInput."""
        raise NotImplementedError

    @classmethod
    def state_on(cls, id: str, facts: Sequence[RecordedFact], day: date) -> EntityState | None:
        """Return the state on `day` from the effective facts in valid-time order; None before the first.

        Only facts public by that day count. Pure, and used by projections and replay alike.
        """
        fold = cls.FOLD()
        for known in facts:
            if known.fact.public_on <= day:
                fold.take(known)
        state: EntityState | None = fold.state(id, day)
        return state

    @classmethod
    def change_days(cls, fact: Fact) -> Iterable[date]:
        """Return every day on which the state may change because of a fact."""
        return (fact.public_on,)

    @property
    def exists(self) -> bool:
        """Whether an initial fact of this entity is effective."""
        return self.history.opening_count > 0

    def _fold(self, day: date = date.max) -> Any:
        """Return the fold of the effective facts that are public by a day, for reading only."""
        return self._folding.of_first(self.history.effective, self.history.public(day))

    def _check_opening(self, fact: Fact) -> None:
        if not isinstance(fact, self.INITIAL_FACT) and not self.exists:
            raise NotFound(
                f"There is no {self.id}: expected {TYPES[self.INITIAL_FACT]} first", path=("id",)
            )
        if not self.known:
            check_stream(self.id, "id")
            self._check_new_id()

    def _check_new_id(self) -> None:
        """Reject a new id with which the entity would have no page of its own."""
        _, _, id = self.id.partition("/")
        if "/" in id and not self.ID_HAS_PARTS:
            raise InvalidInput(
                f"{id!r}: expected an id without '/'", code="INVALID_ID", path=("id",)
            )
        if any(map(has_reserved_ending, id.split("/"))):
            raise InvalidInput(
                f"{id!r}: expected an id that does not end in .{', .'.join(RESERVED_ENDINGS)}, as files do",
                code="RESERVED_ID",
                path=("id",),
            )

    def _check_retraction(self, fact: Retracted) -> None:
        target = self.history.get(fact.retracts)
        if target is None:
            raise NotFound(
                f"{self.id} has no event {fact.retracts!r} to retract", path=("eventId",)
            )
        if fact.replacement and isinstance(target.fact, Retracted):
            raise InvalidInput(
                f"Event {fact.retracts!r} is a retraction: expected it to be"
                " retracted, not corrected",
                path=("eventId",),
            )
        if fact.retracts in self.history.retracted:
            raise InvalidInput(
                f"Event {fact.retracts!r} is already retracted",
                code="ALREADY_RETRACTED",
                path=("eventId",),
            )
        # Facts that become effective again are checked as if they were recorded now.
        for revived in self.history.revived_by(fact):
            try:
                self._check_opening(revived.fact)
                self.check(revived.fact)
            except TrackerError as error:
                error.path = ("eventId",)
                raise


KINDS: dict[str, type[Entity]] = {}
"""Every kind of entity, by the first part of its streams."""

TYPES: dict[type[Fact], str] = {}
"""The pinned event type of every fact except retractions, whose type depends on the kind."""


def check_stream(stream: str, field: str) -> None:
    """Reject a name that no entity can have. Raises InvalidInput at `field`."""
    if len(stream) > MAX_STREAM_CHARACTERS or not ENTITY_PATH.fullmatch(stream):
        raise InvalidInput(
            f"{stream[:MAX_STREAM_CHARACTERS]!r}: expected at most"
            f" {MAX_STREAM_CHARACTERS} letters,"
            " digits and '-', '_', '.'",
            code="INVALID_ID",
            path=(field,),
        )


def has_reserved_ending(part: str) -> bool:
    """Return whether a part of an id ends like a file, in any letter case."""
    _, dot, ending = part.rpartition(".")
    return bool(dot) and ending.lower() in RESERVED_ENDINGS


def entity_type(stream: str) -> type[Entity]:
    """Return the kind of entity of a stream. Raises InvalidInput for an unknown kind."""
    kind = KINDS.get(stream.partition("/")[0])
    if kind is None:
        raise InvalidInput(
            f"{stream!r} is not an entity: expected one of " + ", ".join(f"{k}/…" for k in KINDS),
            path=("entity",),
        )
    return kind
