"""Output over the years by edition: the chart, and the table of world totals. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from msgspec import Struct

from schema.pages.charts.line_chart import SERIES, Line, LineChart, YearMark, change_in_words
from schema.pages.site.address import Address
from schema.pages.site.amounts import EXACT_QUALIFIERS, amount, measured, same_measure, unit
from schema.pages.site.naming import edition_of, kind_of_figure, product
from tracker.domain.wording.phrases import in_running_text, possessive, rounded
from tracker.errors import InvalidInput

MAX_PLACES = 5
"""Maximum number of places that are drawn unless a reader selects others."""
MAX_SERIES = len(SERIES) + 1
WORLD = "WORLD"
MAX_GAP_YEARS = 3
"""Maximum gap between drawn years. Older years would compress the others."""
Claim = Mapping[str, Any]
LinkTo = Callable[[str], str]
"""A function from the key of a figure to the address of its page."""


class PlaceYear(Struct, frozen=True):
    """The claims on the output of a place, or the world, in a year."""

    year: int
    figure: str
    in_use: Claim
    claims: Sequence[Claim]


class EditionRow(Struct, frozen=True):
    """An edition's claim on the world's output in a year."""

    year: int
    figure: str
    claim: Claim
    path: str
    """Path of the claim in the response."""
    edition: str
    words: str
    in_use: bool
    other_measure: str | None
    """Its unit and basis if they differ from those of the chart."""


def offered_series(state: Mapping[str, Any]) -> dict[str, str]:
    """Return the series that can be drawn with their names: the world, then places by share."""
    places = (
        one["place"]
        for one in state["production"]["figures"]
        if not one["place"]["isAggregate"] and Decimal(one["value"] or 0)
    )
    return {WORLD: "World", **{one["code"]: one["name"] for one in places}}


def chosen_series(state: Mapping[str, Any], chosen: str | None) -> list[str]:
    """Return the codes of the drawn series. Raises InvalidInput."""
    offered = list(offered_series(state))
    if not chosen:
        return offered[: MAX_PLACES + 1]
    codes = list(dict.fromkeys(chosen.upper().split(",")))
    if not {*codes} <= {*offered} or len(codes) > MAX_SERIES:
        raise InvalidInput(
            f"expected at most {MAX_SERIES} of {', '.join(offered)}", path=("series",)
        )
    return codes


def series_links(
    state: Mapping[str, Any], codes: Sequence[str], address: Address
) -> list[tuple[str, str, bool]]:
    """Return each series with the link that adds or removes it, and whether it is drawn."""
    links = []
    for code, name in offered_series(state).items():
        drawn = [one for one in codes if one != code] if code in codes else [*codes, code]
        if drawn and len(drawn) <= MAX_SERIES:
            links.append((name, address.narrowed(series=",".join(drawn)), code in codes))
    return links


def years_chart(
    state: Mapping[str, Any], name: str, source: str, link: LinkTo, codes: Sequence[str]
) -> LineChart | None:
    """Return the chart of the world and of places, over all years.

    None if nothing can be drawn on one scale.
    """
    shown, names = state["production"], offered_series(state)
    measure = chart_measure(shown)
    if measure is None:
        return None
    first = first_drawn_year(state)
    colours = iter(SERIES)
    drawn = [
        Line(
            names[code],
            list(_marks(names[code], _years_of(state, code), measure, link)),
            "ink" if code == WORLD else next(colours, "ink"),
        )
        for code in codes
    ]
    lines = [
        Line(line.name, marks, line.colour)
        for line in drawn
        for marks in [[mark for mark in line.marks if mark.year >= first]]
        if any(mark.in_use for mark in marks)
    ]
    if not lines:
        return None
    goods = product(name, shown["form"])
    basis = unit(measure).removesuffix(f" {in_running_text(goods)}")
    title = years_finding(lines[0], goods, shown["stage"], basis)
    return LineChart(title, _description(lines, measure), source, unit(measure), lines)


def years_finding(line: Line, goods: str, stage: str | None, measure: str) -> str:
    """Return the first and the last number of the last unbroken part of a line, in words."""
    kind = kind_of_figure("PRODUCTION", stage)
    whose = "World" if line.name == "World" else possessive(line.name)
    change = change_in_words(line.marks, measure)
    return f"{whose} {kind} of {in_running_text(goods)} {change}" if change else f"{goods}: {kind}"


def first_drawn_year(state: Mapping[str, Any]) -> int:
    """Return the first year of those without large gaps, up to the latest with figures."""
    years = sorted(one["year"] for one in state["years"])
    breaks = [later for year, later in pairwise(years) if later - year > MAX_GAP_YEARS]
    return max([*breaks, *years[:1]], default=0)


def chart_measure(production: Mapping[str, Any]) -> Claim | None:
    """Return the claim with the unit and basis of the chart: the world's, or else that of the largest
    place."""
    claims = [production["world"], *production["figures"]]
    return next((claim for claim in claims if claim and claim["value"] is not None), None)


def world_years(state: Mapping[str, Any]) -> list[PlaceYear]:
    """Return the claims on the world's output of the selected product, the newest year first."""
    shown = state["production"]
    return [
        _place_year(figure["series"]["period"], figure["key"], figure)
        for figure in state["worldFigures"]["nodes"]
        if is_product(figure["series"], shown)
    ]


