"""`/commodities/{key}/dependence`: the imports of a place, their origins, and controls of these. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import Struct

from projections.analysis.import_exposure import OriginStatus
from schema.pages.charts.line_chart import LineChart, page_drawings
from schema.pages.charts.sankey import FlowChart, FlowDrawing
from schema.pages.dependence.alternatives import (
    divided_stages,
    is_about_processed_goods,
    missing_stage_note,
    stage_outputs,
)
from schema.pages.dependence.exposure_lists import (
    PARTS,
    ClauseRow,
    ExposureList,
    beside_rows,
    bounds_sentence,
    clause_rows,
    drawings,
    exposure_lists,
    flow_chart,
    measure_sentences,
    part_in_words,
)
from schema.pages.dependence.prices import control_dates, price_charts, price_rows
from schema.pages.dependence.reliance import reliance_charts, reliance_rows, reliance_sentences
from schema.pages.dependence.tables import dependence_tables
from schema.pages.dependence.trade import flow_rows
from schema.pages.site.address import Address
from schema.pages.site.embedding import AnswerLine
from schema.pages.site.images import CHART, Image, flows_image, line_image
from schema.pages.site.naming import as_of_words
from schema.pages.site.page import Page, TableOfPage
from schema.pages.site.words import publisher_of
from tracker.domain.wording.phrases import listed, many, place_in_text
from tracker.errors import NotFound

IMPORTER = "US"
"""The importer of an address without one, as in the document."""
STRICT_MEASURES = "BAN,QUOTA,LICENCE,DUAL_USE_LICENCE"
"""The measures of the narrower answer: without duties, trade licences and state trading."""
MAX_SENTENCES = 3
"""Maximum number of products in the answer; the sections have all."""


class DrawnList(Struct, frozen=True):
    """A list of origins with its diagrams."""

    of: ExposureList
    flows: Sequence[tuple[str, FlowDrawing]]


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the lists, reliance, alternatives and prices of a commodity. Raises NotFound."""
    state, key = data["asOf"], address.parameters["key"]
    commodity = next(one for one in data["commodities"] if one["key"] == key)
    importer = importer_of(data, address)
    lists = exposure_lists(state["importExposure"]["lists"])
    attribution = "; ".join([listed(sources_of(state)) or "No publisher", as_of_words(state)])
    charts = [flow_chart(one, f"{one.edition}; {one.measured}", address) for one in lists]
    answer, where = answer_sentences(state, lists, importer), place_in_text(importer["code"])
    drawn = next(filter(None, charts), None)
    dates, figure = control_dates(lists), partial(figure_page, address)
    reliance = reliance_charts(state["reliance"]["lines"], importer, attribution, figure)
    prices = price_charts(state["prices"]["lines"], key, dates, attribution, figure)
    return {
        "title": f"{commodity['name']}: dependence of {where}",
        "description": " ".join(answer)
        or f"No figures on the imports of {commodity['name']} to {where} are recorded.",
        "change_days": [
            one["day"] for one in state["transitionDays"] for _ in range(one["transitions"])
        ],
        "sources": sources_of(state),
        "commodity": commodity,
        "importer": importer,
        "where": where,
        "answer": answer,
        "answer_lines": [AnswerLine(text) for text in answer],
        "lists": [
            DrawnList(one, drawings(chart)) for one, chart in zip(lists, charts, strict=True)
        ],
        "parts": PARTS,
        "strict": STRICT_MEASURES,
        "origin_statuses": OriginStatus,
        "part_in_words": part_in_words,
        "measure_sentences": measure_sentences,
        "flows": flow_rows(state["trade"]["nodes"], key),
        **clauses_and_outputs(state, commodity, importer["code"], lists),
        "reliance": reliance_rows(state["reliance"]["lines"]),
        "reliance_lines": [page_drawings(chart) for chart in reliance],
        "prices": price_rows(state["prices"]["lines"], key),
        "price_lines": [page_drawings(chart) for chart in prices],
        "dates": dates,
        "charts": dict(images(drawn, reliance, prices)),
    }


