"""`/search?q=`: clauses for the goods and places in a search, then records and events. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from projections.query.search_terms import ParsedSearch, parse_search
from schema.pages.charts.status_marks import SUPPORTED
from schema.pages.commodities.answers import clause_answers
from schema.pages.commodities.clauses import pairs_of
from schema.pages.commodities.commodity import output_sentences
from schema.pages.site.address import Address
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.page import Page, TableOfPage
from tracker.domain.basics.control_vocabulary import ClauseStatus, Measure
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.errors import InvalidInput

KINDS = ("EXPORT_CONTROL", "ALLIANCE", "ANNOUNCEMENT", "FIGURE", "FIRM", "SOURCE")


class Excerpt(Struct, frozen=True):
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
        "figures": _figures(data["asOf"], parse_search(query)),
        "missing": matches and matches["statement"],
        "suggestion": _suggested_name(query) if matches and not matches["totalCount"] else None,
        "results": [
            (node, _status(node["node"]), *_excerpts(node))
            for node in (matches["nodes"] if matches else [])
        ],
        "events": list(reversed(data["asOf"]["events"]["nodes"])) if matches else [],
    }


def _figures(found: Mapping[str, Any], search: ParsedSearch) -> Mapping[str, Any] | None:
    """Return the statistic of goods that a search asks for, with the largest producer for production."""
    if search.statistic is None:
        return None
    output = found.get("production")
    return {
        "commodity": search.commodities[0],
        "statistic": search.statistic,
        "sentences": output_sentences(output) if output else (),
    }


def _suggested_name(query: str) -> str | None:
    """Return the name of the place or commodity that a search without results probably means."""
    for kind in (Place, Commodity):
        try:
            kind(query)
        except InvalidInput as error:
            if error.suggestion and kind(error.suggestion).name.lower() != query.lower():
                return kind(error.suggestion).name
    return None


def _answer(matches: Mapping[str, Any], search: ParsedSearch) -> Mapping[str, Any] | None:
    """Return the goods and places in a search, and the clauses on them; None without any.

    Of the clauses, only those of the results count, in their order.
    """
    if not (search.names_goods or search.places):
        return None
    controls, found = (
        matches.get("controls") or {"edges": (), "totalCount": 0},
        matches.get("search"),
    )
    listed = [one["node"] for one in found["nodes"]] if found and not search.code else []
    issuers = {one["key"]: one["issuer"]["code"] for one in listed if "issuer" in one}
    measures = search.of_kind(Measure)
    pairs = [
        (control, clause)
        for control, clause in pairs_of({"exportControls": controls})
        if (not issuers or control["key"] in issuers)
        and (not measures or clause["measure"].lower() in measures)
    ]
    return {
        "search": search,
        "clauses": clause_answers(pairs, [*dict.fromkeys(issuers.values())], search.destination)[0],
        "commodity": next(iter(search.commodities), None),
        "listed_all": len(controls["edges"]) == controls["totalCount"],
    }


def _status(node: Mapping[str, Any]) -> str | None:
    """Return the status of a control: that of its first applicable clause."""
    clauses = node.get("clauses") or ()
    if not clauses:
        return None
    first = min(clauses, key=lambda clause: ClauseStatus[clause["status"]].rank)
    found = {one["confirmation"] for one in clauses if one["status"] == first["status"]}
    doubt = ", as recorded" if "AS_RECORDED" in found else ""
    if not found <= SUPPORTED:
        doubt = f"{', in part' if found & SUPPORTED else ','} not confirmed"
    return ClauseStatus[first["status"]].phrase + doubt


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


def _is_sentence(address: Address) -> bool:
    from projections.query.statement_parts import (
        parse_sentence,  # here, as it would delay every start
    )

    return parse_sentence(address.parameters.get("q", "")).is_statement


def _parsed(address: Address) -> ParsedSearch:
    return parse_search(address.parameters.get("q", ""))


PAGE = Page(
    __name__,
    "/search",
    view,
    texts=frozenset({"q"}),
    aliases={"text": "q"},
    made={
        "words": lambda address: (
            _parsed(address).words if _parsed(address).code else address.parameters.get("q", "")
        ),
        "searched": lambda address: bool(_parsed(address).words),
        "sentence": lambda address: address.parameters.get("q", ""),
        "stated": _is_sentence,
        "answered": lambda address: _parsed(address).names_goods,
        "produced": lambda address: next(iter(_parsed(address).commodities), ""),
        "output": lambda address: _parsed(address).statistic is Statistic.PRODUCTION,
        "goods": lambda address: next(iter(_parsed(address).commodities), None),
        "code": lambda address: _parsed(address).code,
        "toward": lambda address: _parsed(address).destination,
    },
    table=TableOfPage(
        "search", renamed={"q": "text"}, without=frozenset({"after"}), needs=frozenset({"q"})
    ),
    feed=FeedOfPage(kind="kinds", commodity="commodity", place="place", search="q"),
)
