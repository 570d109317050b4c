"""`/alliances/{key}`: an alliance with its members over time, announcements and successors. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import Struct

from schema.pages.charts.scale import Tick, window_around
from schema.pages.site.address import Address
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.page import Page, TableOfPage, entity_of
from schema.pages.site.words import publisher_of
from tracker.domain.wording.phrases import listed, many, short_date, short_period, word_phrase
from tracker.errors import NotFound

MAX_NAMES = 14
"""Maximum number of members that the first sentence names."""


class MemberRow(Struct, frozen=True):
    """A period in which a place takes part."""

    code: str
    name: str
    how: str
    through_union: bool
    x: float
    """Start and width in percent of the width of the table."""
    width: float
    days: str


class MemberTable(Struct, frozen=True):
    """All periods on one axis."""

    rows: Sequence[MemberRow]
    ticks: Sequence[Tick]
    today: float
    """Start of the page's date; later dates are in the future."""
    to_come: float


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the alliance, with its members by the date on which they joined. Raises NotFound."""
    state = data["asOf"]
    alliance = state["alliance"]
    if alliance is None:
        raise NotFound(f"no alliance {address.parameters['key']!r} at this moment", path=("key",))
    members = [one for one in alliance["members"] if one["role"] in ("MEMBER", "CHAIR")]
    sentence = _status_sentence(alliance, [one["place"]["name"] for one in members])
    return {
        "title": alliance["name"],
        "description": sentence,
        "change_days": [node["day"] for node in state["transitions"]["nodes"]],
        "sources": sorted({publisher_of(event["source"]) for event in alliance["because"]}),
        "alliance": alliance,
        "status_sentence": sentence,
        "members": draw_members(
            state["memberships"]["nodes"], date.fromisoformat(state["validAt"])
        ),
    }


def draw_members(periods: Sequence[Mapping[str, Any]], day: date) -> MemberTable:
    """Draw the members over time, each period as a bar."""
    known = [each["from"] for each in periods] + [each["until"] for each in periods]
    scale = window_around([date.fromisoformat(each) for each in known if each], day)
    rows = []
    for period in periods:
        first = date.fromisoformat(period["from"])
        last = date.fromisoformat(period["until"]) if period["until"] else None
        x = scale.start(first)
        rows.append(
            MemberRow(
                period["place"]["code"],
                period["place"]["name"],
                _how(period),
                period["union"] is not None,
                x,
                round(scale.end(last) - x, 3),
                short_period(first, last),
            )
        )
    return MemberTable(rows, scale.ticks(), scale.start(day), scale.end(day))


def _how(period: Mapping[str, Any]) -> str:
    """Return the role of a place, or the union through which it takes part."""
    if period["union"]:
        return f"through the {period['union']['name']}"
    return word_phrase(period["role"] or period["kind"])


def _status_sentence(alliance: Mapping[str, Any], members: Sequence[str]) -> str:
    """Return the state of the alliance on the date, in a sentence."""
    founded = f"Founded {short_date(alliance['foundedOn'])}"
    if alliance["endedOn"]:
        ended = f"{alliance['status'].lower()} {short_date(alliance['endedOn'])}"
        return f"{founded}, {ended}."
    if not alliance["membersKnown"]:
        named = f"; recorded acts name {many(len(members), 'member')}" if members else ""
        return f"{founded}. No complete list of its members has been published{named}."
    names = f": {listed(members, MAX_NAMES)}" if members else ""
    return f"{founded}; {many(len(members), 'member')} on this day{names}."


PAGE = Page(
    __name__,
    "/alliances/{key}",
    view,
    section="/alliances",
    table=TableOfPage("memberships", renamed={"key": "alliances"}, without=frozenset({"after"})),
    feed=FeedOfPage(entity=entity_of("alliance"), calendar=True),
)
