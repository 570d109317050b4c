"""`/search?q=`: clauses for the goods and places in a search, then records and events. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from schema.pages.commodities.answers import ClauseAnswer, clause_answers
from schema.pages.commodities.clauses import pairs_of
from schema.pages.search.parsing import ParsedSearch, parse_search
from schema.pages.site.address import Address
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.page import Page, TableOfPage
from tracker.domain.basics.control_vocabulary import ClauseStatus
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place

KINDS = ("EXPORT_CONTROL", "ALLIANCE", "ANNOUNCEMENT", "FIGURE", "FIRM", "SOURCE")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text in parts: before the matching words, the words, and after them."""

    field: str
    before: str
    match: str
    after: str
    position: str | None

    @property
    def text(self) -> str:
        """Return the text with the match."""
        return f"{self.before}{self.match}{self.after}"


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """The goods and places in a search, and the clauses on them."""

    goods: Sequence[Commodity]
    code: str | None
    places: Sequence[Place]
    commodity: Commodity | None
    """Goods of the listed clauses."""
    toward: Place | None
    """Destination of the listed clauses; None for every destination."""
    clauses: Sequence[ClauseAnswer]
    searched_clauses: bool
    listed_all: bool
    """Whether all instruments on the goods were searched for clauses."""


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the clauses and the results; none without a search."""
    query = address.parameters.get("q", "")
    matches = data["asOf"].get("search")
    return {
        "title": f"Search: {query}" if query else "Search",
        "query": query,
        "words_searched": parse_search(query).words,
        "day": query if _is_day(query) else None,
        "kinds": KINDS,
        "answer": _answer(data["asOf"], parse_search(query)),
        "results": [
            (node, _status(node["node"]), *_excerpts(node))
            for node in (matches["nodes"] if matches else [])
        ],
        "events": list(reversed(data["asOf"]["events"]["nodes"])) if matches else [],
    }


def _answer(matches: Mapping[str, Any], search: ParsedSearch) -> SearchAnswer | None:
    if not (search.names_goods or search.places):
        return None
    controls = matches.get("controls")
    clauses: Sequence[ClauseAnswer] = ()
    if controls:
        issuers = [place for place in search.places if place != search.destination]
        clauses, _ = clause_answers(pairs_of({"exportControls": controls}), issuers)
    return SearchAnswer(
        search.commodities,
        search.code,
        search.places,
        _goods(search),
        search.destination,
        clauses,
        controls is not None,
        controls is not None and len(controls["edges"]) == controls["totalCount"],
    )


def _goods(search: ParsedSearch) -> Commodity | None:
    return next(iter(search.commodities), None)


def _status(node: Mapping[str, Any]) -> str | None:
    """Return the status of a control: that of its first applicable clause."""
    clauses = node.get("clauses") or ()
    if not clauses:
        return None
    first = min(clauses, key=lambda clause: ClauseStatus[clause["status"]].rank)
    confirmed = {
        clause["confirmation"] == "CONFIRMED"
        for clause in clauses
        if clause["status"] == first["status"]
    }
    doubt = "" if confirmed == {True} else ", in part" if True in confirmed else ","
    return ClauseStatus[first["status"]].phrase + (doubt and f"{doubt} not confirmed")


def _excerpts(node: Mapping[str, Any]) -> tuple[Excerpt | None, list[Excerpt]]:
    """Return the match in the title, if any, and those in other texts; keys are not shown."""
    excerpts = [excerpt(match) for match in node["matched"]]
    title = next((one for one in excerpts if one.text == node["title"]), None)
    return title, [one for one in excerpts if one.field not in ("key", "title")]


def excerpt(match: Mapping[str, Any]) -> Excerpt:
    """Return a match in its parts; `start` and `end` count characters."""
    text, start, end = match["text"], match["start"], match["end"]
    field = match["field"].strip("/").replace("/", " ")
    return Excerpt(field, text[:start], text[start:end], text[end:], match["position"])


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _parsed(address: Address) -> ParsedSearch:
    return parse_search(address.parameters.get("q", ""))


PAGE = Page(
    __name__,
    "/search",
    view,
    texts=frozenset({"q"}),
    aliases={"text": "q"},
    made={
        "words": lambda address: _parsed(address).words,
        "searched": lambda address: bool(_parsed(address).words),
        "answered": lambda address: _parsed(address).names_goods,
        "goods": lambda address: _goods(_parsed(address)),
        "code": lambda address: _parsed(address).code,
        "toward": lambda address: _parsed(address).destination,
    },
    table=TableOfPage(
        "search", renamed={"q": "text"}, without=frozenset({"after"}), needs=frozenset({"q"})
    ),
    feed=FeedOfPage(kind="kinds", commodity="commodity", place="place", search="q"),
)