def is_product(series: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    """Return whether a figure is of the selected product."""
    product = ((shown["figuresOf"] or shown["commodity"])["key"], shown["stage"], shown["form"])
    return (series["commodity"]["key"], series["stage"], series["form"]) == product


def _years_of(state: Mapping[str, Any], code: str) -> list[PlaceYear]:
    return world_years(state) if code == WORLD else place_years(state, code)


def place_years(state: Mapping[str, Any], code: str) -> list[PlaceYear]:
    """Return the claims on the output of a place."""
    return [
        _place_year(of_year["year"], figure["figure"], figure)
        for of_year in state["years"]
        for figure in of_year["figures"]
        if figure["place"]["code"] == code
    ]


def _place_year(year: int, key: str, figure: Mapping[str, Any]) -> PlaceYear:
    claims = figure["claims"]
    position = figure["preferred"]["position"] if figure["preferred"] else None
    in_use = next((claim for claim in claims if claim["position"] == position), claims[-1])
    return PlaceYear(year, key, in_use, claims)


def _marks(
    name: str, years: Sequence[PlaceYear], measure: Claim, link: LinkTo
) -> Iterator[YearMark]:
    """Yield the preferred claim of each year, and different claims of its publisher's earlier editions."""
    for one in years:
        in_use = one.in_use
        if not _can_be_drawn(in_use, measure):
            continue
        yield _mark(name, one, in_use, link, in_use=True)
        for claim in one.claims:
            is_earlier = claim["publisher"] == in_use["publisher"] and not claim["latest"]
            if is_earlier and _can_be_drawn(claim, measure) and claim["value"] != in_use["value"]:
                yield _mark(name, one, claim, link, in_use=False)


def _can_be_drawn(claim: Claim, measure: Claim) -> bool:
    return (
        claim["value"] is not None
        and claim["qualifier"] in EXACT_QUALIFIERS
        and same_measure(claim, measure)
    )


def _mark(name: str, one: PlaceYear, claim: Claim, link: LinkTo, *, in_use: bool) -> YearMark:
    estimated = ", estimated" if claim["estimated"] else ""
    edition_note = "" if in_use else ", an earlier edition"
    words = f"{name}, {one.year}: {measured(claim)}{estimated}, {claim['edition']}{edition_note}"
    number, address = Decimal(claim["value"]), link(one.figure)
    return YearMark(
        one.year, number, words, address, in_use, claim["publisher"], estimated=claim["estimated"]
    )


def _description(lines: Sequence[Line], measure: Claim) -> str:
    """Return the first and last number of each line, in words."""
    parts = []
    for line in lines:
        marks = sorted((mark for mark in line.marks if mark.in_use), key=lambda mark: mark.year)
        first, last = marks[0], marks[-1]
        parts.append(
            f"{line.name}: {rounded(first.value)} in {first.year}, {rounded(last.value)} in {last.year}"
            if first is not last
            else f"{line.name}: {rounded(first.value)} in {first.year}"
        )
    return f"In {unit(measure)}. {'; '.join(parts)}."


def edition_rows(state: Mapping[str, Any]) -> list[EditionRow]:
    """Return all editions' claims on the world's output, the newest year first, then the newest edition."""
    measure = chart_measure(state["production"])
    rows = []
    for index, figure in enumerate(state["worldFigures"]["nodes"]):
        if not is_product(figure["series"], state["production"]):
            continue
        one = _place_year(figure["series"]["period"], figure["key"], figure)
        for number, claim in reversed(list(enumerate(one.claims))):
            other = measure is not None and not same_measure(claim, measure)
            rows.append(
                EditionRow(
                    one.year,
                    one.figure,
                    claim,
                    f"asOf.worldFigures.nodes.{index}.claims.{number}",
                    edition_of(claim),
                    amount(claim),
                    claim is one.in_use,
                    unit(claim) if other and claim["value"] is not None else None,
                )
            )
    return rows
