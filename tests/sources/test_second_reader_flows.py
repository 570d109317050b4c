"""The product reads supply and trade flows as a second reader does, and ships the numbers of the files."""

import re
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.sources.product_readings import RAW, facts, shipped
from tests.sources.second_reader import flows
from tracker.domain.catalogue.unions import EU, members_of
from tracker.domain.figures.figure_facts import Claimed
from tracker.domain.figures.trade_flow import FlowClaimed

IEA = RAW / "iea" / "iea-supply-2025.csv"
pytestmark = pytest.mark.skipif(not IEA.exists(), reason="../shared/data/raw is not here")

DIGITS = Decimal("1e-6")
"""The accuracy of a rest of the world that is computed: the file has binary fractions."""


def baci(year: int) -> Path:
    return RAW / "baci" / f"baci_hs17_v202601_{year}.csv"


def test_supply_of_the_iea_agrees_on_every_line() -> None:
    claims = dict(facts(IEA, Claimed))
    for supply in flows.supplies(IEA):
        claim = claims.pop(supply.line)
        series, quantity = claim.series, claim.quantity
        assert (series.commodity, series.stage, series.place) == (
            supply.commodity,
            supply.stage,
            supply.place,
        )
        statistic = "production_projection" if supply.projected else "production"
        assert (series.statistic, series.period) == (statistic, supply.year)
        assert (quantity.unit, quantity.qualifier) == ("kt", None)
        assert quantity.value is not None
        assert abs(quantity.value - supply.value) < DIGITS
        assert claim.source.reference is not None
        assert claim.source.reference.startswith(f"{IEA.name}, line {supply.line};")
    assert not claims


@pytest.mark.parametrize("year", [2022, 2024])
def test_trade_flows_agree_on_every_part(year: int) -> None:
    expected = flows.flows(baci(year))
    for _, claim in facts(baci(year), FlowClaimed):
        parts = expected.pop((claim.hs_code, claim.importer, claim.year))
        read = {
            part.place: (part.value and part.value.value, part.quantity and part.quantity.value)
            for part in claim.origins.parts
        }
        assert read == {flow.exporter: (flow.value, flow.quantity) for flow in parts}
        assert claim.origins.unnamed is None
        assert claim.value.value == sum(flow.value for flow in parts)
        weights = [flow.quantity for flow in parts if flow.quantity is not None]
        complete = len(weights) == len(parts)
        assert claim.quantity.value == (sum(weights, Decimal(0)) if complete else None)
        assert claim.source.reference == reference(baci(year), parts)
    assert not expected


def reference(path: Path, parts: list[flows.Flow]) -> str:
    """Return the reference to the lines of a flow."""
    first, last = parts[0].line, parts[-1].line
    return (
        f"{path.name}, line {first}" if first == last else f"{path.name}, lines {first} to {last}"
    )


def test_every_shipped_flow_has_the_numbers_of_its_lines() -> None:
    lines = {flow.line: flow for parts in flows.flows(baci(2024)).values() for flow in parts}
    claims = list(shipped("TradeFlow.Claimed"))
    assert claims
    for claim in claims:
        match = re.fullmatch(r"(\S+), lines? (\d+)(?: to (\d+))?", claim["source"]["reference"])
        assert match is not None
        assert match[1] == baci(2024).name
        cited = {line: lines[line] for line in range(int(match[2]), int(match[3] or match[2]) + 1)}
        by_place = {flow.exporter: flow for flow in cited.values()}
        for part in claim["origins"]["parts"]:
            flow = by_place.pop(part["place"])
            assert Decimal(part["value"]["value"]) == flow.value
            assert decimal(part.get("quantity")) == flow.quantity
        unnamed = claim["origins"].get("unnamedValue")
        assert (decimal(unnamed) or 0) == sum(flow.value for flow in by_place.values())
        assert decimal(claim["value"]) == sum(flow.value for flow in cited.values())


def test_imports_of_the_union_from_outside_are_those_of_the_file() -> None:
    members = members_of(EU, date(2024, 12, 31))
    outside = defaultdict[str, Decimal](Decimal)
    for (code, importer, _), parts in flows.flows(baci(2024)).items():
        if importer in members:
            outside[code] += sum(flow.value for flow in parts if flow.exporter not in members)
    named = defaultdict[str, Decimal](Decimal)
    for claim in shipped("TradeFlow.Claimed"):
        if claim["importer"] in members:
            inside = [one for one in claim["origins"]["parts"] if one["place"] in members]
            trade_inside = sum(Decimal(one["value"]["value"]) for one in inside)
            named[claim["hsCode"]] += Decimal(claim["value"]["value"]) - trade_inside
    assert {code: of for code, of in named.items() if of} == {
        code: outside[code] for code in named if outside[code]
    }
    assert outside["850511"] == Decimal("1215556922")


def decimal(quantity: dict[str, str] | None) -> Decimal | None:
    """Return the number of a quantity in the corpus, if there is one."""
    return Decimal(quantity["value"]) if quantity and "value" in quantity else None


def test_every_shipped_figure_of_the_iea_has_the_number_of_its_line() -> None:
    supplies = {supply.line: supply for supply in flows.supplies(IEA)}
    claims = [claim for claim in shipped("Figure.Claimed") if claim["source"]["publisher"] == "iea"]
    assert claims
    for claim in claims:
        match = re.match(r"iea-supply-2025.csv, line (\d+);", claim["source"]["reference"])
        assert match is not None
        supply = supplies[int(match[1])]
        series = claim["series"]
        assert (series["commodity"], series["place"], series["period"]) == (
            supply.commodity,
            supply.place,
            supply.year,
        )
        assert (series["statistic"] == "production") is not supply.projected
        assert abs(Decimal(claim["quantity"]["value"]) - supply.value) < DIGITS
