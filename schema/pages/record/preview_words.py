"""Values of the API for readers, in a preview and in a proposal. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from schema.pages.charts import status_bars
from schema.pages.forms.fields import label_of
from tracker.domain.wording.phrases import short_date, word_phrase

SIDES = (("before", "Before"), ("after", "After"))
DAY = re.compile(r"\d{4}-\d\d-\d\d")
WORD = re.compile(r"[a-z]+(_[a-z]+)+")
"""A word of the domain, such as `in_force`."""


EVIDENCE = frozenset({"eventId", "position"})
"""Fields of a state that name the event behind it."""


def meaningful_fields(change: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the fields of a change, without references to events."""
    return [of for of in change["fields"] if not of["path"] or of["path"][-1] not in EVIDENCE]


def status_table(changes: Sequence[Mapping[str, Any]], day: date) -> status_bars.StatusTable:
    """Draw the statuses of clauses over time, before and after the change."""
    rows = [
        status_bars.RowOfPeriods(
            label=words,
            tracks=[status_bars.Track(change["measure"], status_bars.periods_of(change[side]))],
            group=f"{change['entity'].partition('/')[2]}, clause {change['clause']}",
        )
        for change in changes
        for side, words in SIDES
    ]
    return status_bars.draw_status_table(rows, day)


PARTS = {"clauses": "Clause", "members": "Member", "claims": "Claim"}
"""Names of items of lists of a state."""


def path_in_words(path: Sequence[str]) -> str:
    """Return the path of a field in words: `Clause 1: suspended until`."""
    if len(path) > 1 and path[0] in PARTS:
        inner = [label_of(name).lower() for name in path[2:]]
        return f"{PARTS[path[0]]} {path[1]}" + (f": {', '.join(inner)}" if inner else "")
    return ", ".join(map(label_of, path)) or "Everything"


def written(value: Any) -> Any:
    """Return a value without empty parts, as text, lists and mappings with labels as names."""
    match value:
        case bool():
            return "yes" if value else "no"
        case dict():
            return {label_of(name): written(of) for name, of in value.items() if _says(of)}
        case list():
            return [written(of) for of in value if _says(of)]
        case str() if DAY.fullmatch(value):
            return short_date(value)
        case str() if WORD.fullmatch(value):
            return word_phrase(value)
    return "" if value is None else str(value)


def _says(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_says, value.values()))
    return value not in (None, "", [])
