"""`/`: clauses in force by place, newest records, upcoming and recent changes. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import Struct

from schema.pages.charts.status_marks import doubts
from schema.pages.charts.world_map import COUNTS, SHARES, draw_world
from schema.pages.overview.output_map import NO_SHARE, share_in_words, share_values
from schema.pages.overview.restrictions_map import (
    COLUMNS,
    NONE_CONFIRMED,
    Issuer,
    issuers,
    map_values,
    most_clauses,
)
from schema.pages.overview.status_changes import VERBS, ChangeLine, change_lines, days_of_changes
from schema.pages.site.address import Address, path_of
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.images import CHART, world_image
from schema.pages.site.page import Page, TableOfPage
from tracker.domain.basics.control_vocabulary import ClauseStatus
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.events.registry import FACTS
from tracker.domain.evidence.watched_source_facts import SourceFact
from tracker.domain.wording.phrases import (
    commodities_phrase,
    days_between,
    in_days,
    listed,
    many,
    percent_beside,
    with_article,
    with_capital,
    word_phrase,
)

MAPS = ("in-force", "toward", "share")
"""Kinds of maps: clauses in force, those for a destination, or shares of a commodity's output."""
POLICY_KINDS = ("ALLIANCE", "ANNOUNCEMENT", "EXPORT_CONTROL")


class Segment(Struct, frozen=True):
    """A status in the strip: its start and width in percent, and its clauses."""

    status: str
    shown: ClauseStatus
    index: int
    """Index in the response."""
    x: float
    width: float


class Reach(Struct, frozen=True):
    """The newest recorded act: its date, its distance to the page in days, and unconfirmed clauses in
    force."""

    day: str
    days_before: int
    by_terms: int
    contradicted: int


