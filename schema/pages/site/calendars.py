"""Days to come as iCalendar (RFC 5545)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from icalendar import Calendar, Event

from schema.pages.site.words import entity_path

PRODUCT_ID = "-//Critical-minerals policy tracker//EN"


def calendar(moment: Mapping[str, Any], title: str, origin: str) -> bytes:
    """The days to come after the day of the moment, each a whole day."""
    made = Calendar()
    made.add("prodid", PRODUCT_ID)
    made.add("version", "2.0")
    made.add("x-wr-calname", title)
    known = moment["knownAt"]
    stamp = (
        datetime.fromisoformat(known).astimezone(UTC) if known else datetime(1970, 1, 1, tzinfo=UTC)
    )
    for node in reversed(moment["transitions"]["nodes"]):
        if node["day"] > moment["validAt"]:
            made.add_component(_day_to_come(node, stamp, origin))
    return bytes(made.to_ical())


def _day_to_come(node: Mapping[str, Any], stamp: datetime, origin: str) -> Event:
    day = date.fromisoformat(node["day"])
    one = Event()
    what = (node["entity"], node["transition"], node["clause"], node["member"], node["day"])
    one.add("uid", f"{hashlib.blake2b(repr(what).encode(), digest_size=16).hexdigest()}@tracker")
    one.add("dtstamp", stamp)
    one.add("dtstart", day)
    one.add("dtend", day + timedelta(days=1))
    one.add("summary", node["summary"])
    path = entity_path(node["entity"]) or f"/events/{node['because']['position']}"
    one.add("url", f"{origin}{path}")
    return one
