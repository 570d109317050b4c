"""`/places/{code}`: restrictions of a place and on it, its output and its exposure. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import Struct

from schema.metadata import linked_data
from schema.pages.charts.exposure_bar import ExposureBar
from schema.pages.charts.status_bars import RowOfPeriods, StatusTable, draw_status_table, track_of
from schema.pages.charts.status_marks import doubts
from schema.pages.commodities.commodity import UNCONFIRMED_WORDS
from schema.pages.commodities.exposed import covering_places
from schema.pages.commodities.exposure_bar import PARTS, exposure_bar, unconfirmed_measures
from schema.pages.dependence.dependent_products import newest_reliances
from schema.pages.overview.status_changes import (
    DayOfChanges,
    change_lines,
    days_of_changes,
    newest_days,
)
from schema.pages.site.address import Address, path_of
from schema.pages.site.embedding import AnswerLine
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.images import CHART, Image, status_image
from schema.pages.site.name_fields import code_of
from schema.pages.site.page import Page, TableOfPage
from schema.pages.site.watch_words import horizon_of, watch_sentences
from tracker.domain.catalogue.places import Place
from tracker.domain.wording.phrases import (
    listed,
    many,
    place_in_text,
    short_date,
    with_article,
    with_capital,
    word_phrase,
)
from tracker.errors import NotFound

MAX_YEARS = 6
"""Maximum number of years in the table of output, the latest ones."""
MAX_ROWS_SHOWN = 12
"""Maximum number of rows in long tables; the others are in a summary."""
MAX_MEASURES = 3
"""Maximum number of kinds of rules in the first sentence."""
MAX_CONTROLS_SHOWN = 12
"""Maximum number of drawn instruments on the place; the list of controls has all."""

NONE_OF_OTHERS = "No other issuer’s clause in force on its trade is recorded"
READ_LISTS = {
    "COMPLETE": "",
    "PARTIAL": ", and the lists of its acts were read only in part",
    "NONE": ", and no list of its acts was read",
}
"""Ends of a sentence on the clauses of a place, by the completeness of its lists."""


class Product(Struct, frozen=True):
    """The output of one commodity in the place: by year the index of the figure in the response."""

    commodity: Mapping[str, Any]
    stage: str | None
    form: str | None
    years: Mapping[int, int]
    latest_share: Decimal


class ExposedSupply(Struct, frozen=True):
    """A supply that controls on exports to the place cover; `index` is its index in the response."""

    index: int
    supply: Mapping[str, Any]

    @property
    def reached(self) -> Decimal:
        """Return the share of the world's production under controls, fully or partly covered."""
        both = (self.supply["controlledShare"], self.supply["partlyControlledShare"])
        return sum((Decimal(share) for share in both if share), Decimal(0))

    @property
    def bar(self) -> ExposureBar:
        """Return the shares as a bar."""
        return exposure_bar(self.supply)

    @property
    def measures(self) -> list[str]:
        """Return the measures that are not confirmed for a part of it, in words."""
        return unconfirmed_measures(self.supply)

    @property
    def suppliers(self) -> str:
        """Return the controlling places."""
        return listed(covering_places(self.supply), 3)


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the data of the place. Raises NotFound."""
    state, code = data["asOf"], code_of("place", address.parameters["code"])
    place = next((one for one in data["places"] if one["code"] == code), None)
    if place is None:
        raise NotFound(f"no place {code!r}", path=("code",))
    day = date.fromisoformat(state["validAt"])
    horizons = newest_days(state["horizon"])
    aimed = aimed_at([*state["aimed"]["nodes"], *state["aimedAtImports"]["nodes"]], code)
    own = draw(state["issued"]["nodes"], day, address)
    others = draw(aimed[:MAX_CONTROLS_SHOWN], day, address)
    unions = [one["place"] for one in state["unions"] if code in codes(one["members"])]
    products = made_by(state["productsOf"])
    coming = days_of_changes(change_lines(state["upcoming"]["nodes"]))
    return {
        "title": place["name"],
        "description": status_sentence(place, state, code),
        "change_days": [
            one["day"] for one in state["transitionDays"] for _ in range(one["transitions"])
        ],
        "place": place,
        "name_in_text": place_in_text(code),
        "subject": linked_data.place(place),
        "status_sentence": status_sentence(place, state, code),
        "not_an_issuer": not_an_issuer(place, state),
        "answer_lines": [AnswerLine(text) for text in answer_texts(place, state, code, coming)],
        "known_until": horizons.get(code),
        "watch": watch_sentences(horizon_of(state["horizon"], code), day),
        "unions": unions,
        "issued": own,
        "aimed": others,
        "charts": dict(charts(state, code, own, others)),
        "periods": state["memberships"]["nodes"],
        "years": sorted({year for one in products for year in one.years})[-MAX_YEARS:],
        "products": products,
        "exposed": exposed(state["exposure"]),
        "exposure_parts": PARTS,
        "rows_shown": MAX_ROWS_SHOWN,
        "reliances": newest_reliances(state["reliance"]["nodes"])[:MAX_ROWS_SHOWN],
        "coming": coming,
        "lately": change_lines(
            one for one in state["recent"]["nodes"] if one["member"] in (None, code)
        ),
    }


def charts(
    state: Mapping[str, Any], code: str, own: StatusTable, others: StatusTable
) -> Iterator[tuple[str, Image]]:
    """Yield the charts as images by part: own controls first, then those of other issuers."""
    position = state["position"]
    if own.rows:
        counts = confirmations(state)
        title = f"{Place(code).name}: {many(counts.total(), 'clause')} in force"
        title += f", of these {words}" if (words := doubts(counts)) else ""
        yield CHART, status_image(own, title, position, name="Own controls")
    if others.rows:
        recorded = clauses_of_others(state, code) or [NONE_OF_OTHERS]
        title = with_capital(recorded[0])
        yield "others", status_image(others, title, position, name="Controls of other issuers")


def answer_texts(
    place: Mapping[str, Any], state: Mapping[str, Any], code: str, coming: Sequence[DayOfChanges]
) -> Iterator[str]:
    """Yield the sentences of the answer for other sites."""
    yield status_sentence(place, state, code)
    if coming:
        yield f"Next recorded change: {short_date(coming[0].day)}."


def codes(places: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the codes of places."""
    return {one["code"] for one in places}


