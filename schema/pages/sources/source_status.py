"""State of a watched source in sentences, as of the date of a page. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from schema.pages.site.watch_words import days_late
from tracker.domain.wording.phrases import many, short_date


def status_sentence(source: Mapping[str, Any], day: date) -> str:
    """Return whether it is polled on schedule as of a date, in a sentence."""
    if source["unwatchedOn"]:
        return f"No longer watched: {source['unwatchedBecause']}"
    if source["failingSince"]:
        return f"Not readable since {short_date(source['failingSince'])}{why(source)}"
    if not source["lastLookedAt"]:
        return "Never read yet"
    if late := days_late(source["nextLookExpectedAt"], day):
        return f"Overdue: a poll was due {many(late, 'day')} before this date"
    return "Read on schedule"


def is_behind(source: Mapping[str, Any], day: date) -> bool:
    """Return whether its data are older on a date than its schedule allows."""
    if source["unwatchedOn"]:
        return False
    return bool(source["failingSince"]) or bool(days_late(source["nextLookExpectedAt"], day))


def why(source: Mapping[str, Any]) -> str:
    """Return the code of its last failure, in brackets."""
    failure = source["lastFailure"]
    return f" ({failure['code']})" if failure else ""


def rhythm(hours: float) -> str:
    """Return its polling interval."""
    if hours == 1:
        return "every hour"
    if hours == 24:
        return "every day"
    return f"every {hours / 24:g} days" if hours % 24 == 0 else f"every {hours:g} hours"
