"""`/events/{event}`: an event with its source, its corrections and its proof. Pure."""

from collections.abc import Mapping
from typing import Any

from schema.pages.events.fields import ShownValue, entry_fields, label_of, shown, shown_time
from schema.pages.site.address import Address, entity_path, href
from schema.pages.site.page import Page
from tracker.domain.wording.phrases import number
from tracker.errors import NotFound

SOURCE_FIELDS = ("publisher", "reference", "publishedOn", "checked", "confidence", "primary")
"""Fields of a source beside its name and address, in this order."""
CHECKS = (
    (
        "head",
        "The head of the log is signed",
        "By the key of the log; compare it with a copy from another channel:",
    ),
    (
        "seen",
        "It continues what you saw before",
        "Store the head, and compare it at the next visit.",
    ),
    (
        "entry",
        "The entry, byte for byte",
        "Its hash is SHA-256 of a zero byte and the entry (RFC 6962):",
    ),
    (
        "path",
        "Its path leads to the signed root",
        "The hashes of its neighbours, in C2SP tlog-proof:",
    ),
    ("texts", "Its texts open their commitments", "SHA-256 of salt and text:"),
    ("page", "This page shows what the entry says", "Each field on this page is one of the entry."),
)
"""Checks of an event: name, statement, and instruction for a manual check."""


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the event with its fields. Raises NotFound for one that was recorded later, or never."""
    state = data["asOf"]
    event, last = state["event"], int(state["position"])
    if event is None:
        key = address.parameters["event"]
        raise NotFound(f"event {key} was not recorded at position {last}", path=("event",))
    position = int(event["position"])
    return {
        "title": event["summary"],
        "description": f"Event {number(position)} of the log: {event['type']}",
        "change_days": [event["publicOn"]],
        "event": event,
        "entity_page": entity_path(event["entity"]),
        "fields_shown": entry_fields(event["data"], event["annexes"]),
        "sources_shown": _sources(event),
        "time": shown_time(event["recordedAt"]),
        "checks": CHECKS,
        "parts": _parts_of_proof(position),
        "changes": href(
            "/changes", {"fromPosition": position - 1, "position": position, "valid": address.valid}
        ),
        "before": position - 1 or None,
        "after": position + 1 if position < last else None,
    }


def _parts_of_proof(position: int) -> dict[str, list[str]]:
    """Return the material of each check, by name."""
    return {
        "head": ["/log/checkpoint", "/log/key"],
        "seen": [],
        "entry": [f"/log/entries/{position}"],
        "path": [f"/log/proof/{position}"],
        "texts": [f"/annexes?after={position - 1}&until={position}"],
        "page": [],
    }


def _sources(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the sources of an event: the recorded fields of each, and its verification."""
    sources = [("/data/source", event["data"].get("source"), event["source"])]
    more = zip(event["data"].get("moreSources", ()), event["moreSources"], strict=True)
    sources += [(f"/data/moreSources/{index}", *both) for index, both in enumerate(more)]
    return [
        {
            "pointer": pointer,
            "name": source["name"],
            "url": source.get("url"),
            "is_link": source.get("url", "").startswith(("https://", "http://")),
            "fields": [
                (label_of(name).lower(), one)
                for name in (*SOURCE_FIELDS, *_others(source))
                for one in _shown(name, source.get(name), f"{pointer}/{name}")
            ],
            "trust": trust,
        }
        for pointer, source, trust in sources
        if source
    ]


def _shown(name: str, value: Any, pointer: str) -> list[ShownValue]:
    """Return a field of a source as its values."""
    if isinstance(value, list):
        return [shown(name, one, f"{pointer}/{index}") for index, one in enumerate(value)]
    return [] if value is None else [shown(name, value, pointer)]


def _others(source: Mapping[str, Any]) -> list[str]:
    return [name for name in source if name not in (*SOURCE_FIELDS, "name", "url")]


PAGE = Page(__name__, "/events/{event}", view, section="/events")
