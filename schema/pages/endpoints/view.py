"""What the pages of endpoints say of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schema.pages.site.words import listed, many

SECONDS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
"""Units of time with their seconds."""
FILTERS = (("types", "of the types "), ("commodities", "about "), ("places", "of "))
MAX_WORDS_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Standing:
    """How an endpoint stands, in words."""

    word: str
    about: str
    troubled: bool = False
    """Whether somebody should look."""


def standing(endpoint: Mapping[str, Any]) -> Standing:
    """How an endpoint stands."""
    failure, waiting = endpoint["failure"], endpoint["lag"]["events"]
    if endpoint["state"] == "DISABLED":
        return Standing("disabled", "The receiver answered 410. It keeps its place.", True)
    if endpoint["state"] == "PAUSED":
        return Standing("paused", "Somebody stopped it. It keeps its place.")
    if failure:
        times = many(failure["failures"], "time")
        return Standing("failing", f"The next delivery has failed {times}.", True)
    if waiting:
        return Standing("delivering", f"{many(waiting, 'event')} waiting.")
    return Standing("up to date", "Nothing waits.")


def lag_text(lag: Mapping[str, Any]) -> str:
    """How far behind the log it is: `12 events, the oldest for 3 minutes`."""
    if not lag["events"]:
        return "nothing waits"
    return f"{many(lag['events'], 'event')}, the oldest for {duration(lag['seconds'])}"


def duration(seconds: float) -> str:
    """A time in its largest unit: `3 hours`."""
    for unit, length in SECONDS:
        if seconds >= length:
            return many(int(seconds // length), unit)
    return many(int(seconds), "second")


def filter_text(endpoint: Mapping[str, Any]) -> str:
    """Which events it is for."""
    parts = [
        f"{words}{listed(endpoint[name], MAX_WORDS_SHOWN)}"
        for name, words in FILTERS
        if endpoint[name] is not None
    ]
    if endpoint["entity"]:
        parts.append(f"of the entity {endpoint['entity']}")
    return ", ".join(parts) or "all events"
