"""Supply in the IEA's critical minerals dataset, and trade flows of BACI."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from tests.sources.second_reader.cells import records
from tests.sources.second_reader.names import commodity_of, place_of


class Supply(NamedTuple):
    """A number of the IEA: production at a stage, observed or projected, in thousand tonnes."""

    line: int
    commodity: str
    stage: str
    place: str
    year: int
    projected: bool
    value: Decimal


class Flow(NamedTuple):
    """The imports of a code from a place: value in USD, quantity in tonnes if there is one."""

    line: int
    exporter: str
    value: Decimal
    quantity: Decimal | None


def supplies(path: Path) -> Iterator[Supply]:
    """Yield all numbers. `Rest of world` is the total less the named places, which it counts twice."""
    lines = list(records(path))
    others: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for _, row in lines:
        if row["place"] != "Rest of world":
            sign = 1 if row["place"] == "Total" else -1
            others[row["mineral"], row["stage"], row["year"]] += sign * Decimal(row["value"])
    for line, row in lines:
        commodity, place = commodity_of(row["mineral"]), str(place_of(row["place"]))
        stage = {"mining": "mine", "refining": "refinery"}[row["stage"]]
        if (commodity, stage) == ("graphite", "refinery"):
            commodity = "anode_materials"  # battery grade, natural and synthetic (trap 41)
        value = Decimal(row["value"])
        if place == "OTHER" and row["note"]:
            value = others[row["mineral"], row["stage"], row["year"]]
        year, projected = int(row["year"]), row["kind"] == "projection"
        yield Supply(line, commodity, stage, place, year, projected, value)


def flows(path: Path) -> dict[tuple[str, str, int], list[Flow]]:
    """Return the flows of a year by code, importer and year, in the order of the file."""
    read: dict[tuple[str, str, int], list[Flow]] = defaultdict(list)
    for line, row in records(path):
        exporter, importer = (str(place_of(row[side])) for side in ("exporter", "importer"))
        dollars, thousands = row.get("value_usd"), row.get("value_kusd")
        value = Decimal(dollars) if dollars else Decimal(thousands or 0) * 1000
        quantity = Decimal(row["quantity_t"]) if row.get("quantity_t") else None
        read[row["hs6"], importer, int(row["year"])].append(Flow(line, exporter, value, quantity))
    return read
