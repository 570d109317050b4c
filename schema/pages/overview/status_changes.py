"""Status changes by date: one line for all clauses of an instrument with the same change. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from msgspec import Struct

from schema.pages.site.address import entity_path
from schema.pages.site.name_fields import name_of
from tracker.domain.basics.control_vocabulary import ClauseStatus, Measure
from tracker.domain.basics.word import Hue, Shape
from tracker.domain.wording.phrases import many, word_phrase

MAX_LINES_OF_A_DAY = 5
"""Maximum number of lines of a date; the page of changes has all."""
TERMS = "TERMS"
"""Basis of a change by the terms of an older act, without a later act that names the date."""

VERBS = {
    "APPEARS": ("announced", "is announced", "are announced"),
    "IN_FORCE": ("starts", "enters into force", "enter into force"),
    "SUSPENDED": ("suspended", "is suspended", "are suspended"),
    "RETURNS": ("returns", "returns", "return"),
    "STATED_END": (
        "suspension ends as stated",
        "is no longer suspended, as a government stated",
        "are no longer suspended, as a government stated",
    ),
    "EXPIRES": ("expires", "expires", "expire"),
    "REPEALED": ("repealed", "is repealed", "are repealed"),
    "DISCONTINUED": ("discontinued", "is discontinued", "are discontinued"),
    "AMENDED": ("reworded", "is reworded", "are reworded"),
    "MEMBER_JOINS": ("joins", "joins", "join"),
    "MEMBER_LEAVES": ("leaves", "leaves", "leave"),
    "CHANGES": ("changes", "changes", "change"),
}
"""Words by the kind of transition: in a list, and in a sentence in singular and plural."""
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
"""Status whose shape marks a kind of transition; all others have the shape of applicable clauses."""


class ChangeLine(Struct, frozen=True):
    """Clauses of an instrument, or another entity, with the same change on a date."""

    day: str
    transition: str
    style: Shape
    hue: Hue
    title: str
    path: str | None
    issuer: str | None
    clauses: int
    detail: str
    """Statuses before and after, and the number of clauses, as far as there are any."""
    on_terms: bool
    """Whether it follows from the terms of an older act, without a later act that names the date."""
    confirmation: str
    """Confirmation of the new status, as in the API."""

    @property
    def verb(self) -> str:
        """Return the words for the change."""
        return VERBS[self.transition][0]


class DayOfChanges(Struct, frozen=True):
    """A date with its changes; `more` lines are left out."""

    day: str
    lines: Sequence[ChangeLine]
    more: int


def newest_days(horizon: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the dates of the newest known facts, by issuer."""
    return {one["issuer"]: one["newestFactOn"] for one in horizon if one["newestFactOn"]}


def change_lines(transitions: Iterable[Mapping[str, Any]]) -> list[ChangeLine]:
    """Return the transitions as lines, in order."""
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for one in transitions:
        groups.setdefault(_line_of(one), []).append(one)
    return [_change_line(ones) for ones in groups.values()]


def days_of_changes(changes: Iterable[ChangeLine]) -> list[DayOfChanges]:
    """Group lines by their dates, which are in order."""
    days = []
    for day, lines in groupby(changes, key=lambda line: line.day):
        of_day = list(lines)
        shown = of_day[:MAX_LINES_OF_A_DAY]
        days.append(DayOfChanges(day, shown, len(of_day) - len(shown)))
    return days


def _line_of(one: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the key of the transitions of one line."""
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


def _change_line(ones: Sequence[Mapping[str, Any]]) -> ChangeLine:
    first = ones[0]
    issuer = first["after"].get("issuer")
    return ChangeLine(
        day=first["day"],
        transition=first["transition"],
        style=ClauseStatus[STATUS_AFTER.get(first["transition"], "IN_FORCE")].shape,
        hue=_hue(first),
        title=first["after"].get("title") or first["after"].get("name") or first["summary"],
        path=entity_path(first["entity"]),
        issuer=issuer["name"] if issuer else None,
        clauses=len({one["clause"] for one in ones if one["clause"]}),
        detail=_detail(ones),
        on_terms=first["basis"] == TERMS,
        confirmation=first["confirmation"] or "CONFIRMED",
    )


def _hue(one: Mapping[str, Any]) -> Hue:
    """Return the hue of the measure of the clause."""
    measures = {of["key"]: of["measure"] for of in one["after"].get("clauses", ())}
    measure = measures.get(one["clause"])
    return Measure[measure].hue if measure else Hue.OTHER


def _statuses(one: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the status before and after, if the status of a clause changes."""
    for field in one["fields"]:
        if field["path"][-1:] == ["status"] and field["before"] and field["after"]:
            return word_phrase(str(field["before"])), word_phrase(str(field["after"]))
    return ()


def _detail(ones: Sequence[Mapping[str, Any]]) -> str:
    statuses = " → ".join(_statuses(ones[0]))
    clauses = len({one["clause"] for one in ones if one["clause"]})
    member = name_of(ones[0]["member"] or "")
    return ", ".join(filter(None, (member, statuses, many(clauses, "clause") if clauses else "")))
