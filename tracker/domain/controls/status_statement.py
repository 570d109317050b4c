"""The status of a clause in sentences: its start, its confirmation and the last day read. Pure."""

from datetime import date

from tracker.domain.basics.control_vocabulary import Confirmation
from tracker.domain.basics.word import Phase
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.confirmation import Grounds, confirmation
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.wording.phrases import date_phrase


def status_statement(
    control: ExportControlState,
    clause: ClauseState,
    day: date,
    since: date | None,
    grounds: Grounds,
) -> str:
    """Return the status of a clause on a day in a few sentences that claim no more than is recorded.

    `since` is the first day of the status, if it is known.
    """
    status = clause.status.phrase.capitalize()
    began = f" since {date_phrase(since)}" if since else ""
    match confirmation(control, clause, day, grounds):
        case Confirmation.CONTRADICTED:
            stated = clause.contradiction(day)
            assert stated is not None
            return (
                f"{status} by its own terms{began}. {stated.by} stated on {date_phrase(stated.on)} that"
                f" the suspension runs to {date_phrase(stated.until)}; the instrument was not found."
            )
        case Confirmation.BY_TERMS:
            read = unread_since(control.id, clause.clause.id, day, grounds)
            began = f" by its own terms{began} (not confirmed). {read}"
        case Confirmation.AS_RECORDED:
            until = grounds.supported_until(control, clause, day)
            assert until is not None
            began += f", as recorded on {date_phrase(until)}. No later record names it."
        case Confirmation.CONFIRMED:
            began += "."
    return f"{status}{began}{_passed_deadline(clause, day)}"


def _passed_deadline(clause: ClauseState, day: date) -> str:
    """Return a sentence on a deadline for a decision that is over; empty without one."""
    due = clause.clause.decision_due
    if due is None or due.last >= day or clause.status.phase is not Phase.NOT_LAW:
        return ""
    return f" A decision was due by {date_phrase(due)}; no act on it is recorded."


def unread_since(control: str, clause: str, day: date, grounds: Grounds) -> str:
    """Return in a sentence the last day on which a change of a clause would have been read."""
    reading = grounds.last_reading(control, clause)
    if reading is not None:
        in_part = "" if reading.complete else ", in part"
        return f"Lists read to {date_phrase(reading.last)}{in_part}: nothing found."
    named = grounds.last_named(control, clause, day)
    newest = f"; the newest record that names it is of {date_phrase(named)}" if named else ""
    return f"No list of later acts was read{newest}."