def status_sentence(place: Mapping[str, Any], state: Mapping[str, Any], code: str) -> str:
    """Return whom the rules of the place concern and what to do, then the numbers of clauses in force of
    the place and on it."""
    if words := not_an_issuer(place, state):
        return words
    counts = confirmations(state)
    own = counts.total()
    name = place_in_text(code)
    issued = f"{many(own, 'clause')} of {name} {'is' if own == 1 else 'are'} in force"
    unions = [one["place"] for one in state["unions"] if code in codes(one["members"])]
    of_unions = listed(
        f"{row['clauses']:,}{'' if own else ' clauses'} of {with_article(row['issuer']['name'])}"
        for row in state["ofIssuers"]
        if row["issuer"]["code"] in codes(unions)
    )
    if not own:
        in_unions = (
            f"In {name} {of_unions}, to which it belongs, are recorded as in force;"
            " none of its own is"
        )
        issued = in_unions if of_unions else f"No clause of {name} in force is recorded"
        issued += READ_LISTS[state["completeness"]["level"]]
    else:
        rules = listed((word_phrase(row["measure"]) for row in state["own"]), MAX_MEASURES)
        issued = f"Before you trade with {name}, check its rules ({rules}): {issued}"
    unconfirmed = [
        f"{counts[of]:,} {words}" for of, words in UNCONFIRMED_WORDS.items() if counts[of]
    ]
    if unconfirmed and own in counts.values():
        words = unconfirmed[0].partition(" ")[2]
        issued += f", {words.replace('their', 'its') if own == 1 else words}"
    elif unconfirmed:
        issued += f", of these {listed(unconfirmed)}"
    if own and of_unions:
        issued += f", besides {of_unions}, to which it belongs"
    others = clauses_of_others(state, code)
    if not others:
        return f"{issued}. {NONE_OF_OTHERS}."
    return f"{issued}. {', and '.join(others)}."


def confirmations(state: Mapping[str, Any]) -> Counter[str]:
    """Return the numbers of its own clauses in force by confirmation."""
    counts = Counter[str]()
    for row in state["own"]:
        counts[row["confirmation"]] += row["clauses"]
    return counts


