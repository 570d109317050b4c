"""`/controls`: the instruments that control trade or production, with filters, as bars over time. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any

from schema.pages.charts.status_bars import RowOfPeriods, draw_status_table, track_of
from schema.pages.charts.status_marks import doubts
from schema.pages.controls.control import change_days, clause_label, clause_sub
from schema.pages.site.address import Address, path_of
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.images import CHART, status_image
from schema.pages.site.name_fields import PLACES
from schema.pages.site.page import Page, TableOfPage
from schema.pages.site.watch_words import watched_issuers
from tracker.domain.basics.control_vocabulary import ClauseStatus, Confirmation, Direction, Measure
from tracker.domain.wording.phrases import listed, many, short_date, with_article, word_phrase

CLAUSE, INSTRUMENT = "clause", "instrument"
FILTERS = {
    "issuer": "by ",
    "direction": "of ",
    "commodity": "on ",
    "hsCode": "on HS ",
    "measure": "with the measure ",
    "destination": "toward ",
    "origin": "from ",
    "firm": "naming ",
    "status": "with a clause that is ",
    "confirmation": "with a status that is ",
    "search": "with the words ",
}
"""Words of the heading before the values of filters, by parameter."""


@dataclass(frozen=True)
class Option:
    """An option of a field of the form."""

    value: str
    name: str
    note: str = ""
    """Text after the name in the form."""


@dataclass(frozen=True)
class StatusCount:
    """A number of clauses with a status, with a link to their list."""

    status: str
    path: str
    """Path of the number of clauses in the response."""
    href: str
    chosen: bool
    doubts: str
    """The numbers of these clauses whose status is not confirmed on the date, in words."""


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the rows of the list, the options of its form, and the numbers of clauses by status."""
    state = data["asOf"]
    at = date.fromisoformat(state["validAt"])
    controls = state["exportControls"]["nodes"]
    by_clause = address.query.get("rows", INSTRUMENT) == CLAUSE
    rows = rows_by_clause if by_clause else rows_by_instrument
    table = draw_status_table(list(rows(controls, address)), at)
    chosen = options(data)
    title = heading(
        state["exportControls"]["totalCount"], narrowed_to(address, names(data, chosen)), at
    )
    return {
        "title": title,
        "description": "Export controls, import restrictions and production controls on"
        " critical minerals, with the status of each clause.",
        "change_days": change_days(table),
        "table_of_rows": table,
        "by_clause": by_clause,
        "controls": controls,
        "counts": counts(state, address),
        "options": chosen,
        "watched": watched_issuers(state["horizon"], issuers_of(controls, data, address), at),
        "charts": {CHART: status_image(table, title, state["position"])},
    }


def issuers_of(
    controls: Iterable[Mapping[str, Any]], data: Mapping[str, Any], address: Address
) -> list[Mapping[str, Any]]:
    """Return the issuers of the instruments on the page, and the issuer in the filter."""
    requested = address.query.get("issuer")
    narrowed = [one for one in data["places"] if one["code"] == requested]
    return [*(control["issuer"] for control in controls), *narrowed]


def heading(count: int, narrowed: str, at: date) -> str:
    """Return the number of instruments in the list, with its filters."""
    if not count:
        return f"No recorded instrument{narrowed} on {short_date(at)}"
    return f"{many(count, 'instrument')}{narrowed or ' that control trade'}"


def names(
    data: Mapping[str, Any], chosen: Mapping[str, Sequence[Option]]
) -> dict[str, dict[str, str]]:
    """Return the names of the values of each parameter, also of places that no field offers."""
    places = {place["code"]: place["name"] for place in data["places"]}
    offered = {
        field: {option.value: option.name for option in choices}
        for field, choices in chosen.items()
    }
    return {**offered, "issuer": places, "destination": places, "origin": places}


def narrowed_to(address: Address, called: Mapping[str, Mapping[str, str]]) -> str:
    """Return the filters of a list in words."""
    words = ""
    for name, words_before in FILTERS.items():
        value = address.query.get(name)
        if value:
            text = called.get(name, {}).get(value, value)
            words += f" {words_before}{with_article(text) if name in PLACES else text}"
    return words


