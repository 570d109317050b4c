"""Researched foundings, memberships and successions of alliances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tracker.domain.alliance import Founded, MemberJoined, Succeeded
from tracker.domain.values import PartialDate, Place
from tracker.sources.readers.researched.announcements import launch
from tracker.sources.readers.researched.rows import (
    Entry,
    Row,
    check_details,
    in_words,
    note,
    source,
)


@dataclass(frozen=True, slots=True)
class Founding:
    """The alliance that a fact founds."""

    id: str
    name: str
    part_of: str | None = None


FOUNDINGS = {
    "quad-2017-11-12-revival": Founding("quad", "Quadrilateral Security Dialogue (Quad)"),
    "ergi-2019-06-11": Founding("ergi", "Energy Resource Governance Initiative"),
    "msp-2022-06-14-formation": Founding("msp", "Minerals Security Partnership"),
    "scma-2022-12-12": Founding("scma", "Sustainable Critical Minerals Alliance"),
    "msp-forum-2024-04-05": Founding(
        "msp-forum", "Minerals Security Partnership Forum", part_of="msp"
    ),
    "quad-2025-07-01-qcmi": Founding(
        "quad-critical-minerals-initiative", "Quad Critical Minerals Initiative", part_of="quad"
    ),
    "pax-silica-2025-12-12": Founding("pax_silica", "Pax Silica"),
    "forge-2026-02-04-formation": Founding(
        "forge", "Forum on Resource Geostrategic Engagement (FORGE)"
    ),
}

SINCE = {"msp-2024-03-estonia": "2024-03"}
"""When a member joined, where the day is less certain than the fact's date."""

JOINED_BEFORE = {"msp-2023-06-22-india": {"italy": "IT", "norway": "NO"}}
"""Members of whom a fact says that they had joined by then, without a date."""

WORDS = {
    "level": "Level: {}",
    "chair": "Chair: {}",
    "chair_until": "Chair until {}",
    "attendance": "Attendance: {}",
    "members_after": "Members then: {}",
    "members_after_note": "{}",
}
"""Details without a field of their own, as sentences of the note."""

EXPRESSED = {
    "alliance": "the entity, or part_of",
    "initiative": "the entity",
    "focus": "purpose",
    "scope": "the event type",
    "succeeded_by": "by",
}
"""Details that are expressed otherwise than by a field of the same name."""

FIELDS = ("members", "member", "replaces")


def changes(row: Row) -> Iterator[Entry]:
    """What a fact tells about an alliance."""
    check_details(row, (*WORDS, *EXPRESSED, *FIELDS))
    yield from CHANGES[row.kind](row)


def entity(row: Row) -> str:
    """The alliance that a fact is about."""
    founding = FOUNDINGS.get(row.id)
    return f"alliance/{founding.id if founding else row.details['alliance']}"


def is_change(row: Row) -> bool:
    """Whether a fact changes an alliance; the others are announcements."""
    return row.id in FOUNDINGS or row.kind in ("member_joined", "member_left")


def _founded(row: Row) -> Iterator[Entry]:
    founding, listed = FOUNDINGS[row.id], "members" in row.details
    members = row.details["members"] if listed else row.acting_places
    fact = Founded(
        source=source(row),
        on=row.on,
        name=founding.name,
        members=tuple(map(Place, members)),
        members_known=listed,
        part_of=founding.part_of,
        replaces=row.details.get("replaces"),
        purpose="; ".join(row.details.get("focus", ())) or None,
        note=note(
            row.title,
            _commodities(row),
            *in_words(row.details, WORDS),
            None if listed else NOT_LISTED,
            row.note,
        ),
    )
    yield Entry(row.id, entity(row), fact, row.on.first)
    if "focus" in row.details:
        yield launch(row, entity(row))


NOT_LISTED = "The members here are those named at the launch: a list of members is not in our data"


def _commodities(row: Row) -> str:
    names = ", ".join(commodity.name.lower() for commodity in row.known_commodities)
    return f"Commodities: {names}" if names else ""


def _joined(row: Row) -> Iterator[Entry]:
    member, *others = Place(row.details["member"]), *row.acting_places
    beside = [place.name for place in others if place != member]
    since = SINCE.get(row.id)
    fact = MemberJoined(
        source=source(row),
        on=row.on,
        member=member,
        since=PartialDate(since) if since else None,
        note=note(
            row.title,
            f"Beside it: {', '.join(beside)}" if beside else None,
            *in_words(row.details, WORDS),
            row.note,
        ),
    )
    yield Entry(row.id, entity(row), fact, row.on.first)
    yield from _joined_before(row)


def _joined_before(row: Row) -> Iterator[Entry]:
    """Members known to have joined by the day of a fact; since when is not known."""
    for name, code in JOINED_BEFORE.get(row.id, {}).items():
        fact = MemberJoined(
            source=source(row),
            on=row.on,
            member=Place(code),
            note=f"Had joined by {row.date}: the day itself is not in our data.",
        )
        yield Entry(f"{row.id}+{name}", entity(row), fact, row.on.first)


def _succeeded(row: Row) -> Iterator[Entry]:
    fact = Succeeded(
        source=source(row),
        on=row.on,
        by=row.details["succeeded_by"],
        note=note(row.title, row.note),
    )
    yield Entry(row.id, entity(row), fact, row.on.first)


CHANGES: dict[str, Callable[[Row], Iterator[Entry]]] = {
    "formation": _founded,
    "member_joined": _joined,
    "member_left": _succeeded,
}
"""What each kind of fact about an alliance becomes; the one end that we know is a succession."""
