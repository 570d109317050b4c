"""Builders of lists of origins, and of the controls of their origins."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from projections.analysis.export_clauses import EFFECTIVE, UPCOMING, ExportClauses
from projections.analysis.import_exposure import (
    ImportExposure,
    import_exposure,
    product_clauses,
    suppliers,
)
from projections.analysis.origin_lists import OriginList, published_list
from tests.support.fact_builders import announced, decided_facts, source, state
from tests.support.grounds import ALL_CONFIRMED
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.control_vocabulary import Measure
from tracker.domain.controls.confirmation import Grounds
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.entities.fact import Fact
from tracker.domain.figures.figure import FigureState
from tracker.domain.figures.figure_facts import Claimed
from tracker.domain.figures.trade_flow import TradeFlowState

DAY = date(2026, 6, 1)
LONG_AFTER = "2030-01-01"
Part = int | str
"""A part in percent: 28, `<1` or `>99`."""
GALLIUM: Mapping[str, Part] = {"CA": 28, "JP": 22, "CN": 18, "DE": 16}
"""The list of gallium metal of MCS 2026, with 16 percent unnamed."""
BOUNDS = {"<": "less_than", ">": "more_than"}


def part(value: Part, unit: str = "percent") -> dict[str, Any]:
    """Return a part as in JSON."""
    text = str(value)
    bound = {"qualifier": BOUNDS[text[0]]} if text[0] in BOUNDS else {}
    return {"unit": unit, "value": text.lstrip("<>"), **bound}


def origin_list(
    parts: Mapping[str, Part] = GALLIUM,
    unnamed: Part | None = 16,
    *,
    commodity: str = "gallium",
    form: str = "metal",
    importer: str = "US",
    first: int = 2021,
    last: int | None = 2024,
    edition: str = "MCS 2026",
    published_on: str = "2026-02-06",
    publisher: str = "usgs",
    whole: Part = 100,
    unit: str = "percent",
    includes: Mapping[str, Sequence[str]] | None = None,
    statistic: str = "import_origins",
) -> Claimed:
    """Return a claim with the origins of imports."""
    origins = [
        {
            "place": place,
            "quantity": part(value, unit),
            "includes": list((includes or {}).get(place, ())),
        }
        for place, value in parts.items()
    ]
    return from_builtins(
        Claimed,
        {
            "source": source(publisher, published_on),
            "series": {
                "commodity": commodity,
                "place": importer,
                "statistic": statistic,
                "form": form,
                "period": first,
                "until": last,
            },
            "edition": edition,
            "quantity": part(whole, unit),
            "origins": {
                "parts": origins,
                "unnamed": None if unnamed is None else part(unnamed, unit),
                "measured": "quantity",
            },
        },
    )


def figure_state(*claims: Claimed, day: str = LONG_AFTER) -> FigureState:
    """Return the figure of some claims on one series on a day."""
    found: FigureState = state(decided_facts(claims[0].stream, *claims), claims[0].stream, day)
    return found


def listed(claim: Claimed) -> OriginList:
    """Return a list of origins."""
    figure = figure_state(claim)
    return published_list(figure, figure.claims[-1])


def control_of(
    issuer: str, *clauses: Mapping[str, Any], id: str = "x", then: Sequence[Fact] = (), **more: Any
) -> ExportControlState:
    """Return a control of a place on the day, with clauses that by default ban gallium."""
    stream = f"export-control/{issuer.lower()}-{id}"
    own = [
        {
            "id": str(number),
            "measure": "ban",
            "commodities": ["gallium"],
            "inForceFrom": "2023-08-01",
            **one,
        }
        for number, one in enumerate(clauses or ({},), 1)
    ]
    opening = announced(*own, on="2023-07-03", issuer=issuer, title="Test", **more)
    found: ExportControlState = state(
        decided_facts(stream, opening, *then), stream, DAY.isoformat()
    )
    return found


def exposed(
    claim: Claimed | OriginList,
    *controls: ExportControlState,
    output: Sequence[FigureState] = (),
    flows: Sequence[TradeFlowState] = (),
    measures: set[Measure] | None = None,
    grounds: Grounds = ALL_CONFIRMED,
) -> ImportExposure:
    """Return the imports of a list under some controls."""
    clauses = ExportClauses(controls, grounds, EFFECTIVE | UPCOMING)
    of = claim if isinstance(claim, OriginList) else listed(claim)
    on_product = product_clauses(of, DAY, clauses).only(measures)
    by_commodity = defaultdict(list)
    for figure in output:
        by_commodity[figure.series.commodity].append(figure)
    return import_exposure(of, on_product, suppliers(of, by_commodity, (), flows))
