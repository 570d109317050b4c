"""The status of an instrument on a date in a sentence, with its next change. Pure.

A sentence contains the statuses of the API and nothing else.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from msgspec import Struct

from schema.pages.charts.status_bars import Period, periods_of
from schema.pages.controls.rule_words import MAX_GOODS, measure_nouns, rule, subject
from tracker.domain.basics.control_vocabulary import ClauseStatus, Measure
from tracker.domain.wording.phrases import in_running_text, listed, many, short_date, with_capital

SUPPORT = {
    "CONFIRMED": "",
    "AS_RECORDED": ", as recorded",
    "BY_TERMS": " by {} own terms (not confirmed)",
    "CONTRADICTED": " by {} own terms, which a statement contradicts",
}
"""Words for the confirmation of a status, after those of the status."""
NEXT = {
    ("SUSPENDED", "IN_FORCE"): ("returns", "return"),
    ("ANNOUNCED", "IN_FORCE"): ("takes effect", "take effect"),
    ("IN_FORCE", "EXPIRED"): ("expires", "expire"),
    ("IN_FORCE", "SUSPENDED"): ("is suspended", "are suspended"),
    ("IN_FORCE", "REPEALED"): ("is repealed", "are repealed"),
    ("SUSPENDED", "REPEALED"): ("is repealed", "are repealed"),
    ("SUSPENDED", "EXPIRED"): ("expires", "expire"),
    ("ANNOUNCED", "SUSPENDED"): ("is suspended", "are suspended"),
    ("ANNOUNCED", "REPEALED"): ("is repealed", "are repealed"),
}
"""Verbs for a change from one status to another, for one clause and for several."""


def heading(control: Mapping[str, Any], day: date) -> str:
    """Return the status of an instrument, and its next change."""
    clauses = control["clauses"]
    if not clauses:
        return str(control["title"])
    groups = _by_state(clauses, day)
    if len(groups) == 1:
        ((status, support, following, _),) = groups
        measures = len(measure_nouns(clauses))
        then = _next_phrase(status, following, measures, ", and ")
        support = support.format("its" if measures == 1 else "their")
        verb = f"{_verb(status, measures)} {ClauseStatus[status].phrase}"
        if status == "CONCLUDED" and any(one["measure"] != "INVESTIGATION" for one in clauses):
            verb = "does not apply: its investigation is concluded"
        return f"{subject(control)} {verb}{support}{then}"
    parts: list[str] = []
    for status, support, following, count in groups:
        number = many(count, "clause") if not parts else f"{count}"
        then = _next_phrase(status, following, count, ", which ")
        support = support.format("its" if count == 1 else "their")
        parts.append(f"{number} {ClauseStatus[status].phrase}{support}{then}")
    return f"{subject(control)}: {'; '.join(parts)}"


def _by_state(
    clauses: Sequence[Mapping[str, Any]], day: date
) -> list[tuple[str, str, Period | None, int]]:
    """Return the statuses with their confirmation in words, the next status and the number of clauses.

    Clauses in force are first, ended ones last.
    """
    counts: Counter[tuple[str, str, Period | None]] = Counter()
    for clause in clauses:
        following = next_period(periods_of(clause["statuses"]), day)
        counts[clause["status"], SUPPORT[clause["confirmation"]], following] += 1
    return [
        (*group, count)
        for group, count in sorted(
            counts.items(),
            key=lambda item: (
                ClauseStatus[item[0][0]].rank,
                item[0][2].first if item[0][2] else date.max,
            ),
        )
    ]


def next_period(periods: Sequence[Period], day: date) -> Period | None:
    """Return the period after that of a date; None if none is known."""
    following = next((period for period in periods if period.first > day), None)
    return None if following is None else Period(following.status, following.first, None)


def _next_phrase(status: str, following: Period | None, count: int, joint: str) -> str:
    """Return the next change: `, and returns on 28 Nov 2026`, `, and expires after 31 Dec 2026`."""
    verbs = NEXT.get((status, following.status)) if following else None
    if following is None or verbs is None:
        return ""
    verb = verbs[0] if count == 1 else verbs[1]
    if following.status == "EXPIRED":
        return f"{joint}{verb} after {short_date(following.first - timedelta(days=1))}"
    return f"{joint}{verb} on {short_date(following.first)}"


def _verb(status: str, count: int) -> str:
    """Return the verb before the word of a status."""
    verb = ClauseStatus[status].verb
    return verb if count == 1 else {"is": "are", "has": "have"}[verb]


class Lead(Struct, frozen=True):
    """A sentence on clauses with the same status, and the strictest of them."""

    text: str
    clause: Mapping[str, Any]


def leads(control: Mapping[str, Any], day: date) -> list[Lead]:
    """Return a sentence for each group of clauses with the same status: the clauses, start and end."""
    grouped: dict[tuple[Period, Period | None, str], list[Mapping[str, Any]]] = {}
    for clause in control["clauses"]:
        periods = periods_of(clause["statuses"])
        current = next((period for period in periods if period.covers(day)), None)
        if current is not None:
            bare = Period(current.status, current.first, current.last)
            due = clause["decisionDue"]
            plain = clause["confirmation"] == "CONFIRMED" and not (due and due < day.isoformat())
            statement = "" if plain else clause["statusStatement"]
            state = (bare, next_period(periods, day), statement)
            grouped.setdefault(state, []).append(clause)
    rules = {
        state: with_capital(rule(control, alike, _goods(alike))) for state, alike in grouped.items()
    }
    varied = Counter(goods for goods, _ in {(_goods(grouped[at]), rules[at]) for at in grouped})
    return [
        Lead(
            f"{rules[state] if varied[_goods(alike)] > 1 else _clauses(alike)}:"
            f" {_of_several(statement, alike) or _lead(current, following, len(alike))}",
            min(alike, key=lambda clause: Measure[clause["measure"]].rank),
        )
        for state, alike in sorted(
            grouped.items(),
            key=lambda item: (ClauseStatus[item[0][0].status].rank, item[0][0].first),
        )
        for current, following, statement in [state]
    ]


def _of_several(statement: str, clauses: Sequence[Mapping[str, Any]]) -> str:
    """Return the statement on the status of each of some clauses as one on all of them."""
    if len(clauses) == 1:
        return statement
    return statement.replace("by its own terms", "by their own terms").replace(
        "names it", "names them"
    )


def _clauses(clauses: Sequence[Mapping[str, Any]]) -> str:
    """Return clauses by their goods: `The clause on gallium`, `7 clauses on gallium, germanium and 2
    more`."""
    goods = _goods(clauses)
    noun = "The clause" if len(clauses) == 1 else many(len(clauses), "clause")
    return f"{noun} on {goods}" if goods else noun


def _goods(clauses: Sequence[Mapping[str, Any]]) -> str:
    names = [good["name"] for clause in clauses for good in clause["commodities"]]
    return listed(map(in_running_text, names), MAX_GOODS)


def _lead(current: Period, following: Period | None, count: int) -> str:
    """Return the status with its first or last day, and the next change."""
    if current.status == "EXPIRED":
        return f"Expired, with {short_date(current.first - timedelta(days=1))} as the last day."
    since = f"since {short_date(current.first)}"
    then = _next_phrase(current.status, following, count, ", and ")
    if current.status == "SUSPENDED":
        since = f"until {short_date(current.last)}" if current.last else "until further notice"
    return f"{with_capital(current.word)} {since}{then}."
