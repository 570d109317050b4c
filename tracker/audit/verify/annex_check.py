"""Check of annexes against entries: distinguishes redaction from tampering. Pure.

An entry is proven by the tree. The text of a commitment is proven by an annex that opens it. If there is
none, only an event of the same log that redacts the field explains its absence.
"""

from collections.abc import Collection, Iterable
from enum import StrEnum

from msgspec import Struct

from tracker.domain.entities.commitments import commitment, commitments_in
from tracker.domain.entities.redaction import Redacted, Redaction
from tracker.log.annexes import AnnexLine
from tracker.log.entries import RecordedEvent


class AnnexStatus(StrEnum):
    """The status of an annex, or of a text that an entry commits to."""

    OPENED = "opened"
    """The annex has the text that the entry commits to."""
    REDACTED = "redacted"
    """The text was removed, and an event of the log redacts it."""
    NOT_REMOVED = "not_removed"
    """The text is present although the log redacts it: an old copy."""
    MISSING = "missing"
    """The text is missing without a redaction."""
    MISMATCHED = "mismatched"
    """The annex has another text or salt than the entry commits to."""
    UNCOMMITTED = "uncommitted"
    """The entry has no commitment in the field of the annex, or there are two annexes of one field."""


class AnnexFinding(Struct, frozen=True):
    """The status of one field of an event."""

    position: int
    field: str
    status: AnnexStatus


def check_event(
    event: RecordedEvent, annexes: Iterable[AnnexLine], redacted: Collection[str]
) -> list[AnnexFinding]:
    """Check every text of an event, in the order of the fields.

    `annexes` are the exported lines of its position. `redacted` are the fields that later events of the log
    redact: collect them with `redacts`. Lines without a text prove nothing.
    """
    promised, statuses, there = commitments_in(event.fact), dict[str, AnnexStatus](), set[str]()
    for annex in annexes:
        if annex.text is None:
            continue
        known = annex.field in promised and annex.field not in there
        there.add(annex.field)
        if not known:
            statuses[annex.field] = AnnexStatus.UNCOMMITTED
        elif not opens_commitment(annex, promised[annex.field]):
            statuses[annex.field] = AnnexStatus.MISMATCHED
        else:
            gone = annex.field in redacted
            statuses[annex.field] = AnnexStatus.NOT_REMOVED if gone else AnnexStatus.OPENED
    for field in promised.keys() - there:
        statuses[field] = AnnexStatus.REDACTED if field in redacted else AnnexStatus.MISSING
    return [AnnexFinding(event.position, field, statuses[field]) for field in sorted(statuses)]


def redacts(event: RecordedEvent) -> tuple[int, tuple[str, ...]] | None:
    """Return the position and the fields that an event redacts; None for any other event."""
    fact, (kind, _, position) = event.fact, event.stream.partition("/")
    if not isinstance(fact, Redacted) or kind != Redaction.KIND or not position.isdecimal():
        return None
    return int(position), fact.fields


def opens_commitment(annex: AnnexLine, promised: str) -> bool:
    """Return whether an annex opens the commitment that it names."""
    try:
        salt = bytes.fromhex(annex.salt or "")
    except ValueError:
        return False
    return commitment(salt, annex.text or "") == promised == annex.commitment
