"""Commands, the events that are planned for them, and what of these is recorded already. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from tracker.domain.commitments import equal_ignoring_redacted, free_texts, with_texts_restored
from tracker.domain.entity import Entity, RecordedFact, Retracted
from tracker.domain.values import Fact, Source
from tracker.domain.wording import is_visible
from tracker.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Path,
    TooLarge,
    VersionConflict,
)
from tracker.log.append import AppendResult

IMPORT_MARK, RECEIPT_PREFIX = "~", "import-"
"""Parts of ids that only imports give: of corrections, and of receipts."""
REVIEW_PREFIX = "candidate-"
"""Begins the ids of what was accepted in a review."""


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """A fact to be recorded of an entity, under an event id that counts once.

    `path` leads to the fact in what the caller gave; errors in the fact are said to be there.
    `expected` is the version that the entity must have before it.
    """

    stream: str
    fact: Fact
    event_id: str
    path: Path = ()
    expected: int | None = None

    @contextmanager
    def locate_errors(self) -> Iterator[None]:
        """Begin the path of errors in the fact with the path of the fact."""
        try:
            yield
        except (InvalidInput, NotFound, TooLarge, VersionConflict) as error:
            raise error.below(*self.path) from None


@dataclass(frozen=True, slots=True)
class RecordFact:
    """A fact of an entity is to be recorded. `expected` is the version that the caller saw."""

    stream: str
    fact: Fact
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class RetractEvent:
    """A recorded event, or a retraction, is to be retracted."""

    event_id: str
    reason: str
    source: Source


@dataclass(frozen=True, slots=True)
class CorrectEvent:
    """A recorded event is to be retracted and another fact recorded in its place: both or neither.

    The fact may be about another entity: a figure may have been filed under the wrong place.
    `expected` is the version that the caller saw of the entity of the event.
    """

    event_id: str
    stream: str
    fact: Fact
    reason: str
    source: Source
    expected: int | None = None


Command: TypeAlias = RecordFact | RetractEvent | CorrectEvent


def retraction_fact(
    command: RetractEvent | CorrectEvent, path: Path, replacement: str | None = None
) -> Retracted:
    """That an event was wrong. Raises InvalidInput for a reason that says nothing."""
    try:
        return Retracted(
            retracts=command.event_id,
            reason=command.reason,
            source=command.source,
            replacement=replacement,
        )
    except InvalidInput as error:
        raise error.below(*path) from None


def check_id_is_free(event_id: str, fact: Fact) -> None:
    """Refuse an id, for a new event of a client, that an import or a review would give. What a review
    records says who accepted it, which no client can say. Raises InvalidInput."""
    if event_id.startswith(REVIEW_PREFIX) and not fact.source.reviewed_by:
        raise InvalidInput(
            f"expected a key that does not begin with {REVIEW_PREFIX!r}: such ids are for what was"
            " accepted in a review",
            code="RESERVED_ID",
            path=("idempotencyKey",),
        )
    if IMPORT_MARK in event_id or event_id.startswith(RECEIPT_PREFIX):
        raise InvalidInput(
            f"expected a key without {IMPORT_MARK!r} that does not begin with"
            f" {RECEIPT_PREFIX!r}: such ids are for imports",
            code="RESERVED_ID",
            path=("idempotencyKey",),
        )
    if not is_visible(event_id):
        raise InvalidInput("expected at least one visible character", path=("idempotencyKey",))


def find_recorded(
    entities: Mapping[str, Entity], plan: Sequence[PlannedEvent]
) -> dict[str, RecordedFact]:
    """The facts already recorded under the event ids of a plan, each in its own entity."""
    asked = (entities[planned.stream].history.get(planned.event_id) for planned in plan)
    return {known.event_id: known for known in asked if known}


def replay_result(
    plan: Sequence[PlannedEvent], again: Mapping[str, RecordedFact], texts: Mapping[str, str]
) -> AppendResult:
    """The first positions of a plan of which events are recorded already, the texts of these given
    by commitment. Raises IdempotencyConflict unless they are the same facts, all of them.
    """
    for planned in plan:
        known = again.get(planned.event_id)
        if known is None or not equal_ignoring_redacted(
            with_texts_restored(known.fact, texts), planned.fact
        ):
            raise IdempotencyConflict(planned.event_id)
    first = again[plan[0].event_id].position
    return AppendResult(range(first, first + len(plan)), repeated=True)


def redactable_fields(fact: Fact, fields: Sequence[str]) -> tuple[str, ...]:
    """The texts to redact of a recorded fact: those that are asked for, or all that there are.

    Raises InvalidInput where one is not there, or is part of the entry itself.
    """
    there = free_texts(fact)
    if not there:
        raise InvalidInput(
            "expected an event with a note or a quotation: this one has none",
            code="NOTHING_TO_REDACT",
            path=("eventId",),
        )
    for index, field in enumerate(fields):
        if field not in there:
            raise InvalidInput(
                f"{field!r}: expected one of the texts of the event: " + ", ".join(there),
                code="NOTHING_TO_REDACT",
                path=("fields", index),
            )
    asked = tuple(fields) or tuple(there)
    inline = [field for field in asked if isinstance(there[field], str)]
    if inline:
        raise InvalidInput(
            f"{', '.join(inline)} can't be redacted: the event was recorded before there were"
            " annexes, so the text is part of the entry, which never changes",
            code="NOT_REDACTABLE",
            path=("eventId",),
        )
    return asked
