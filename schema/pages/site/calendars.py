"""Upcoming dates as iCalendar (RFC 5545, with the hints of RFC 7986). Pure.

An event keeps its UID if its date changes: it moves in calendars, with a higher SEQUENCE. A withdrawn one
is cancelled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from schema.pages.site.address import Address, entity_path
from schema.pages.site.feeds import feed_title
from schema.pages.site.words import doubt
from tracker.domain.wording.phrases import listed, short_date

if TYPE_CHECKING:
    from icalendar import Event

PRODUCT_ID = "-//Critical-minerals policy tracker//EN"
REFRESHED_AFTER = timedelta(hours=6)
"""Interval after which a calendar should poll again; it gets 304 without changes."""
DAY = timedelta(days=1)
UNSUPPORTED = {
    "BY_TERMS": "Not confirmed: it follows from the dates of an act.",
    "CONTRADICTED": "Not confirmed: a recorded statement says that the suspension continues.",
}
"""Sentences for statuses that are not confirmed, by confirmation."""


def calendar(days: Sequence[Mapping[str, Any]], address: Address, origin: str) -> bytes:
    """Return the announced transitions, each a whole day."""
    from icalendar import Calendar, vDuration  # here, as it would delay every start

    title = feed_title(address)
    made = Calendar()
    made.add("prodid", PRODUCT_ID)
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("name", title)
    made.add("x-wr-calname", title)
    made.add("refresh-interval", REFRESHED_AFTER, {"VALUE": "DURATION"})
    made.add("x-published-ttl", vDuration(REFRESHED_AFTER))
    made.add("source", f"{origin}{address.as_form('ics')}", {"VALUE": "URI"})
    made.add("url", f"{origin}{address}")
    for node in days:
        made.add_component(calendar_event(node, origin))
    return bytes(made.to_ical())


def calendar_event(node: Mapping[str, Any], origin: str) -> Event:
    """Return one event of the calendar."""
    from icalendar import Event

    day, days, transition = date.fromisoformat(node["day"]), node["days"], node["transition"]
    one, changed = Event(), datetime.fromisoformat(node["changedAt"])
    one.add("uid", f"{node['key']}@tracker")
    one.add("dtstamp", changed)
    one.add("created", datetime.fromisoformat(days[0]["recordedAt"]))
    one.add("last-modified", changed)
    one.add("sequence", len(days) - 1)
    one.add("dtstart", day)
    one.add("dtend", day + DAY)
    one.add("transp", "TRANSPARENT")
    one.add(
        "summary",
        f"Withdrawn: {transition['summary']}" if node["withdrawn"] else transition["summary"],
    )
    if node["withdrawn"]:
        one.add("status", "CANCELLED")
    elif transition["confirmation"] in UNSUPPORTED:
        one.add("status", "TENTATIVE")
    one.add("description", description(node))
    path = entity_path(transition["entity"]) or f"/events/{transition['because']['position']}"
    one.add("url", f"{origin}{path}")
    return one


def description(node: Mapping[str, Any]) -> str:
    """Return the basis of an event, and its earlier dates."""
    because = node["transition"]["because"]
    source = because["source"]
    parts = [
        f"Source: {source['citation']}, {source['publishedOn']}{doubt(source)}."
        f" Position {because['position']} of the log."
    ]
    if node["transition"]["confirmation"] in UNSUPPORTED:
        parts.append(UNSUPPORTED[node["transition"]["confirmation"]])
    days = node["days"]
    if node["withdrawn"]:
        parts.append(f"Withdrawn by position {days[-1]['position']}.")
    if before := [_day_in_words(each) for each in days[:-1] if each["day"]]:
        parts.append(f"Earlier dates: {listed(before, len(before))}.")
    return " ".join(parts)


def _day_in_words(entry: Mapping[str, Any]) -> str:
    return f"{short_date(entry['day'])} (position {entry['position']})"
