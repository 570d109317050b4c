"""English sentences on changes of clauses and members. Pure.

A sentence claims no more than its transition. A change that follows from the terms of an earlier act
alone is marked as such.
"""

from datetime import date

from projections.fold.transitions import Transition, TransitionBasis, TransitionKind, clause_of
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.basics.control_vocabulary import ClauseStatus, Outcome
from tracker.domain.basics.values import DAY, PartialDate
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.wording.phrases import (
    date_phrase,
    field_phrase,
    listed,
    on_phrase,
    place_in_text,
    until_phrase,
    with_capital,
    word_phrase,
)


def part_sentence(of: Transition, successor: str | None = None) -> str:
    """Return the sentence on a clause or member, with the title of the control that continues the
    clause. Raises TypeError for any other part."""
    match of.after, of.part:
        case ExportControlState(), ("clauses", id) if of.kind is TransitionKind.STATED_END:
            return f"{of.after.title}: clause {id}: {_stated_end(of, id)}"
        case ExportControlState(), ("clauses", id):
            clause = clause_of(of.after, id)
            what = (
                _of_clause(of, clause, successor)
                if clause
                else f"is gone from {date_phrase(of.day)} on"
            )
            return f"{of.after.title}: clause {id} {what}{_basis(of)}."
        case AllianceState(), ("members", place):
            name = with_capital(place_in_text(place))
            return f"{name} {_of_member(of, of.after, place)}{_basis(of)}."
    raise TypeError(f"neither a clause nor a member: {of.part}")


def _stated_end(of: Transition, id: str) -> str:
    """Return the sentence on the stated end of a suspension, with the text of the instrument."""
    clause = clause_of(of.before, id)
    stated = clause and clause.contradiction(of.day - DAY)
    if not stated:
        raise TypeError(f"no statement on clause {id}")
    return (
        f"{stated.by} stated on {date_phrase(stated.on)} that the suspension runs to"
        f" {date_phrase(stated.until)}. By its own terms the clause is in force already;"
        " the instrument was not found."
    )


def _basis(of: Transition) -> str:
    """Return the basis, unless it is an act of the same day."""
    if of.basis is TransitionBasis.ACT:
        return ""
    also = "and a later act" if of.basis is TransitionBasis.CONFIRMED else "alone"
    return f", by the terms announced on {date_phrase(of.announced_on)} {also}"


def _of_clause(of: Transition, after: ClauseState, successor: str | None) -> str:
    clause, day = after.clause, date_phrase(of.day)
    match of.kind:
        case TransitionKind.APPEARS:
            return f"is added on {day}"
        case TransitionKind.IN_FORCE:
            start = _as_recorded(of.day, clause.in_force_from, clause.period)
            return f"is in force from {date_phrase(start)} on"
        case TransitionKind.SUSPENDED:
            start = _as_recorded(of.day, after.suspended_from)
            return f"is suspended from {date_phrase(start)} {until_phrase(after.suspended_until)}"
        case TransitionKind.RETURNS:
            if after.first_in_force == of.day:
                return (
                    f"is in force for the first time from {day} on, when its suspension has ended"
                )
            return f"is back in force from {day} on"
        case TransitionKind.EXPIRES:
            return f"ends; {_last_of(of.day - DAY, clause.in_force_until or clause.period)}"
        case TransitionKind.REPEALED:
            end = _as_recorded(of.day, after.repealed_from)
            return f"is repealed from {date_phrase(end)} on{_into(after, successor)}"
        case TransitionKind.DISCONTINUED:
            end = _as_recorded(of.day, after.discontinued_from)
            return f"{Outcome(after.status).verb} {on_phrase(end)}"
        case TransitionKind.AMENDED:
            return f"is reworded from {day} on"
    if after.status is ClauseStatus.ANNOUNCED and "status" in _names(of):
        return f"is no longer suspended from {day} on, and not yet in force"
    return f"{_of_terms(of, after, successor)}, known from {day} on"


def _of_terms(of: Transition, after: ClauseState, successor: str | None) -> str:
    """Return the phrase for future changes of a clause whose status stays the same."""
    names = _names(of)
    if "repealedFrom" in names and after.repealed_from:
        return (
            f"is to be repealed from {date_phrase(after.repealed_from)} on{_into(after, successor)}"
        )
    if "discontinuedFrom" in names and after.discontinued_from:
        return f"is to end without repeal from {date_phrase(after.discontinued_from)} on"
    if names & {"suspendedFrom", "suspendedUntil"} and after.suspended_from:
        start = date_phrase(after.suspended_from)
        return f"has its suspension from {start} {until_phrase(after.suspended_until)}"
    if "returnsOn" in names and after.returns_on:
        back = "back " if after.first_in_force else ""
        return f"is to be {back}in force from {date_phrase(after.returns_on)} on"
    return f"has other terms ({_fields(of)})"


def _as_recorded(day: date, *recorded: PartialDate | None) -> PartialDate:
    """Return the recorded date that begins on a day, in its precision, or else the day."""
    return next((one for one in recorded if one and one.first == day), PartialDate(str(day)))


def _last_of(day: date, recorded: PartialDate | None) -> str:
    """Return the phrase for a last day, or for the month or year that is recorded for it."""
    last = recorded if recorded and recorded.last == day else PartialDate(str(day))
    return f"its last {last.precision.value} is {date_phrase(last)}"


def _names(of: Transition) -> set[str]:
    """Return the names of the changed fields."""
    return {change.path[-1] for change in of.fields}


def successor_of(of: Transition) -> str | None:
    """Return the key of the control that continues the clause of a transition."""
    clause = clause_of(of.after, of.part[1]) if of.part else None
    return clause.continued_in if clause else None


def _into(clause: ClauseState, title: str | None) -> str:
    into = f"“{title}”" if title else clause.continued_in
    return f", continued in {into}" if into else ""


def _of_member(of: Transition, after: AllianceState, place: str) -> str:
    day = date_phrase(of.day)
    role = next((member.role for member in after.members if member.place == place), None)
    if of.kind is TransitionKind.MEMBER_JOINS:
        return f"joins {after.name} on {day}"
    if role is None:
        return f"leaves {after.name} on {day}"
    return f"takes part in {after.name} as {word_phrase(role)} from {day} on"


def _fields(of: Transition) -> str:
    """Return the changed fields as words."""
    names = (change.path[-1] for change in of.fields)
    return listed(map(field_phrase, names))
