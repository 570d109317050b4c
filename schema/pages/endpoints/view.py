"""Words for the state of an endpoint. Pure."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tracker.domain.wording.phrases import listed, many

SECONDS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
"""Units of time with their seconds."""
FILTERS = (("types", "of the types "), ("commodities", "about "), ("places", "of "))
FORMATS = {
    "EVENTS": "CloudEvents",
    "SLACK": "messages for Slack or a compatible program",
    "TEAMS": "messages for Microsoft Teams",
}
MAX_WORDS_SHOWN = 6


class StateWords(Struct, frozen=True):
    """The state of an endpoint in words."""

    word: str
    about: str
    troubled: bool = False
    """Whether a person should check it."""


def state_words(endpoint: Mapping[str, Any]) -> StateWords:
    """Return the state of an endpoint."""
    failure, waiting = endpoint["failure"], endpoint["lag"]["events"]
    if endpoint["state"] == "DISABLED":
        return StateWords("disabled", "The receiver responded 410. The cursor stays.", True)
    if endpoint["state"] == "PAUSED":
        return StateWords("paused", "A person stopped it. The cursor stays.")
    if failure:
        times = many(failure["failures"], "time")
        return StateWords("failing", f"The next delivery has failed {times}.", True)
    if waiting:
        return StateWords("delivering", f"{many(waiting, 'event')} waiting.")
    return StateWords("up to date", "No event is waiting.")


def format_text(endpoint: Mapping[str, Any]) -> str:
    """Return the format of deliveries."""
    return FORMATS[endpoint["format"]]


def lag_text(lag: Mapping[str, Any]) -> str:
    """Return the events that wait: `12 events, the oldest for 3 minutes`."""
    if not lag["events"]:
        return "no event"
    return f"{many(lag['events'], 'event')}, the oldest for {duration(lag['seconds'])}"


def duration(seconds: float) -> str:
    """Return a duration in its largest unit: `3 hours`."""
    for unit, length in SECONDS:
        if seconds >= length:
            return many(int(seconds // length), unit)
    return many(int(seconds), "second")


def filter_text(endpoint: Mapping[str, Any]) -> str:
    """Return the filter of an endpoint."""
    parts = [
        f"{words}{listed(endpoint[name], MAX_WORDS_SHOWN)}"
        for name, words in FILTERS
        if endpoint[name] is not None
    ]
    if endpoint["entity"]:
        parts.append(f"of the entity {endpoint['entity']}")
    return ", ".join(parts) or "all events"