def answer_sentences(
    state: Mapping[str, Any], lists: Sequence[ExposureList], importer: Mapping[str, Any]
) -> list[str]:
    """Return the answer: the bounds of lists and the latest reliance."""
    answer = [
        *(bounds_sentence(one) for one in lists[:MAX_SENTENCES]),
        *reliance_sentences(state["reliance"]["lines"][:MAX_SENTENCES]),
    ]
    flows = state["trade"]["totalCount"]
    if flows and not lists:
        answer.append(
            f"No list of the origins of these imports is recorded for {place_in_text(importer['code'])}."
            f" {many(flows, 'trade flow')} by code are below."
        )
    return answer


def clauses_and_outputs(
    state: Mapping[str, Any],
    commodity: Mapping[str, Any],
    importer: str,
    lists: Sequence[ExposureList],
) -> dict[str, Any]:
    """Return the clauses behind the bounds, and the producers without one."""
    clauses, beside = clause_rows(lists), beside_rows(lists)
    processed = is_about_processed_goods(naming_clauses([*clauses, *beside]))
    outputs = stage_outputs(state, importer, processed_first=processed)
    return {
        "full_clauses": [row for row in clauses if row.is_full],
        "part_clauses": [row for row in clauses if not row.is_full],
        "beside": beside,
        "outputs": outputs,
        "stage_note": missing_stage_note(
            commodity["name"], [one.stage for one in outputs], processed_first=processed
        ),
        "divided": divided_stages(state, commodity["key"]),
    }


def images(
    flows: FlowChart | None, reliance: Sequence[LineChart], prices: Sequence[LineChart]
) -> Iterator[tuple[str, Image]]:
    """Yield the charts as images by part: the origins of the first list, reliance, and prices by unit."""
    if flows:
        yield CHART, flows_image(flows)
    for chart in reliance:
        yield "reliance", line_image(chart, "Net import reliance")
    for number, chart in enumerate(prices, 1):
        yield f"prices-{number}", line_image(chart, f"Prices in {chart.unit}")


def figure_page(address: Address, key: str) -> str:
    """Return the address of the page of a figure."""
    return address.link(f"/figures/{key}")


def importer_of(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the importer. Raises NotFound."""
    code = address.parameters.get("importer", IMPORTER)
    for one in data["places"]:
        if one["code"] == code:
            place: Mapping[str, Any] = one
            return place
    raise NotFound(f"no place {code!r}", path=("importer",))


def naming_clauses(rows: Iterable[ClauseRow]) -> list[Mapping[str, Any]]:
    """Return the clauses that name the goods, not only a group of them."""
    return [row.applied["clause"] for row in rows if row.applied["match"] == "CERTAIN"]


def sources_of(state: Mapping[str, Any]) -> list[str]:
    """Return the names of the publishers, those of the lists first."""
    of_lists = [one.source for one in exposure_lists(state["importExposure"]["lists"])]
    others = [claim["source"] for claim in _claims(state)]
    return list(dict.fromkeys(map(publisher_of, [*of_lists, *others])))


def _claims(state: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for field in ("reliance", "prices"):
        for line in state[field]["lines"]:
            yield from (point["claim"] for point in line["points"])
    yield from (one["preferred"] for one in state["trade"]["nodes"])


OF_COMMODITY = {"key": "commodity"}
PAGE = Page(
    __name__,
    "/commodities/{key}/dependence",
    view,
    section="/commodities",
    table=TableOfPage("import-exposure", OF_COMMODITY),
    more_tables=(
        *dependence_tables(OF_COMMODITY),
        TableOfPage("prices", OF_COMMODITY, without=frozenset({"importer", "form", "measures"})),
    ),
    defaults=lambda address: {"importer": IMPORTER},
    without_codes=frozenset({"form"}),
)