class Topic(Struct, frozen=True):
    """A topic of the front page: a number, and the sentence that it begins."""

    name: str
    path: str
    """Path of its page."""
    number: str
    sentence: str


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the data of the page at the moment."""
    state = data["asOf"]
    day = state["validAt"]
    coming = change_lines(state["upcoming"]["nodes"])
    shown = address.parameters.get("map", MAPS[0])
    everyone = issuers(state["byIssuer"], state["unions"])
    title = headline(state)
    reached = reach(state, day)
    return {
        "title": title,
        "description": f"{title}, as known at position {state['position']} of the log.",
        "lead": lead(state, everyone, coming),
        "topics": topics(state),
        "strip": strip(state["byStatus"]),
        "reach": reached,
        "facts_until": date.fromisoformat(reached.day) if reached else None,
        "maps": MAPS,
        "shown": shown,
        "coming": days_of_changes(coming),
        "more_coming": state["upcoming"]["totalCount"] - len(state["upcoming"]["nodes"]),
        "lately": change_lines(state["recent"]["nodes"]),
        "more_lately": state["recent"]["totalCount"] - len(state["recent"]["nodes"]),
        "events": state["events"]["nodes"][::-1],
        "types": ",".join(WORLD_TYPES),
        "columns": list(COLUMNS),
        **drawn(shown, data, address, everyone),
    }


def headline(state: Mapping[str, Any]) -> str:
    """Return the number of instruments in force; without any, first the lists that were read."""
    if not state["inForce"]:
        statement = state["completeness"]["statement"]
        return f"{statement} No clause on critical minerals in force is recorded"
    count = state["inForce"][0]["controls"]
    verb = "is" if count == 1 else "are"
    return f"{many(count, 'measure')} on critical minerals {verb} recorded as in force"


def by_confirmation(state: Mapping[str, Any]) -> dict[str, int]:
    """Return the numbers of clauses in force by confirmation."""
    return {one["confirmation"]: one["clauses"] for one in state["support"]}


def lead(state: Mapping[str, Any], everyone: Sequence[Issuer], coming: Sequence[ChangeLine]) -> str:
    """Return the issuers of clauses in force, how many of these are not confirmed, and the next changes."""
    in_force = [one for one in everyone if one.own.get("IN_FORCE")]
    sentences = []
    if in_force:
        unions = {one["place"]["code"] for one in state["unions"]}
        names = [with_article(one.name) for one in in_force if one.code in unions]
        governments = len(in_force) - len(names)
        by = listed([*([many(governments, "government")] if governments else []), *names])
        clauses = many(state["inForce"][0]["clauses"], "clause")
        words = doubts(by_confirmation(state))
        sentences.append(f"{with_capital(by)} issued them: {clauses}{words and f', {words}'}.")
    if most := max((one.own.get("IN_FORCE", 0) for one in in_force), default=0):
        first = next(one.name for one in in_force if one.own["IN_FORCE"] == most)
        sentences.append(f"{with_capital(with_article(first))} issued the most ({most:,}).")
    if coming:
        sentences.append(next_change_sentence(coming, state["validAt"]))
    return " ".join(sentences)


def topics(state: Mapping[str, Any]) -> list[Topic]:
    """Return the topics beside controls that have data at the moment."""
    found = [dependence(state), largest_producer(state["production"])]
    if count := state["alliances"]["totalCount"]:
        dated = [one for one in state["alliances"]["nodes"] if one["foundedOn"]]
        newest = max(dated, key=lambda one: one["foundedOn"], default=None)
        last = f"; the newest is {newest['name']} ({newest['foundedOn'][:4]})" if newest else ""
        sentence = (
            f"recorded {'alliance' if count == 1 else 'alliances'} on critical minerals{last}."
        )
        found.append(Topic("Alliances", "/alliances", f"{count:,}", sentence))
    count = state["recent"]["totalCount"]
    sentence = (
        f"status {'change' if count == 1 else 'changes'} of clauses in the last 30 days, by recorded"
        " acts or by the clauses’ own dates."
    )
    found.append(Topic("Last 30 days", "/changes", f"{count:,}", sentence))
    return [topic for topic in found if topic]


def dependence(state: Mapping[str, Any]) -> Topic | None:
    """Return the number of minerals that the United States imports entirely; None without any claim.

    A mineral may have several products, of which one is enough.
    """
    newest = [(line["commodity"]["key"], line["points"][-1]) for line in state["reliance"]["lines"]]
    if not newest:
        return None
    year = max(point["year"] for _, point in newest)
    exact = [(key, point["claim"]) for key, point in newest if point["year"] == year]
    whole = {key for key, of in exact if of["value"] == "100" and of["qualifier"] is None}
    minerals = "mineral has" if len(whole) == 1 else "minerals have"
    sentence = (
        f"{minerals} a product with a net import reliance of the United States of 100 % in {year}."
    )
    return Topic("Dependence", "/places/US/dependence", f"{len(whole):,}", sentence)


def largest_producer(production: Mapping[str, Any]) -> Topic | None:
    """Return the largest share of the world's production of the commodity of the map; None without any."""
    shares = [
        one for one in production["figures"] if one["share"] and not one["place"]["isAggregate"]
    ]
    if not shares:
        return None
    first = max(shares, key=lambda one: Decimal(one["share"]))
    key, stage = production["commodity"]["key"], production["stage"]
    of = f"{word_phrase(stage)} production" if stage else "production"
    of += f" of {commodities_phrase([Commodity(key)])}"
    estimated = ", as estimated" if first["estimated"] else ""
    producer = with_article(first["place"]["name"])
    sentence = f"of the world’s {of} in {production['year']} was that of {producer}{estimated}."
    others = (one["share"] for one in shares if one is not first)
    share = percent_beside(first["share"], others)
    return Topic("Production", path_of("commodities", key), share, sentence)


