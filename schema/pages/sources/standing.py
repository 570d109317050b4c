"""How a watched source stands, in sentences, by the day of a page. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from schema.pages.site.watch_words import days_late
from schema.pages.site.words import many, written_day


def standing(source: Mapping[str, Any], day: date) -> str:
    """Whether it is read as it should be by a day, in a sentence."""
    if source["unwatchedOn"]:
        return f"Not watched any more: {source['unwatchedBecause']}"
    if source["failingSince"]:
        return f"Can't be read since {written_day(source['failingSince'])}{why(source)}"
    if not source["lastLookedAt"]:
        return "Never read yet"
    if late := days_late(source["nextLookExpectedAt"], day):
        return f"Not looked at: a look was due {many(late, 'day')} before this day"
    return "Read as it should be"


def is_behind(source: Mapping[str, Any], day: date) -> bool:
    """Whether what is known of it is older by a day than its rhythm allows."""
    if source["unwatchedOn"]:
        return False
    return bool(source["failingSince"]) or bool(days_late(source["nextLookExpectedAt"], day))


def why(source: Mapping[str, Any]) -> str:
    """The code of its last failure, in brackets."""
    failure = source["lastFailure"]
    return f" ({failure['code']})" if failure else ""


def rhythm(hours: float) -> str:
    """How often it is looked at."""
    if hours == 1:
        return "every hour"
    if hours == 24:
        return "every day"
    return f"every {hours / 24:g} days" if hours % 24 == 0 else f"every {hours:g} hours"
