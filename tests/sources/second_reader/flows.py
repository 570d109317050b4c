"""Supply in the IEA's critical minerals dataset, and trade flows of BACI."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tests.sources.second_reader.cells import Address, records
from tests.sources.second_reader.names import commodity_of, place_of, place_of_alpha3

STAGES = {"mining": "mine", "refining": "refinery"}


@dataclass(frozen=True)
class Supply:
    """A number of the IEA: production at a stage, observed or projected, in thousand tonnes."""

    commodity: str
    stage: str
    place: str
    year: int
    projected: bool
    value: Decimal


@dataclass(frozen=True)
class Flow:
    """The imports of a code from a place: value in USD, quantity in tonnes if there is one."""

    line: int
    exporter: str
    value: Decimal
    quantity: Decimal | None


FlowKey = tuple[str, str, int]
"""Code, importer and year."""


def supplies(path: Path) -> Iterator[tuple[Address, Supply]]:
    """Yield all numbers. `Rest of world` is the total less the named places, which it counts twice."""
    lines = list(records(path))
    named: dict[tuple[str, str, str], Decimal] = {}
    for _, row in lines:
        if row["place"] not in ("Total", "Rest of world"):
            key = block(row)
            named[key] = named.get(key, Decimal(0)) + Decimal(row["value"])
    totals = {block(row): Decimal(row["value"]) for _, row in lines if row["place"] == "Total"}
    for line, row in lines:
        commodity, place = commodity_of(row["mineral"]), place_of(row["place"])
        assert commodity is not None, row
        assert place is not None, row
        value = Decimal(row["value"])
        if place == "OTHER" and row["note"]:
            value = totals[block(row)] - named[block(row)]
        stage, projected = STAGES[row["stage"]], row["kind"] == "projection"
        yield (
            Address(path.name, line, 8, "value"),
            Supply(commodity, stage, place, int(row["year"]), projected, value),
        )


def block(row: dict[str, str]) -> tuple[str, str, str]:
    """Return the mineral, stage and year of a line."""
    return row["mineral"], row["stage"], row["year"]


def flows(path: Path) -> dict[FlowKey, list[Flow]]:
    """Return the flows of a year by code and importer, in the order of the file."""
    read: dict[FlowKey, list[Flow]] = {}
    for line, row in records(path):
        exporter, importer = place_of_alpha3(row["exporter"]), place_of_alpha3(row["importer"])
        if "value_usd" in row:
            value = Decimal(row["value_usd"])
        else:
            value = Decimal(row["value_kusd"]) * 1000
        quantity = Decimal(row["quantity_t"]) if row.get("quantity_t") else None
        key = row["hs6"], importer or row["importer"], int(row["year"])
        read.setdefault(key, []).append(Flow(line, exporter or row["exporter"], value, quantity))
    return read
