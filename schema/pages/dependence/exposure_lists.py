"""Lists of the origins of imports, with the bounds of the part under export controls. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from schema.pages.charts.exposure_bar import ExposureBar, bar_segments
from schema.pages.charts.sankey import FLOW_WORDS, Flow, FlowChart, page_drawings
from schema.pages.charts.sankey import FlowDrawing as Drawing
from schema.pages.site.address import Address, path_of
from schema.pages.site.amounts import amount, unit
from schema.pages.site.naming import edition_of, product
from schema.pages.site.words import publisher_of
from tracker.domain.wording.phrases import (
    NBSP,
    many,
    percent,
    place_in_text,
    sum_phrase,
    with_article,
    with_capital,
    word_phrase,
)
from tracker.domain.wording.phrases import listed as listed_phrase

PARTS = {
    "full": "covered by controls in force",
    "terms": "covered, not confirmed",
    "part": "partly covered",
    "none": "no control recorded",
    "unnamed": "places that the publisher does not name",
}
"""Parts of a bar in order, in words of the legend; the names are those of the style sheet."""
SUMS = dict(zip(PARTS, FLOW_WORDS, strict=True))
"""Fields of the sums by the parts of a bar."""
UNNAMED = "Other countries"
MAX_NAMES = 3
"""Maximum number of origins in a sentence."""
MAX_FLOWS = 8
"""Maximum number of origins in a diagram; those after it are sums by kind."""
ALL_PRODUCTS = "all"
"""The product of a list that is not divided."""

OriginList = Mapping[str, Any]
"""A list with its bounds, as in the API."""


class ExposureList(Struct, frozen=True):
    """A list of the origins of a product with its bar."""

    index: int
    """Index among the lists of the response."""
    listed: OriginList
    name: str
    bar: ExposureBar
    bounds: str
    """The bounds in words: `18 %`, `0 % to 30 %`."""

    @property
    def path(self) -> str:
        """Return its path in the response."""
        return f"asOf.importExposure.lists.{self.index}"

    def share(self, name: str) -> str:
        """Return one of its sums or bounds as a share."""
        return share_in_words(self.listed[name], self.listed)

    @property
    def years(self) -> str:
        """Return its year, or that it is an average of several."""
        first, last = self.listed["firstYear"], self.listed["lastYear"]
        return f"average of {first} to {last}" if last != first else str(first)

    @property
    def measured(self) -> str:
        """Return its years, and its measure."""
        measure = self.listed["measured"]
        return f"{self.years}, by {measure}" if measure else self.years

    @property
    def source(self) -> Mapping[str, Any]:
        """Return the source of its claim, or of its first trade flow."""
        claim = self.listed["claim"] or self.listed["flows"][0]["preferred"]
        source: Mapping[str, Any] = claim["source"]
        return source

    @property
    def edition(self) -> str:
        """Return the publisher and the edition."""
        claim = self.listed["claim"]
        edition = edition_of(claim) if claim else self.listed["edition"]
        return f"{publisher_of(self.source)}, {edition}"

    @property
    def address(self) -> str:
        """Return the path of its claim: the figure, or the event of its first trade flow."""
        claim = self.listed["claim"]
        if claim:
            return f"/figures/{claim['figure']}"
        return f"/events/{self.listed['flows'][0]['preferred']['position']}"


def product_name(commodity: str, form: str | None) -> str:
    """Return the name of a product; a list of all products has the name of the commodity."""
    return commodity if form == ALL_PRODUCTS else product(commodity, form)


def list_name(listed: OriginList) -> str:
    """Return the product of a list, or the code of its trade flows."""
    if listed["hsCode"]:
        return f"{listed['commodity']['name']}, HS {listed['hsCode']}"
    return product_name(listed["commodity"]["name"], listed["form"])


def exposure_lists(lists: Sequence[OriginList]) -> list[ExposureList]:
    """Return the lists of a response in its order."""
    return [
        ExposureList(index, one, list_name(one), list_bar(one), bounds_in_words(one))
        for index, one in enumerate(lists)
    ]


def list_bar(listed: OriginList) -> ExposureBar:
    """Draw the sums of a list as parts of its whole. The remainder of rounding has no part."""
    whole = Decimal(listed["whole"]) or Decimal(1)
    segments = bar_segments(
        {part: max(Decimal(listed[name]) / whole, Decimal(0)) for part, name in SUMS.items()}
    )
    spoken = [f"{in_unit(listed[SUMS[one.part]], listed)} {PARTS[one.part]}" for one in segments]
    return ExposureBar(segments, "; ".join(spoken) or "No part has a number")


def in_unit(number: str, listed: OriginList) -> str:
    """Return a number with the unit of a list: `18 %`."""
    return f"{sum_phrase(number)}{NBSP}{unit({'unit': listed['unit'], 'basis': None})}"


def bounds_in_words(listed: OriginList) -> str:
    """Return the bounds of the controlled part: one number if both are equal."""
    lower, upper = (share_in_words(listed[name], listed) for name in ("lower", "upper"))
    return lower if lower == upper else f"{lower} to {upper}"


def share_in_words(number: str, listed: OriginList) -> str:
    """Return a number as published in percent, or the share of an amount in the whole."""
    if listed["unit"] == "percent":
        return in_unit(number, listed)
    return percent(Decimal(number) / (Decimal(listed["whole"]) or 1))


def bounds_sentence(one: ExposureList) -> str:
    """Return the answer for a list: the part of the imports that comes from places with controls."""
    listed = one.listed
    where = place_in_text(listed["importer"]["code"])
    measures = [word_phrase(row["measure"]) for row in listed["measures"]]
    kinds = f" ({', '.join(measures)})" if measures else ""
    if listed["lower"] == listed["upper"]:
        text = (
            f"{one.name}: {one.bounds} of the imports of {where} came from places whose export controls"
            f" on it{kinds} are in force toward this destination."
        )
    else:
        text = (
            f"{one.name}: {one.share('upper')} of the imports of {where}"
            f" {_possible_origins(listed)} export controls toward it{kinds} {_doubts(listed)}:"
            f" {one.bounds} are under control."
        )
    if listed["tight"] != listed["upper"]:
        text += f" The inferred upper bound is {one.share('tight')}."
    return f"{text} Imports: {one.measured} ({one.edition})."


def _possible_origins(listed: OriginList) -> str:
    """Return where the goods of the upper bound came from: `came from China, whose`."""
    names = [
        one["place"]["name"] for one in listed["origins"] if one["controls"]["status"] != "NONE"
    ]
    if not _counts_unnamed(listed):
        return f"came from {listed_phrase(names, MAX_NAMES)}, whose"
    named = f"{listed_phrase(names, MAX_NAMES)}, or from " if names else ""
    return f"came, or may have come, from {named}places that the publisher does not name, whose"


def _counts_unnamed(listed: OriginList) -> bool:
    """Return whether the upper bound includes places that the publisher does not name."""
    known = sum(Decimal(listed[part]) for part in ("certain", "assumed", "partly"))
    return Decimal(listed["upper"]) > known


def _doubts(listed: OriginList) -> str:
    """Return why the controlled part is not known."""
    doubts = {
        "cover only some of these goods": Decimal(listed["partly"]) > 0,
        "are not confirmed": Decimal(listed["assumed"]) > 0,
        "are not known": _counts_unnamed(listed),
    }
    return " or ".join(text for text, holds in doubts.items() if holds)


def part_in_words(origin: Mapping[str, Any]) -> str:
    """Return the part of an origin as published, with its unit."""
    quantity = origin["quantity"]
    if quantity is None or quantity["value"] is None:
        return amount(quantity)
    return f"{amount(quantity)}{NBSP}{unit(quantity)}"


def flow_chart(one: ExposureList, source: str, address: Address) -> FlowChart | None:
    """Return the diagram of a list; None if no part of it has a number."""
    listed = one.listed
    flows = [
        Flow(
            origin["place"]["name"],
            Decimal(origin["least"]),
            part_in_words(origin),
            str(origin["controls"]["status"]).lower(),
            None
            if origin["place"]["isAggregate"]
            else address.link(path_of("places", origin["place"]["code"])),
        )
        for origin in listed["origins"]
    ]
    imports = f"of the imports of {place_in_text(listed['importer']['code'])}"
    title = f"{one.name}: origins {imports}"
    places = [flow for flow in flows if flow.address and flow.amount > 0]
    if largest := max(places, key=lambda flow: flow.amount, default=None):
        title = f"{one.name}: {largest.words} {imports} came from {with_article(largest.name)} ({one.years})"
    flows = largest_flows(flows, listed)
    unnamed = Decimal(listed["unnamed"])
    if unnamed > 0:
        flows.append(Flow(UNNAMED, unnamed, in_unit(listed["unnamed"], listed), "unnamed"))
    if not any(flow.amount > 0 for flow in flows):
        return None
    return FlowChart(title, source, listed["importer"]["name"], flows)


def largest_flows(flows: Sequence[Flow], listed: OriginList) -> list[Flow]:
    """Return the first flows, and the sum of the others of each kind: an image has room for some."""
    if len(flows) <= MAX_FLOWS:
        return list(flows)
    others: dict[str, list[Flow]] = {}
    for flow in flows[MAX_FLOWS:]:
        others.setdefault(flow.kind, []).append(flow)
    sums = {kind: sum((one.amount for one in of), Decimal(0)) for kind, of in others.items()}
    return [
        *flows[:MAX_FLOWS],
        *(
            Flow(
                many(len(of), "further origin"), sums[kind], in_unit(str(sums[kind]), listed), kind
            )
            for kind, of in others.items()
        ),
    ]


def drawings(chart: FlowChart | None) -> list[tuple[str, Drawing]]:
    """Return the drawings of a diagram for a page."""
    return page_drawings(chart) if chart else []


def measure_sentences(one: ExposureList) -> list[str]:
    """Return the parts by measure in words, as far as they are more than 0."""
    sentences = []
    for row in one.listed["measures"]:
        parts = [
            f"{in_unit(row[name], one.listed)} {FLOW_WORDS[name]}"
            for name in ("certain", "assumed", "partly")
            if Decimal(row[name]) > 0
        ]
        if parts:
            sentences.append(f"{word_phrase(row['measure'])} {', '.join(parts)}")
    return sentences


class ClauseRow(Struct, frozen=True):
    """A clause on products of some origins, with the lists to which it applies."""

    origin: str
    applied: Mapping[str, Any]
    rests_on: int
    """Number of further clauses that it rests on."""
    lists: Sequence[str]

    @property
    def is_full(self) -> bool:
        """Return whether it covers all of the product."""
        return bool(self.applied["reach"] == "FULL")

    @property
    def covers(self) -> str:
        """Return the part of the product that it covers, with the reasons if that is not all."""
        if self.is_full:
            return "all of the product"
        return (
            f"a part: {'; '.join(self.applied['limits'])}" if self.applied["limits"] else "a part"
        )

    @property
    def rule(self) -> str:
        """Return its measure."""
        return with_capital(word_phrase(self.applied["clause"]["measure"]))


def clause_rows(lists: Sequence[ExposureList]) -> list[ClauseRow]:
    """Return the clauses in force behind the bounds, each once for each reach; full ones first."""
    rows = _rows(
        (one, place, requirement["clause"], len(requirement["legalBases"]))
        for one, place, controls in _controls(lists)
        for requirement in controls["requirements"]
    )
    return sorted(rows, key=lambda row: not row.is_full)


def beside_rows(lists: Sequence[ExposureList]) -> list[ClauseRow]:
    """Return the suspended, announced and proposed clauses, which do not count."""
    return _rows(
        (one, place, applied, 0)
        for one, place, controls in _controls(lists)
        for applied in controls.get("beside", ())
    )


def _controls(
    lists: Sequence[ExposureList],
) -> Iterator[tuple[ExposureList, str, Mapping[str, Any]]]:
    for one in lists:
        for origin in one.listed["origins"]:
            yield one, origin["place"]["name"], origin["controls"]
        for supplier in one.listed["unnamedSuppliers"]:
            yield one, supplier["place"]["name"], supplier


def _rows(found: Iterator[tuple[ExposureList, str, Mapping[str, Any], int]]) -> list[ClauseRow]:
    rows: dict[tuple[str, ...], ClauseRow] = {}
    for one, place, applied, bases in found:
        key = (
            place,
            applied["control"]["key"],
            applied["clause"]["key"],
            applied["reach"],
            *applied["limits"],
        )
        lists = [*rows[key].lists, one.name] if key in rows else [one.name]
        rows[key] = ClauseRow(place, applied, bases, list(dict.fromkeys(lists)))
    return list(rows.values())
