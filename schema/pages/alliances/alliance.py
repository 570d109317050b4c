"""`/alliances/{key}`: an alliance, its members over time, what it announced, who succeeded whom. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.pages.site.address import Address
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.page import Page, TableOfPage, entity_of
from schema.pages.site.words import many, written_day
from tracker.errors import NotFound


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """The alliance, with its members by the day on which they joined. Raises NotFound."""
    found = data["asOf"]
    alliance = found["alliance"]
    if alliance is None:
        raise NotFound(f"no alliance {address.parameters['key']!r} at this moment", path=("key",))
    members = [one for one in alliance["members"] if one["role"] in ("MEMBER", "CHAIR")]
    return {
        "title": alliance["name"],
        "description": _standing(alliance, len(members)),
        "turns": [node["day"] for node in found["transitions"]["nodes"]],
        "sources": sorted({event["source"]["name"] for event in alliance["because"]}),
        "alliance": alliance,
        "standing": _standing(alliance, len(members)),
        "periods": found["memberships"]["nodes"],
    }


def _standing(alliance: Mapping[str, Any], members: int) -> str:
    """How the alliance stands on the day, in a sentence."""
    founded = f"Founded {written_day(alliance['foundedOn'])}"
    if alliance["endedOn"]:
        ended = f"{alliance['status'].lower()} {written_day(alliance['endedOn'])}"
        return f"{founded}, {ended}."
    if not alliance["membersKnown"]:
        return f"{founded}. No list of its members has been published."
    return f"{founded}; {many(members, 'member')} on this day."


PAGE = Page(
    __name__,
    "/alliances/{key}",
    view,
    section="/alliances",
    table=TableOfPage("memberships", renamed={"key": "alliances"}, without=frozenset({"after"})),
    feed=FeedOfPage(entity=entity_of("alliance")),
)