def clauses_of_others(state: Mapping[str, Any], code: str) -> list[str]:
    """Return the numbers of clauses of other issuers on exports to a place and on imports from it."""
    unions = [one["place"] for one in state["unions"] if code in codes(one["members"])]
    name, own_codes = place_in_text(code), {code, *codes(unions)}
    return [
        _clauses_of_others(rows, direction)
        for direction, rows in (
            (f"exports to {name}", without(state["toward"], own_codes)),
            (f"imports from {name}", without(state["comingFrom"], own_codes)),
        )
        if rows
    ]


def not_an_issuer(place: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """Return the nature of a former state, or of a group that is not a union; empty for other places."""
    if last_day := Place(place["code"]).last_day:
        return f"{place['name']} existed until {short_date(last_day)}. It has figures, but no controls."
    if place["isAggregate"] and place["code"] not in codes(one["place"] for one in state["unions"]):
        return f"“{place['name']}” is a group in statistics, not an issuer of controls."
    return ""


def without(rows: Iterable[Mapping[str, Any]], issuers: set[str]) -> list[Mapping[str, Any]]:
    """Return the groups of clauses of other issuers."""
    return [row for row in rows if row["issuer"]["code"] not in issuers]


def _clauses_of_others(rows: Sequence[Mapping[str, Any]], direction: str) -> str:
    """Return the number of clauses of other issuers on a direction of trade."""
    clauses = many(sum(row["clauses"] for row in rows), "clause")
    have = "has" if len(rows) == 1 else "have"
    return f"{many(len(rows), 'other issuer')} {have} {clauses} in force that cover {direction}"


def aimed_at(controls: Sequence[Mapping[str, Any]], code: str) -> list[Mapping[str, Any]]:
    """Return the controls of other issuers that cover it, each once, those that name it first."""
    others = {one["key"]: one for one in controls if one["issuer"]["code"] != code}
    return sorted(others.values(), key=lambda one: not names(one, code))


def names(control: Mapping[str, Any], code: str) -> bool:
    """Return whether a clause of a control names a place."""
    return any(
        code in codes((*clause["destinations"], *clause["origins"]))
        for clause in control["clauses"]
    )


def draw(controls: Sequence[Mapping[str, Any]], day: date, address: Address) -> StatusTable:
    """Draw instruments as rows with a bar for each clause."""
    rows = []
    for control in controls:
        measures = list(dict.fromkeys(word_phrase(one["measure"]) for one in control["clauses"]))
        parts = (control["issuer"]["name"], control["instrument"], listed(measures, 3))
        rows.append(
            RowOfPeriods(
                control["title"],
                [track_of(one) for one in control["clauses"]],
                ", ".join(part for part in parts if part),
                href=address.link(path_of("controls", control["key"])),
            )
        )
    return draw_status_table(rows, day)


def made_by(figures: Sequence[Mapping[str, Any]]) -> list[Product]:
    """Return its products, the largest share of the latest year first, without those with no output."""
    counts: dict[tuple[str, str | None, str | None], dict[int, int]] = {}
    for index, one in enumerate(figures):
        of = counts.setdefault((one["commodity"]["key"], one["stage"], one["form"]), {})
        of[one["year"]] = index
    products = []
    for (_, stage, form), years in counts.items():
        shares = [figures[years[year]]["figure"]["share"] for year in sorted(years, reverse=True)]
        latest = next((Decimal(share) for share in shares if share is not None), Decimal(-1))
        first = figures[next(iter(years.values()))]
        products.append(Product(first["commodity"], stage, form, years, latest))
    return sorted(products, key=lambda one: (-one.latest_share, one.commodity["name"]))


def exposed(supplies: Sequence[Mapping[str, Any]]) -> list[ExposedSupply]:
    """Return the supplies with a share under controls for the place, the largest share first."""
    exposures = [ExposedSupply(index, one) for index, one in enumerate(supplies)]
    known = [one for one in exposures if one.reached]
    return sorted(known, key=lambda one: (-one.reached, one.supply["commodity"]["name"]))


PAGE = Page(
    __name__,
    "/places/{code}",
    view,
    section="/places",
    table=TableOfPage("controls", renamed={"code": "issuer"}),
    more_tables=(
        TableOfPage("clauses", renamed={"code": "issuer"}),
        TableOfPage("upcoming", renamed={"code": "place"}),
    ),
    feed=FeedOfPage(place="code", calendar=True, ignored=frozenset()),
)
