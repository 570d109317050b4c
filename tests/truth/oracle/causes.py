"""Transitions of clauses with their acts, from the states of consecutive days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.truth.oracle.events import DAY, CountingEvent, first_day, last_day
from tests.truth.oracle.law import KIND, Clause, instruments, state_of

TURNS = {
    "in_force": "IN_FORCE",
    "suspended": "SUSPENDED",
    "expired": "EXPIRES",
    "repealed": "REPEALED",
    "withdrawn": "DISCONTINUED",
    "lapsed": "DISCONTINUED",
    "concluded": "DISCONTINUED",
}
NAMED_DAYS = {
    "EnteredIntoForce": ("inForceFrom", ("IN_FORCE", "RETURNS")),
    "Reinstated": ("reinstatedFrom", ("RETURNS",)),
    "Suspended": ("suspendedFrom", ("SUSPENDED",)),
    "Repealed": ("repealedFrom", ("REPEALED",)),
    "Merged": ("mergedFrom", ("REPEALED",)),
    "Discontinued": ("discontinuedFrom", ("DISCONTINUED",)),
}
"""Fields of acts that name the day of a transition."""
Happening = Callable[[list[CountingEvent]], Any]


@dataclass(frozen=True)
class Turn:
    """A transition of a clause, or a new instrument."""

    day: date
    clause: str | None
    transition: str
    because: CountingEvent
    confirmed_by: CountingEvent | None

    @property
    def basis(self) -> str:
        """Return its basis."""
        if self.transition == "STATED_END":
            return "STATEMENT"
        if self.because.day == self.day:
            return "ACT"
        return "CONFIRMED" if self.confirmed_by else "TERMS"

    @property
    def expected(self) -> dict[str, Any]:
        """Return it in the form of a result."""
        return {
            "transition": self.transition,
            "because": self.because.position,
            "announcedOn": str(self.because.day),
            "basis": self.basis,
            "confirmedBy": self.confirmed_by and self.confirmed_by.position,
        }


def turns_of(events: list[CountingEvent], days: list[date]) -> Iterator[Turn]:
    """Yield the transitions of an instrument and its clauses on some days, from its known events."""
    for day in days:
        public = [event for event in events if event.day <= day]
        eve, now = _clauses(public, day - DAY), _clauses(public, day)
        if now is None:
            continue
        if eve is None:
            opening = next(event for event in public if event.type == f"{KIND}Announced")
            yield Turn(day, None, "APPEARS", opening, None)
            continue
        for name in now:
            if turn := _of_clause(events, public, day, name):
                yield turn


def _of_clause(
    events: list[CountingEvent], public: list[CountingEvent], day: date, name: str
) -> Turn | None:
    def happening(known: list[CountingEvent]) -> tuple[str, Any] | None:
        return _happening(day, *(_state(known, on, name) for on in (day - DAY, day)))

    found = happening(public)
    if found is None:
        return None
    because = last_without_which(public, happening)
    confirmed_by = _confirmation(events, because, name, found[0], day)
    return Turn(day, name, found[0], because, confirmed_by)


def _happening(
    day: date, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> tuple[str, Any] | None:
    """Return the transition of a clause, and a value that differs without it."""
    if after is None or before == after:
        return None
    if before is None:
        return "APPEARS", None
    was, status = before["status"], after["status"]
    is_worded_anew = before["wording"] != after["wording"]
    if was != status:
        returns = (was, status) == ("SUSPENDED", "IN_FORCE")
        other = "AMENDED" if is_worded_anew else "CHANGES"
        return "RETURNS" if returns else TURNS.get(status.lower(), other), status
    if is_worded_anew:
        return "AMENDED", _differing(before["wording"], after["wording"])
    stated = before["stated"] if was == "IN_FORCE" else None
    if stated and last_day(stated["suspendedUntil"]) < day:
        return "STATED_END", stated
    return "CHANGES", _differing(before, after)


def _differing(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    names = {**before, **after}
    return {n: (before.get(n), after.get(n)) for n in names if before.get(n) != after.get(n)}


def last_without_which(public: list[CountingEvent], happening: Happening) -> CountingEvent:
    """Return the last event without which a transition would not happen, if nothing later were known."""
    all_of_them = happening(public)
    for count in reversed(range(len(public))):
        if happening(public[:count]) != all_of_them:
            return public[count]
    raise AssertionError


def _confirmation(
    events: list[CountingEvent], because: CountingEvent, name: str, transition: str, day: date
) -> CountingEvent | None:
    """Return the first later act that names the transition on the day."""
    if because.day == day:
        return None
    later = events[events.index(because) + 1 :]
    return next((act for act in later if _says(act, name, transition, day)), None)


def _says(act: CountingEvent, name: str, transition: str, day: date) -> bool:
    kind, told = act.type.removeprefix(KIND), act.data
    if kind == "Amended":
        worded = name in [clause["id"] for clause in told["clauses"]]
        start = told.get("effectiveFrom")
        return worded and transition == "IN_FORCE" and bool(start) and first_day(start) == day
    if told.get("clauses") and name not in told["clauses"]:
        return False
    if kind == "Expired":
        return transition == "EXPIRES" and last_day(told["inForceUntil"]) + DAY == day
    field, transitions = NAMED_DAYS.get(kind, ("", ()))
    is_partial = kind == "Suspended" and told.get("entities")
    return transition in transitions and not is_partial and first_day(told[field]) == day


def _clauses(events: list[CountingEvent], day: date) -> dict[str, Clause] | None:
    found = instruments(events, day)
    return next(iter(found.values())).clauses if found else None


def _state(events: list[CountingEvent], day: date, name: str) -> dict[str, Any] | None:
    clauses = _clauses(events, day) or {}
    if name not in clauses:
        return None
    clause = clauses[name]
    said = {name: value for name, value in clause.wording(day).data.items() if value is not None}
    stated = clause.stated if _is_current(clause.stated, day) else None
    return state_of(clause, day) | {"wording": {"legalStage": "adopted", **said}, "stated": stated}


def _is_current(stated: dict[str, Any] | None, day: date) -> bool:
    return stated is not None and last_day(stated["suspendedUntil"]) >= day


@dataclass(frozen=True)
class Period:
    """A status of a clause from a day on."""

    status: str
    turn: Turn

    @property
    def expected(self) -> dict[str, Any]:
        """Return it in the form of a result."""
        told = {name: value for name, value in self.turn.expected.items() if name != "transition"}
        return {"status": self.status.upper(), "from": str(self.turn.day), **told}


def periods_of(events: list[CountingEvent], days: list[date]) -> dict[str, list[Period]]:
    """Return all status periods of the clauses of an instrument, oldest first."""
    found: dict[str, list[Period]] = {}
    for day in days:
        public = [event for event in events if event.day <= day]
        for name, clause in (_clauses(public, day) or {}).items():
            periods = found.setdefault(name, [])
            status = clause.status(day)
            if not periods or periods[-1].status != status:
                periods.append(Period(status, _turn_to(events, public, day, name, status)))
    return found


def _turn_to(
    events: list[CountingEvent], public: list[CountingEvent], day: date, name: str, status: str
) -> Turn:
    """Return the transition of a clause to a status, with the necessary act."""
    turn = _of_clause(events, public, day, name)
    assert turn
    if turn.transition != "APPEARS":
        return turn

    def happening(known: list[CountingEvent]) -> str | None:
        state = _state(known, day, name)
        return state and state["status"]

    return Turn(day, name, status, last_without_which(public, happening), None)
