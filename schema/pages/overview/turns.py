"""What turns on days, for people: one line for all clauses of an instrument that turn alike. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from schema.pages.charts.status_marks import HUES, LOOKS, Hue, Look
from schema.pages.site.name_fields import name_of
from schema.pages.site.words import entity_path, many, words

MAX_TURNS_OF_A_DAY = 5
"""Lines of a day that are shown; the page of changes has all."""
TERMS = "TERMS"
"""The basis of what turns by the terms of an older act, with no later one that names the day."""

VERBS = {
    "APPEARS": ("announced", "is announced", "are announced"),
    "IN_FORCE": ("starts", "enters into force", "enter into force"),
    "SUSPENDED": ("suspended", "is suspended", "are suspended"),
    "RETURNS": ("returns", "returns", "return"),
    "STATED_END": (
        "suspension ends as stated",
        "is suspended no more, as a government stated",
        "are suspended no more, as a government stated",
    ),
    "EXPIRES": ("expires", "expires", "expire"),
    "REPEALED": ("repealed", "is repealed", "are repealed"),
    "DISCONTINUED": ("discontinued", "is discontinued", "are discontinued"),
    "AMENDED": ("reworded", "is reworded", "are reworded"),
    "MEMBER_JOINS": ("joins", "joins", "join"),
    "MEMBER_LEAVES": ("leaves", "leaves", "leave"),
    "CHANGES": ("changes", "changes", "change"),
}
"""By the kind of transition what it is: in a list, and in a sentence of one thing and of several."""
STATUS_AFTER = {
    "APPEARS": "ANNOUNCED",
    "IN_FORCE": "IN_FORCE",
    "SUSPENDED": "SUSPENDED",
    "RETURNS": "IN_FORCE",
    "STATED_END": "IN_FORCE",
    "EXPIRES": "EXPIRED",
    "REPEALED": "REPEALED",
    "DISCONTINUED": "WITHDRAWN",
}
"""By the kind of transition, the status whose shape marks it; all others have that of what applies."""


@dataclass(frozen=True, slots=True)
class TurnLine:
    """Clauses of an instrument, or another entity, that turn alike on a day."""

    day: str
    transition: str
    look: Look
    hue: Hue
    title: str
    path: str | None
    issuer: str | None
    clauses: int
    what: str
    """From which status to which they turn, and how many clauses do, as far as there are any."""
    on_terms: bool
    """It turns by the terms of an older act, and no later one names the day."""
    confirmation: str
    """The confirmation of the new status, in a word of the API."""

    @property
    def verb(self) -> str:
        """What it does."""
        return VERBS[self.transition][0]


@dataclass(frozen=True, slots=True)
class DayOfTurns:
    """A day, and what turns on it; `more` lines are left out."""

    day: str
    turns: Sequence[TurnLine]
    more: int


def newest_days(horizon: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The days of the newest facts that are known, by issuer."""
    return {one["issuer"]: one["newestFactOn"] for one in horizon if one["newestFactOn"]}


def turns(transitions: Iterable[Mapping[str, Any]]) -> list[TurnLine]:
    """The transitions as lines, in their order."""
    found: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for one in transitions:
        found.setdefault(_line_of(one), []).append(one)
    return [_turn(ones) for ones in found.values()]


def days_of_turns(found: Iterable[TurnLine]) -> list[DayOfTurns]:
    """Lines by their days, which are in order."""
    days = []
    for day, lines in groupby(found, key=lambda turn: turn.day):
        of_day = list(lines)
        shown = of_day[:MAX_TURNS_OF_A_DAY]
        days.append(DayOfTurns(day, shown, len(of_day) - len(shown)))
    return days


def _line_of(one: Mapping[str, Any]) -> tuple[str, ...]:
    """What the transitions of one line have in common."""
    return (
        one["day"],
        one["entity"],
        one["transition"],
        _hue(one),
        one["basis"],
        one["confirmation"] or "",
        *_statuses(one),
        one["member"] or "",
    )


def _turn(ones: Sequence[Mapping[str, Any]]) -> TurnLine:
    first = ones[0]
    issuer = first["after"].get("issuer")
    return TurnLine(
        day=first["day"],
        transition=first["transition"],
        look=LOOKS[STATUS_AFTER.get(first["transition"], "IN_FORCE")].look,
        hue=_hue(first),
        title=first["after"].get("title") or first["after"].get("name") or first["summary"],
        path=entity_path(first["entity"]),
        issuer=issuer["name"] if issuer else None,
        clauses=len({one["clause"] for one in ones if one["clause"]}),
        what=_what(ones),
        on_terms=first["basis"] == TERMS,
        confirmation=first["confirmation"] or "CONFIRMED",
    )


def _hue(one: Mapping[str, Any]) -> Hue:
    """The hue of the measure of the clause that turns."""
    measures = {of["key"]: of["measure"] for of in one["after"].get("clauses", ())}
    return HUES.get(measures.get(one["clause"], ""), Hue.OTHER)


def _statuses(one: Mapping[str, Any]) -> tuple[str, ...]:
    """The status before and after, where a clause has another one."""
    for field in one["fields"]:
        if field["path"][-1:] == ["status"] and field["before"] and field["after"]:
            return words(str(field["before"])), words(str(field["after"]))
    return ()


def _what(ones: Sequence[Mapping[str, Any]]) -> str:
    statuses = " → ".join(_statuses(ones[0]))
    clauses = len({one["clause"] for one in ones if one["clause"]})
    member = name_of(ones[0]["member"] or "")
    return ", ".join(filter(None, (member, statuses, many(clauses, "clause") if clauses else "")))
