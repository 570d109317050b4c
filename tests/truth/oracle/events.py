"""Effective events at a moment, from their JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

DAY = timedelta(days=1)


def first_day(text: str) -> date:
    """Return the first day of a date, which may be only a year or month."""
    return date.fromisoformat((text + "-01-01")[:10])


def last_day(text: str) -> date:
    """Return the last day of such a date."""
    if len(text) == 10:
        return date.fromisoformat(text)
    year, month = (int(text[:4]), int(text[5:])) if len(text) == 7 else (int(text), 12)
    return date(year + month // 12, month % 12 + 1, 1) - DAY


@dataclass(frozen=True)
class CountingEvent:
    """An effective event: position, subject, and public day."""

    position: int
    id: str
    type: str
    entity: str
    data: dict[str, Any]
    recorded: date
    """Day of its recording."""
    place: int
    """Order among the events of its day: its position, or that of the corrected event."""

    @property
    def day(self) -> date:
        """Return the day from which it is effective."""
        return first_day(self.data.get("on") or self.data["source"]["publishedOn"])


def counting_events(entries: list[dict[str, Any]], position: int) -> list[CountingEvent]:
    """Return the effective events up to a position, in their order of effect."""
    known = [entry for entry in entries if int(entry["position"]) <= position]
    gone: dict[str, dict[str, Any]] = {}
    for entry in reversed(known):
        if entry["type"].endswith(".Retracted") and entry["id"] not in gone:
            gone[entry["data"]["retracts"]] = entry
    places = {entry["id"]: int(entry["position"]) for entry in known}
    for entry in known:
        replacement = entry["type"].endswith(".Retracted") and entry["data"].get("replacement")
        if replacement and replacement in places and entry["data"]["retracts"] in gone:
            places[replacement] = places[entry["data"]["retracts"]]
    found = [
        CountingEvent(
            int(entry["position"]),
            entry["id"],
            entry["type"],
            entry["subject"],
            entry["data"],
            date.fromisoformat(entry["time"][:10]),
            places[entry["id"]],
        )
        for entry in known
        if entry["id"] not in gone and not entry["type"].endswith(".Retracted")
    ]
    return sorted(found, key=lambda one: (one.day, one.place))
