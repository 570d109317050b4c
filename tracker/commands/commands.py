"""Commands, their planned events, and the recorded results of these. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from msgspec import Struct

from tracker.domain.basics.text_rules import is_visible
from tracker.domain.entities.commitments import (
    equal_ignoring_redacted,
    free_texts,
    with_texts_restored,
)
from tracker.domain.entities.entity import Entity, RecordedFact, Retracted
from tracker.domain.entities.fact import Fact, Source
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
"""Parts of ids that only imports create: of corrections, and of receipts."""
REVIEW_PREFIX = "candidate-"
"""Prefix of the ids of facts accepted in a review."""


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """A fact to be recorded for an entity, under an event id that counts once.

    `path` is the path of the fact in the caller's input, and is the prefix of its errors. `expected` is the
    version that the entity must have before it.
    """

    stream: str
    fact: Fact
    event_id: str
    path: Path = ()
    expected: int | None = None

    @contextmanager
    def locate_errors(self) -> Iterator[None]:
        """Prefix the path of errors with the path of the fact."""
        try:
            yield
        except (InvalidInput, NotFound, TooLarge, VersionConflict) as error:
            raise error.below(*self.path) from None


class RecordFact(Struct, frozen=True):
    """Record a fact of an entity. `expected` is the version that the caller saw."""

    stream: str
    fact: Fact
    expected: int | None = None


class RetractEvent(Struct, frozen=True):
    """Retract a recorded event, or a retraction."""

    event_id: str
    reason: str
    source: Source


class CorrectEvent(Struct, frozen=True):
    """Retract a recorded event and record another fact in its place: both or neither.

    The fact may be about another entity: a figure may have been filed under the wrong place. `expected` is
    the version that the caller saw of the entity of the event.
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
    """Return the fact that an event was wrong. Raises InvalidInput for an empty reason."""
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
    """Reject an id of a client's new event that is reserved for imports or reviews.

    The record of a review names its reviewers, which no client may set. Raises InvalidInput.
    """
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
    """Return the recorded facts under the event ids of a plan, each in its own entity."""
    recorded = (entities[planned.stream].history.get(planned.event_id) for planned in plan)
    return {known.event_id: known for known in recorded if known}


def replay_result(
    plan: Sequence[PlannedEvent], again: Mapping[str, RecordedFact], texts: Mapping[str, str]
) -> AppendResult:
    """Return the first positions of a plan that is already recorded, given its texts by commitment.

    Raises IdempotencyConflict unless the recorded facts are equal and complete.
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
    """Return the fields to redact of a recorded fact: the requested ones, or all texts.

    Raises InvalidInput if one does not exist, or is part of the entry itself.
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
    requested = tuple(fields) or tuple(there)
    inline = [field for field in requested if isinstance(there[field], str)]
    if inline:
        raise InvalidInput(
            f"{', '.join(inline)} cannot be redacted: the event was recorded before annexes"
            " existed, so the text is part of the immutable entry",
            code="NOT_REDACTABLE",
            path=("eventId",),
        )
    return requested
