"""Reconciling a fact that was read with what is known of its entity. Pure.

The id of a fact stands for its row. What is recorded later under the same row is a correction:
the wrong event is retracted, and the right one recorded under the id with `~2`, `~3`, …. Where a
client has taken the id for something else, the row begins with `~1`: ids with `~` are for imports.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from msgspec.structs import replace

from tracker.commands.commands import IMPORT_MARK, PlannedEvent
from tracker.domain.commitments import commitments_in, without_texts
from tracker.domain.entity import Entity, RecordedFact, Retracted, effective_facts, retracted_ids
from tracker.domain.figure_facts import Claimed, edition_key
from tracker.domain.values import Fact, Quantity
from tracker.errors import IdempotencyConflict
from tracker.sources.reader import ReadFact

SUSPECT_FACTOR = 100
"""How many times a figure of a neighbouring edition makes one suspect: a header may lie about the
unit, and units are a thousandfold apart."""


CORRECTION_SUFFIX = re.compile(r"~\d+\Z")
"""What is added to the id of a row for the id of a correction."""

RETRACTION_SUFFIX = "~retracted"
"""What is added to the id of an event for the id of its retraction by an import."""


class ItemOutcome(StrEnum):
    """The outcome of an item."""

    NEW = "new"
    RESTATED = "restated"
    CORRECTED = "corrected"
    UNCHANGED = "unchanged"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Resolution:
    """The resolution of a fact: events to record, or why it was refused, and a warning.

    `before` is the fact that it restates or takes the place of.
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

    `line` is where the file told the same row before, `of_other_entity` whether the log has the id for
    another entity, `taken` whether it has it for an event that no import recorded. `retraction`
    makes the retraction of a wrong event; without it another fact under a known id is a mistake.
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
            else _refusal(f"line {line} says otherwise", "CONTRADICTS_ROW")
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
    """Whether the event of a planned id stands and says the same, whoever recorded it."""
    return any(
        known.event_id == planned.event_id and equal_ignoring_place(known.fact, planned.fact)
        for known in effective_facts(entity.known)
    )


def _is_accepted(entity: Entity, planned: PlannedEvent) -> bool:
    """Whether a person has accepted the same fact in a review, so that it stands under another id."""
    return any(
        known.fact.source.reviewed_by and equal_ignoring_place(known.fact, planned.fact)
        for known in effective_facts(entity.known)
    )


def _under_free_id(planned: PlannedEvent) -> PlannedEvent:
    """The planned event under the first id that is only for imports: its own was taken by a client."""
    return PlannedEvent(
        planned.stream, planned.fact, f"{planned.event_id}{IMPORT_MARK}1", planned.path
    )


def facts_of_row(entity: Entity, event_id: str) -> list[RecordedFact]:
    """The facts of one row: its first event and those that corrected it."""
    return [k for k in entity.known if CORRECTION_SUFFIX.sub("", k.event_id) == event_id]


def without_redacted(
    planned: PlannedEvent, row: Sequence[RecordedFact]
) -> tuple[PlannedEvent, list[RecordedFact]]:
    """A planned event and its row, both without the texts that were redacted in the row: a file that still
    has them says nothing new by that, and what it corrects does not bring them back."""
    gone = {field for known in row for field in commitments_in(known.fact)}
    return (
        PlannedEvent(
            planned.stream, without_texts(planned.fact, gone), planned.event_id, planned.path
        ),
        [replace(known, fact=without_texts(known.fact, gone)) for known in row],
    )


def retracted_by_import(entity: Entity, event_id: str) -> bool:
    """Whether an import retracted an event; what a person retracted is not for imports to judge."""
    by = f"{event_id}{RETRACTION_SUFFIX}"
    return event_id in retracted_ids(entity.known) and any(k.event_id == by for k in entity.known)


def equal_ignoring_place(one: Fact, other: Fact) -> bool:
    """Whether two facts are the same, wherever in their source they stand: rows may move. Nor does it
    matter from which snapshot they were read, and who accepted them."""
    return one == other or _without_place(one) == _without_place(other)


def equal_quantities(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities are the same, be it in different units of one measure."""
    if one.basis != other.basis or one.qualifier is not other.qualifier:
        return False
    if one.value is None or other.value is None:
        return one.value is other.value
    return other.unit.convert(other.value, one.unit) == one.value


def _without_place(fact: Fact) -> Fact:
    source = replace(fact.source, reference=None, snapshot=None, reviewed_by=())
    return replace(fact, source=source)


def _resolve_new(entity: Entity, planned: PlannedEvent) -> Resolution:
    """A row that the log does not know; its claim may be known under another id."""
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


def plausibility_warning(claim: Claimed, neighbour: Claimed) -> str | None:
    """Why a claim can hardly be right beside that of a neighbouring edition, if it can't."""
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
