"""Comparison of imported facts with the recorded facts of their entity. Pure.

The id of a fact identifies its row. A later, different fact of the same row is a correction: the wrong event
is retracted, and the right one recorded under the id with `~2`, `~3`, …. If a client has used the id for
another event, the row begins with `~1`: ids with `~` are reserved for imports.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from tracker.commands.commands import IMPORT_MARK, PlannedEvent
from tracker.domain.basics.values import Quantity
from tracker.domain.entities.commitments import commitments_in, without_texts
from tracker.domain.entities.entity import (
    Entity,
    RecordedFact,
    Retracted,
    effective_facts,
    retracted_ids,
)
from tracker.domain.entities.fact import Fact
from tracker.domain.figures.figure_facts import Claimed, edition_key
from tracker.domain.figures.trade_flow import FlowClaimed
from tracker.errors import IdempotencyConflict
from tracker.sources.reader import ReadFact

SUSPECT_FACTOR = 100
"""Factor to a neighbouring edition's figure from which a figure is suspect. A header may give the wrong
unit, and units differ by a factor of a thousand."""


CORRECTION_SUFFIX = re.compile(r"~\d+\Z")
"""Suffix of a row's id for a correction."""

RETRACTION_SUFFIX = "~retracted"
"""Suffix of an event's id for its retraction by an import."""


class ItemOutcome(StrEnum):
    """Outcome of an item."""

    NEW = "new"
    RESTATED = "restated"
    CORRECTED = "corrected"
    UNCHANGED = "unchanged"
    REPEATED = "repeated"
    REFUSED = "refused"


class Resolution(Struct, frozen=True):
    """Resolution of a fact: events to record, or the reason of refusal, and a warning.

    `before` is the fact that it restates or replaces.
    """

    outcome: ItemOutcome
    plan: tuple[PlannedEvent, ...] = ()
    reason: str = ""
    code: str = ""
    warning: str | None = None
    before: Fact | None = None


def reconcile(
    read: ReadFact,
    entity: Entity,
    line: int | None,
    of_other_entity: bool,
    retraction: Callable[[str], Retracted] | None,
    *,
    taken: bool = False,
) -> Resolution:
    """Resolve a fact.

    `line` is the earlier line of the file with the same row. `of_other_entity` is true if the log has the id
    for another entity, `taken` if it has it for an event that no import recorded. `retraction` creates the
    retraction of a wrong event; without it another fact under a known id is an error.
    """
    row = facts_of_row(entity, read.planned.event_id)
    planned, row = without_redacted(read.planned, row)
    if taken and retraction:
        if _is_recorded(entity, planned):
            return Resolution(ItemOutcome.UNCHANGED)
        row = [known for known in row if known.event_id != planned.event_id]
    compared = row[-1:] if retraction else row
    same = any(equal_ignoring_place(known.fact, planned.fact) for known in compared)
    if line is not None:
        return (
            Resolution(ItemOutcome.REPEATED)
            if same
            else _refusal(f"line {line} contradicts this", "CONTRADICTS_ROW")
        )
    if same and not (retraction and retracted_by_import(entity, row[-1].event_id)):
        return Resolution(ItemOutcome.UNCHANGED)
    if (retraction is None and (of_other_entity or row)) or (of_other_entity and not taken):
        return _refusal(str(IdempotencyConflict(planned.event_id)), IdempotencyConflict.code)
    if not row and _is_accepted(entity, planned):
        return Resolution(ItemOutcome.UNCHANGED)
    if not row or retraction is None:
        return _resolve_new(entity, _under_free_id(planned) if taken else planned)
    return _resolve_correction(entity, planned, row, retraction)


def _is_recorded(entity: Entity, planned: PlannedEvent) -> bool:
    """Return whether the event of a planned id is effective with the same content, by any recorder."""
    return any(
        known.event_id == planned.event_id and equal_ignoring_place(known.fact, planned.fact)
        for known in effective_facts(entity.known)
    )


def _is_accepted(entity: Entity, planned: PlannedEvent) -> bool:
    """Return whether a person has accepted the same fact in a review, so that it has another id."""
    return any(
        known.fact.source.reviewed_by and equal_ignoring_place(known.fact, planned.fact)
        for known in effective_facts(entity.known)
    )


def _under_free_id(planned: PlannedEvent) -> PlannedEvent:
    """Return the planned event under the first reserved id, because a client has used its own."""
    return PlannedEvent(
        planned.stream, planned.fact, f"{planned.event_id}{IMPORT_MARK}1", planned.path
    )


def facts_of_row(entity: Entity, event_id: str) -> list[RecordedFact]:
    """Return the facts of one row: its first event and its corrections."""
    return [k for k in entity.known if CORRECTION_SUFFIX.sub("", k.event_id) == event_id]


