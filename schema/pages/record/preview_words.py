"""Values of the API as a preview tells them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from schema.pages.charts.status_bars import (
    RowOfPeriods,
    StatusTable,
    Track,
    draw_status_table,
    periods_of,
)
from schema.pages.forms.fields import label_of
from schema.pages.site.words import written_day

SIDES = (("before", "Now"), ("after", "Then"))
DAY = re.compile(r"\d{4}-\d\d-\d\d")
WORD = re.compile(r"[a-z]+(_[a-z]+)+")
"""A word of the domain, such as `in_force`."""


EVIDENCE = frozenset({"eventId", "position"})
"""Fields of a state that name the event behind it."""


def meaningful_fields(change: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The fields of a change that say something, beside the events that they rest on."""
    return [of for of in change["fields"] if not of["path"] or of["path"][-1] not in EVIDENCE]


def status_table(changes: Sequence[Mapping[str, Any]], day: date) -> StatusTable:
    """The statuses of clauses over time, for each as they are told now and as they would be."""
    rows = [
        RowOfPeriods(
            label=words,
            tracks=[Track(change["measure"], periods_of(change[side]))],
            group=f"{change['entity'].partition('/')[2]}, clause {change['clause']}",
        )
        for change in changes
        for side, words in SIDES
    ]
    return draw_status_table(rows, day)


PARTS = {"clauses": "Clause", "members": "Member", "claims": "Claim"}
"""What an item of a list of a state is called."""


def path_in_words(path: Sequence[str]) -> str:
    """The path of a field in a state, in words: `Clause 1: suspended until`."""
    if len(path) > 1 and path[0] in PARTS:
        inner = [label_of(name).lower() for name in path[2:]]
        return f"{PARTS[path[0]]} {path[1]}" + (f": {', '.join(inner)}" if inner else "")
    return ", ".join(map(label_of, path)) or "All of it"


def written(value: Any) -> Any:
    """A value without what is empty, with the names of its parts in words: text, lists, and pairs of a
    name and a value."""
    match value:
        case bool():
            return "yes" if value else "no"
        case dict():
            return {label_of(name): written(of) for name, of in value.items() if _says(of)}
        case list():
            return [written(of) for of in value if _says(of)]
        case str() if DAY.fullmatch(value):
            return written_day(value)
        case str() if WORD.fullmatch(value):
            return value.replace("_", " ")
    return "" if value is None else str(value)


def _says(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_says, value.values()))
    return value not in (None, "", [])
