"""Formats of values on pages. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from markupsafe import Markup

from tracker.domain.wording.phrases import word_phrase

NBSP = "\N{NO-BREAK SPACE}"
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
PATHS = {
    "alliance": "alliances",
    "announcement": "announcements",
    "export-control": "controls",
    "figure": "figures",
    "source": "sources",
}
"""Paths of the pages of entities, by kind."""


def written_day(day: str) -> str:
    """Return a day, month or year in words: `27 Nov 2026`, `Nov 2026`, `2026`."""
    parts = day[:10].split("-")
    words = [parts[0]]
    if len(parts) > 1:
        words.insert(0, MONTHS[int(parts[1]) - 1])
    if len(parts) > 2:
        words.insert(0, str(int(parts[2])))
    return NBSP.join(words)


def day(value: str | None, missing: str = "") -> Markup | str:
    """Return a date as a `<time>`; `missing` without one."""
    if not value:
        return missing
    return Markup('<time datetime="{}">{}</time>').format(value[:10], written_day(value))


def moment(value: str | None, missing: str = "") -> Markup | str:
    """Return a time to the minute, in UTC, as a `<time>`."""
    if not value:
        return missing
    written = f"{written_day(value)}, {value[11:16]}{NBSP}UTC"
    return Markup('<time datetime="{}">{}</time>').format(value, written)


def doubt(source: Mapping[str, Any]) -> str:
    """Return a remark on a source that was not verified, or that lacks some fields of its fact."""
    if not source["verified"]:
        return " (not verified)"
    lacks = ", ".join(source["unsupported"])
    return f" (not in the cited text: {lacks})" if lacks else ""


def publisher_of(source: Mapping[str, Any]) -> str:
    """Return the name of the publisher; its code if it has no name."""
    return str(source["publisherName"] or source["publisher"])


def number(value: object, missing: str = "") -> str:
    """Return a number with commas between thousands, with all of its digits.

    Large counts of the API are floats, because they may exceed an Int; they are written as integers.
    """
    if value is None:
        return missing
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        return f"{Decimal(str(value)):,f}"
    except InvalidOperation:
        return str(value)


def percent(share: object, digits: int = 1, missing: str = "") -> str:
    """Return a share of one in percent."""
    if share is None:
        return missing
    return f"{Decimal(str(share)) * 100:.{digits}f}{NBSP}%"


def words(value: str | None) -> str:
    """Return a word of the API as text: `IN_FORCE` is `in force`."""
    return word_phrase(value or "")


def sentence(value: str) -> str:
    """Return a text with a capital first letter."""
    return value[:1].upper() + value[1:]


def many(count: int, one: str, several: str | None = None) -> str:
    """Return a number and its noun: `1 clause`, `1,200 clauses`."""
    return f"{count:,}{NBSP}{one if count == 1 else several or one + 's'}"


def listed(items: list[str], most: int = 4) -> str:
    """Return items in a sentence: `gallium, germanium and 3 more`."""
    shown = items if len(items) <= most + 1 else [*items[:most], f"{len(items) - most} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def days_between(start: str, end: str) -> int:
    """Return the number of days between two dates."""
    return (date.fromisoformat(end) - date.fromisoformat(start)).days


def in_days(day: str, since: str) -> str:
    """Return the time between two dates: `in 3 days`, `today`, `2 days ago`."""
    count = days_between(since, day)
    if count == 0:
        return "the same day"
    return f"in {many(count, 'day')}" if count > 0 else f"{many(-count, 'day')} ago"


def entity_path(entity: str) -> str | None:
    """Return the page of an entity by its name in the log (`alliance/quad`); None if it has none."""
    kind, _, key = entity.partition("/")
    return f"/{PATHS[kind]}/{key}" if kind in PATHS else None