def without_redacted(
    planned: PlannedEvent, row: Sequence[RecordedFact]
) -> tuple[PlannedEvent, list[RecordedFact]]:
    """Return a planned event and its row, both without the texts redacted in the row.

    A file that still has them is not a change, and a correction does not restore them.
    """
    gone = {field for known in row for field in commitments_in(known.fact)}
    return (
        PlannedEvent(
            planned.stream, without_texts(planned.fact, gone), planned.event_id, planned.path
        ),
        [replace(known, fact=without_texts(known.fact, gone)) for known in row],
    )


def retracted_by_import(entity: Entity, event_id: str) -> bool:
    """Return whether an import retracted an event; imports do not override retractions by people."""
    by = f"{event_id}{RETRACTION_SUFFIX}"
    return event_id in retracted_ids(entity.known) and any(k.event_id == by for k in entity.known)


def equal_ignoring_place(one: Fact, other: Fact) -> bool:
    """Return whether two facts are equal apart from their place, snapshot and reviewers: rows may move."""
    return one == other or _without_place(one) == _without_place(other)


def equal_quantities(one: Quantity, other: Quantity) -> bool:
    """Return whether two quantities are equal after conversion of units."""
    if one.basis != other.basis or one.qualifier is not other.qualifier:
        return False
    if one.value is None or other.value is None:
        return one.value is other.value
    return other.unit.convert(other.value, one.unit) == one.value


def _without_place(fact: Fact) -> Fact:
    source = replace(fact.source, reference=None, snapshot=None, reviewed_by=())
    return replace(fact, source=source)


def _resolve_new(entity: Entity, planned: PlannedEvent) -> Resolution:
    """Resolve a new row; its claim may be recorded under another id."""
    if isinstance(planned.fact, FlowClaimed):
        return _resolve_flow(entity, planned)
    if not isinstance(planned.fact, Claimed):
        return Resolution(ItemOutcome.NEW, (planned,))
    claims = [(k, k.fact) for k in effective_facts(entity.known) if isinstance(k.fact, Claimed)]
    for known, claim in claims:
        if edition_key(claim) == edition_key(planned.fact):
            same = equal_quantities(claim.quantity, planned.fact.quantity)
            return (
                Resolution(ItemOutcome.UNCHANGED)
                if same
                else _refusal(
                    f"the event {known.event_id} has another value for this series and edition",
                    "ANOTHER_VALUE",
                )
            )
    earlier = [
        claim for _, claim in claims if claim.source.publisher == planned.fact.source.publisher
    ]
    if not earlier:
        return Resolution(ItemOutcome.NEW, (planned,))
    nearest = min(earlier, key=lambda claim: abs(claim.public_on - planned.fact.public_on))
    return Resolution(
        ItemOutcome.RESTATED,
        (planned,),
        warning=plausibility_warning(planned.fact, nearest),
        before=nearest,
    )


def _resolve_flow(entity: Entity, planned: PlannedEvent) -> Resolution:
    """Resolve a new claim on a trade flow: it restates the newest claim of its publisher."""
    publisher = planned.fact.source.publisher
    facts = (known.fact for known in effective_facts(entity.known))
    earlier = [fact for fact in facts if fact.source.publisher == publisher]
    outcome = ItemOutcome.RESTATED if earlier else ItemOutcome.NEW
    return Resolution(outcome, (planned,), before=earlier[-1] if earlier else None)


def plausibility_warning(claim: Claimed, neighbour: Claimed) -> str | None:
    """Return the reason why a claim is implausible compared with a neighbouring edition, or None."""
    new, old = claim.quantity, neighbour.quantity
    value = None if new.value is None else new.unit.convert(new.value, old.unit)
    if not value or not old.value or new.basis != old.basis:
        return None
    ratio = value / old.value
    if Decimal(1) / SUSPECT_FACTOR < ratio < SUSPECT_FACTOR:
        return None
    times = f"{ratio:,.0f} times" if ratio > 1 else f"1/{1 / ratio:,.0f} of"
    return f"{times} the figure of {neighbour.edition}, {old.value} {old.unit}"


def _resolve_correction(
    entity: Entity,
    planned: PlannedEvent,
    row: Sequence[RecordedFact],
    retraction: Callable[[str], Retracted],
) -> Resolution:
    last = row[-1]
    plan = [PlannedEvent(planned.stream, planned.fact, f"{planned.event_id}~{len(row) + 1}")]
    if last.event_id not in retracted_ids(entity.known):
        plan.insert(
            0,
            PlannedEvent(
                planned.stream, retraction(last.event_id), f"{last.event_id}{RETRACTION_SUFFIX}"
            ),
        )
    return Resolution(ItemOutcome.CORRECTED, tuple(plan), before=last.fact)


def _refusal(reason: str, code: str) -> Resolution:
    return Resolution(ItemOutcome.REFUSED, reason=reason, code=code)