def next_change_sentence(coming: Sequence[ChangeLine], day: str) -> str:
    """Return the next changes of clauses in a sentence; empty without any."""
    upcoming = [change for change in coming if change.clauses]
    first = [change for change in upcoming if change.day == upcoming[0].day]
    if not first:
        return ""
    counts = Counter[str]()
    for change in first:
        counts[change.transition] += change.clauses
    issuers = listed(list(dict.fromkeys(with_article(one.issuer) for one in first if one.issuer)))
    acts: list[str] = []
    for transition, count in counts.items():
        clauses = f"{count:,}" if acts else f"{many(count, 'clause')} of {issuers}"
        acts.append(f"{clauses} {VERBS[transition][1 if count == 1 else 2]}")
    unless = ", unless another act comes first" if all(change.on_terms for change in first) else ""
    return f"{with_capital(in_days(first[0].day, day))} {listed(acts)}{unless}."


def strip(by_status: Sequence[Mapping[str, Any]]) -> list[Segment]:
    """Return the statuses as parts of a strip, from applicable to ended."""
    index = {row["status"]: number for number, row in enumerate(by_status)}
    total = sum(row["clauses"] for row in by_status)
    segments, x = [], 0.0
    for status in sorted(index, key=lambda status: ClauseStatus[status].rank):
        width = 100 * by_status[index[status]]["clauses"] / total
        segments.append(
            Segment(status, ClauseStatus[status], index[status], round(x, 3), round(width, 3))
        )
        x += width
    return segments


def reach(state: Mapping[str, Any], day: str) -> Reach | None:
    """Return the newest recorded act; None if none is known."""
    days = [one["newestFactOn"] for one in state["kinds"]["nodes"] if one["kind"] in POLICY_KINDS]
    if not days:
        return None
    counts = by_confirmation(state)
    newest = max(days)
    return Reach(
        newest, days_between(newest, day), counts.get("BY_TERMS", 0), counts.get("CONTRADICTED", 0)
    )


def map_in_words(
    shown: str, production: Mapping[str, Any], toward: str, rows: Sequence[Issuer]
) -> str:
    """Return the title of the map."""
    if shown == "share":
        if first := largest_producer(production):
            return f"{first.number} {first.sentence}".rstrip(".")
        return f"Share of the world's production: {production['commodity']['name']}"
    on = f" on goods for {with_article(toward)}"
    return most_clauses(rows, on if shown == "toward" else "")


def drawn(
    shown: str, data: Mapping[str, Any], address: Address, everyone: Sequence[Issuer]
) -> Mapping[str, Any]:
    """Return the selected map, with its rows and words."""
    state = data["asOf"]
    places = {one["code"]: one["name"] for one in data["places"]}
    toward = address.parameters.get("toward", "US")
    rows: Sequence[Issuer] = everyone
    if shown == "share":
        values = share_values(state["production"], address)
    else:
        if shown == "toward":
            rows = issuers(state["toward"], state["unions"])
        values = map_values(rows, address)
    drawing = draw_world(values)
    scale = SHARES if shown == "share" else COUNTS
    of = map_in_words(shown, state["production"], places.get(toward, toward), rows)
    hatched = NO_SHARE if shown == "share" else NONE_CONFIRMED
    return {
        "map_words": of,
        "hatched": hatched,
        "charts": {CHART: world_image(drawing, of, scale, hatched, state)},
        "map": drawing,
        "scale": scale,
        "rows": [one for one in rows if any(one.cells)],
        "toward": toward,
        "share_in_words": share_in_words,
        "places": [one for one in data["places"] if not one["isAggregate"] or one["code"] == "EU"],
    }


WORLD_TYPES = sorted(type_ for type_, fact in FACTS.items() if not issubclass(fact, SourceFact))
"""Types of the listed events. Polls of sources are left out, because they are many and contain no facts."""

PAGE = Page(
    __name__,
    "/",
    view,
    section="/",
    table=TableOfPage("clause-counts", without=frozenset({"map", "toward", "commodity"})),
    choices={"map": MAPS},
    made={"types": lambda address: WORLD_TYPES},
    feed=FeedOfPage(calendar=True, ignored=frozenset({"map", "toward", "commodity"})),
)
