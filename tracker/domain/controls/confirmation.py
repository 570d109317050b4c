"""The confirmation of a status: whether recorded acts support it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from tracker.domain.basics.vocabulary import Assumption, ClauseEnd, ClauseStatus, Confirmation
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.wording.phrases import date_phrase, word_phrase

FirstDays = Mapping[tuple[str, str], date]
"""By instrument and clause: the first day after the newest act of the issuer on which the status changes."""
NOTHING_BY_TERMS: FirstDays = {}
"""No status follows from dates alone."""


def confirmation(
    control: ExportControlState, clause: ClauseState, day: date, first_days: FirstDays
) -> Confirmation:
    """Return the confirmation of the status of a clause on a day.

    A status that began after the newest recorded act of the issuer follows only from dates in older acts. A
    statement that contradicts the text has precedence over both.
    """
    if clause.contradiction(day):
        return Confirmation.CONTRADICTED
    first_day = first_days.get((control.id, clause.clause.id))
    follows_from_dates = first_day is not None and first_day <= day
    return Confirmation.BY_TERMS if follows_from_dates else Confirmation.CONFIRMED


def assumption(
    control: ExportControlState, clause: ClauseState, day: date, first_days: FirstDays
) -> Assumption | None:
    """Return the assumption behind the status of a clause in force on a day; None without one.

    A status that follows from dates alone is a return from a suspension, unless it began on the first day of
    the clause.
    """
    if clause.status is not ClauseStatus.IN_FORCE:
        return None
    if confirmation(control, clause, day, first_days) is not Confirmation.CONFIRMED:
        began = first_days.get((control.id, clause.clause.id))
        if clause.contradiction(day) or began != clause.clause.first_day:
            return Assumption.AUTOMATIC_RETURN
    return Assumption.END_UNKNOWN if clause.clause.end is ClauseEnd.UNKNOWN else None


def status_statement(
    clause: ClauseState, day: date, supported: Confirmation, since: date | None
) -> str:
    """Return the status of a clause on a day in one or two sentences that claim no more than is recorded.

    `since` is the first day of the status, if it is known.
    """
    status = word_phrase(clause.status).capitalize()
    began = f" since {date_phrase(since)}" if since else ""
    stated = clause.contradiction(day)
    if stated:
        return (
            f"{status} by its own terms{began}. {stated.by} stated on {date_phrase(stated.on)} that the"
            f" suspension runs to {date_phrase(stated.until)}; the instrument was not found."
        )
    if supported is Confirmation.BY_TERMS:
        return f"{status} by its own terms{began} (not confirmed)."
    return f"{status}{began}."