def rows_by_clause(
    controls: Sequence[Mapping[str, Any]], address: Address
) -> Iterator[RowOfPeriods]:
    """Yield a row for each clause, under the title of its instrument."""
    for control in controls:
        for clause in control["clauses"]:
            yield RowOfPeriods(
                clause_label(clause),
                [track_of(clause)],
                clause_sub(clause),
                group=f"{control['issuer']['name']}: {control['title']}",
                href=address.link(path_of("controls", control["key"])),
            )


def rows_by_instrument(
    controls: Sequence[Mapping[str, Any]], address: Address
) -> Iterator[RowOfPeriods]:
    """Yield a row for each instrument, with a thin bar for each of its clauses."""
    for control in controls:
        yield RowOfPeriods(
            control["title"],
            [track_of(clause) for clause in control["clauses"]],
            instrument_sub(control),
            href=address.link(path_of("controls", control["key"])),
        )


def instrument_sub(control: Mapping[str, Any]) -> str:
    """Return the small line below a title: the issuer, the act and the measure."""
    measures = list(dict.fromkeys(word_phrase(clause["measure"]) for clause in control["clauses"]))
    parts = [control["issuer"]["name"], control["instrument"], listed(measures, 3)]
    if not control["official"]:
        parts.append("reported by others only")
    if control["disputes"]:
        parts.append("different accounts by others")
    return " · ".join(part for part in parts if part)


def counts(state: Mapping[str, Any], address: Address) -> list[StatusCount]:
    """Return the numbers of clauses by status, without the filter by status.

    Empty with a filter by words, which clause counts do not support.
    """
    if address.query.get("search"):
        return []
    places = {each["status"]: index for index, each in enumerate(state["clauseCounts"])}
    chosen = address.query.get("status")
    support = defaultdict[str, dict[str, int]](dict)
    for each in state["confirmations"]:
        support[each["status"]][each["confirmation"]] = each["clauses"]
    return [
        StatusCount(
            status,
            f"asOf.clauseCounts.{places[status]}.clauses",
            address.narrowed(status=None if status == chosen else status),
            status == chosen,
            doubts(support[status]),
        )
        for status in sorted(places, key=lambda status: ClauseStatus[status].rank)
    ]


def options(data: Mapping[str, Any]) -> Mapping[str, Sequence[Option]]:
    """Return the options of the fields of the form."""
    state = data["asOf"]
    places = [place for place in data["places"] if not place["isAggregate"]]
    return {
        "issuer": _sorted(
            Option(each["issuer"]["code"], each["issuer"]["name"], f" ({each['controls']})")
            for each in state["issuers"]
        ),
        "commodity": _sorted(
            Option(each["commodity"]["key"], each["commodity"]["name"]) for each in state["goods"]
        ),
        "destination": _sorted(Option(place["code"], place["name"]) for place in places),
        "measure": _sorted(Option(one.name, one.phrase) for one in Measure),
        "status": [
            Option(one.name, one.phrase) for one in sorted(ClauseStatus, key=attrgetter("rank"))
        ],
        "direction": [Option(one.name, one.noun) for one in Direction],
        "confirmation": [Option(one.name, one.phrase) for one in Confirmation],
    }


def _sorted(options: Iterable[Option]) -> list[Option]:
    return sorted(options, key=lambda option: option.name.lower())


PAGE = Page(
    __name__,
    "/controls",
    view,
    section="/controls",
    table=TableOfPage("controls", without=frozenset({"rows", "first", "after"})),
    more_tables=(TableOfPage("clauses", without=frozenset({"rows", "first", "after"})),),
    choices={"rows": (INSTRUMENT, CLAUSE)},
    feed=FeedOfPage(
        ("EXPORT_CONTROL",),
        commodity="commodity",
        place="issuer",
        calendar=True,
        calendar_filters=frozenset({"firm"}),
        hs_code=True,
        ignored=frozenset({"rows"}),
    ),
)
