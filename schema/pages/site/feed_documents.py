"""Parts of feeds as Atom (RFC 4287, with the archives of RFC 5005) and as JSON Feed 1.1. Pure."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from msgspec import Struct
from yarl import URL

from schema.pages.site.address import Address
from schema.pages.site.citation import PRODUCT
from schema.pages.site.feeds import FeedPart, feed_title, newest_part
from schema.pages.site.templates import environment
from schema.pages.site.words import doubt

EVENT_IDS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:critical-minerals-policy-tracker:event")
"""Namespace of the ids of entries whose events have ids of another form."""
JSON_FEED = "https://jsonfeed.org/version/1.1"


class FeedAddresses(Struct, frozen=True):
    """The addresses around a part of a feed, with scheme and host."""

    title: str
    page: str
    itself: str
    newest: str
    older: str | None


def feed_addresses(ending: str, address: Address, part: FeedPart, origin: str) -> FeedAddresses:
    """Return the addresses around a part of a feed, from its own."""
    newest = newest_part(address)
    older = replace(newest, parameters={**newest.parameters, "before": part.older or ""})
    return FeedAddresses(
        feed_title(newest),
        f"{origin}{newest}",
        f"{origin}{address.as_form(ending)}",
        f"{origin}{newest.as_form(ending)}",
        f"{origin}{older.as_form(ending)}" if part.older else None,
    )


def atom(part: FeedPart, address: Address, origin: str) -> bytes:
    """Return a part of a feed as Atom."""
    around = feed_addresses("atom", address, part, origin)
    template = environment().get_template("site/feed.xml")
    return template.render(
        around=around,
        product=PRODUCT,
        origin=origin,
        part=part,
        entry_id=entry_id,
        source_url=source_url,
        event_text=event_text,
    ).encode()


def json_feed(part: FeedPart, address: Address, origin: str) -> bytes:
    """Return a part of a feed as JSON Feed."""
    around = feed_addresses("jsonfeed", address, part, origin)
    feed: dict[str, Any] = {
        "version": JSON_FEED,
        "title": around.title,
        "home_page_url": around.page,
        "feed_url": around.itself,
        "language": "en",
        "authors": [{"name": PRODUCT}],
    }
    if around.older:
        feed["next_url"] = around.older
    return orjson.dumps({**feed, "items": [json_item(event, origin) for event in part.events]})


def json_item(event: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Return an event as an item of a JSON Feed, with an extension."""
    url = source_url(event)
    return {
        "id": entry_id(event),
        "url": f"{origin}/events/{event['position']}",
        **({"external_url": url} if url else {}),
        "title": event["summary"],
        "content_text": event_text(event),
        "date_published": event["recordedAt"],
        "tags": [event["type"]],
        "_event": {
            "about": f"{origin}/docs/page#feeds",
            **{name: event[name] for name in ("eventId", "position", "type", "entity", "publicOn")},
            "verified": event["source"]["level"] == "VERIFIED",
            "level": event["source"]["level"],
        },
    }


def entry_id(event: Mapping[str, Any]) -> str:
    """Return the id of an entry.

    It follows from the id of the event, and is the same in all feeds, at all hosts and after later events.
    """
    try:
        return uuid.UUID(event["eventId"]).urn
    except ValueError:
        return uuid.uuid5(EVENT_IDS, event["eventId"]).urn


def source_url(event: Mapping[str, Any]) -> str | None:
    """Return the web address of the source as a URI (RFC 3986), if it has one.

    Some publishers use addresses with brackets or letters of other scripts.
    """
    url = event["source"]["url"]
    if not url or not url.startswith(("https://", "http://")):
        return None
    return str(URL(url))


def event_text(event: Mapping[str, Any]) -> str:
    """Return the sentence of an event with its source and its position."""
    source = event["source"]
    return (
        f"{event['summary']} Source: {source['citation']}, {source['publishedOn']}{doubt(source)}."
        f" Position {event['position']} of the log."
    )
