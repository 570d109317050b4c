"""Feeds of pages: what is new in the log as Atom (RFC 4287), the days to come as iCalendar (RFC 5545).

A feed is in the order of the log, so that a reader who comes back misses nothing, however far back
lies the day of a fact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any

from icalendar import Calendar, Event

from schema.pages.site.address import Address, Made
from schema.pages.site.citation import PRODUCT
from schema.pages.site.fragments import with_fragments
from schema.pages.site.templates import environment
from schema.pages.site.words import entity_path
from tracker.domain.registry import FACTS
from tracker.errors import InvalidInput

FEED_TYPES = {"atom": "application/atom+xml; charset=utf-8", "ics": "text/calendar; charset=utf-8"}
PRODUCT_ID = "-//Critical-minerals policy tracker//EN"


@dataclass(frozen=True, slots=True)
class FeedOfPage:
    """What the feeds of a page are narrowed by. A parameter of the page that is not named here cannot
    narrow them, and is refused: else a feed would tell more than its page."""

    kind: str | None = None
    """Only entities of this kind, as the API names it: `EXPORT_CONTROL`."""
    commodity: str | None = None
    """The name of the parameter that is a commodity."""
    place: str | None = None
    """That which is a place."""
    types: str | None = None
    """That which is types of events; not beside `kind`."""
    search: str | None = None
    """That which is words to search for."""
    entity: Made | None = None
    """From the address to the only entity."""
    calendar: bool = False
    """Whether there are days to come."""
    ignored: frozenset[str] = frozenset({"after", "key"})
    """Parameters that choose no entities, or from which `entity` is made."""

    @property
    def endings(self) -> tuple[str, ...]:
        """The endings at which the page has feeds."""
        return ("atom", "ics") if self.calendar else ("atom",)

    def variables(self, ending: str, address: Address) -> dict[str, Any]:
        """The variables of the question of a feed. Raises InvalidInput."""
        given = dict(address.parameters)
        commodity = given.pop(self.commodity, None) if self.commodity else None
        place = given.pop(self.place, None) if self.place else None
        types = given.pop(self.types, None) if self.types else None
        search = given.pop(self.search, None) if self.search else None
        for name in given:
            if name not in self.ignored:
                raise InvalidInput(f"a feed cannot be narrowed by {name[:50]!r}", path=(name[:50],))
        entity = self.entity(address) if self.entity else None
        if ending == "ics":
            chosen: dict[str, Any] = {"kind": self.kind, "commodity": commodity, "place": place}
        else:
            chosen = {
                "types": event_types(self.kind) if self.kind else types and types.split(","),
                "search": search,
                "commodities": [commodity] if commodity else None,
                "places": [place] if place else None,
            }
        return {name: value for name, value in {**chosen, "entity": entity}.items() if value}


def event_types(kind: str) -> list[str]:
    """The types of the events of a kind of entity."""
    prefix = "".join(word.capitalize() for word in kind.split("_"))
    return [type_ for type_ in FACTS if type_.startswith(f"{prefix}.")]


def feed_document(ending: str) -> str:
    """The question of a feed."""
    name = "calendar" if ending == "ics" else "feed"
    return with_fragments(files("schema.pages.site").joinpath(f"{name}.graphql").read_text("utf-8"))


def feed_name(ending: str) -> str:
    """The name of its operation."""
    return "Calendar" if ending == "ics" else "Feed"


def calendar(data: Mapping[str, Any], title: str, origin: str) -> bytes:
    """The days to come after the day of the moment, each a whole day."""
    moment = data["asOf"]
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


def atom(data: Mapping[str, Any], title: str, address: Address, origin: str) -> str:
    """The newest events of what a page is about, the newest first."""
    moment = data["asOf"]
    return (
        environment()
        .get_template("site/feed.xml")
        .render(
            title=title,
            product=PRODUCT,
            origin=origin,
            feed_path=address.as_form("atom"),
            page_path=str(address),
            updated=moment["knownAt"] or "1970-01-01T00:00:00Z",
            events=list(reversed(moment["events"]["nodes"])),
        )
    )
