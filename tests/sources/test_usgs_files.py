"""The real USGS files of four editions: all is read or refused, and the numbers are believable."""

import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.cases import each_case
from tracker.domain.basics.units import TONNES_PER_UNIT, Unit
from tracker.domain.basics.values import Quantity
from tracker.domain.basics.vocabulary import Qualifier, Statistic
from tracker.domain.entities.fact import ENTITY_PATH
from tracker.domain.figures.figure_facts import Claimed
from tracker.sources.reader import File, Item, RefusedItem
from tracker.sources.readers.usgs import READER

DATA = Path(__file__).parents[2].parent / "shared" / "data"
RAW = DATA / "raw"
SOURCES = {
    "MCS 2023": "usgs_mcs2023",
    "MCS 2024": "usgs_mcs2024",
    "MCS 2025": "MCS2025_World_Data.csv",
    "MCS 2026": "MCS2026_Commodities_Data.csv",
}
pytestmark = pytest.mark.skipif(not RAW.exists(), reason="../shared/data/raw is not here")


@dataclass(frozen=True)
class Reading:
    """A claim, and where it was read."""

    file: str
    line: int
    column: str | None
    claim: Claimed


@dataclass(frozen=True)
class NotRead:
    """A refusal, and where."""

    file: str
    line: int
    column: str | None
    text: str
    reason: str


@cache
def edition(name: str) -> tuple[Reading | NotRead, ...]:
    """Return the items of the tables by country."""
    path = RAW / SOURCES[name]
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    items = (shown(file.name, item) for file in files for item in READER.read(File.at(file)))
    others = {line for line, row in long_rows() if not row["Section"].startswith("World")}
    return tuple(item for item in items if name != "MCS 2026" or item.line not in others)


@cache
def long_rows() -> list[tuple[int, dict[str, str]]]:
    with (RAW / SOURCES["MCS 2026"]).open(encoding="cp1252", newline="") as file:
        reader = csv.DictReader(file)
        return [(reader.line_num, row) for row in reader]


def shown(file: str, item: Item) -> Reading | NotRead:
    """Return an item with the name of its file."""
    if isinstance(item, RefusedItem):
        return NotRead(file, item.at.line, item.at.column, item.text, item.reason)
    assert isinstance(item.planned.fact, Claimed)
    return Reading(file, item.at.line, item.at.column, item.planned.fact)


def readings(name: str) -> list[Reading]:
    return [item for item in edition(name) if isinstance(item, Reading)]


def refused(name: str) -> list[NotRead]:
    return [item for item in edition(name) if isinstance(item, NotRead)]


@cache
def quantities(name: str) -> dict[str, Quantity]:
    return {r.claim.series.stream: r.claim.quantity for r in readings(name)}


def tonnes(quantity: Quantity) -> Decimal | None:
    """Return the number in tonnes, for a mass."""
    if quantity.value is None or quantity.unit not in TONNES_PER_UNIT:
        return None
    return quantity.unit.convert(quantity.value, Unit("t"))


# --- all is accounted for


@each_case(
    ("name", "count", "unread"),
    [
        (
            "MCS 2023",
            1507,
            {
                "reserves are stated in the rows for the mine": 18,
                "blank": 18,
                "more than the world total of 210,000 kt": 1,
            },
        ),
        ("MCS 2024", 1570, {"column without a header": 12}),
        (
            "MCS 2025",
            3114,
            {
                "blank": 158,
                "a capacity, by the publisher's note": 10,
                "a capacity": 11,
                "less than the United States alone (4,500 kt)": 1,
            },
        ),
        ("MCS 2026", 3303, {}),
    ],
)
def test_each_edition_has_so_many_readings_and_these_reasons_for_the_rest(
    name: str, count: int, unread: dict[str, int]
) -> None:
    reasons = Counter(re.split(r": |; ", item.reason)[0] for item in refused(name))
    assert (len(readings(name)), dict(reasons)) == (count, unread)


def value_cells(path: Path, encoding: str) -> Iterator[tuple[str, int, str, str]]:
    """Yield every cell with a value, found without the reader: file, line, column, text."""
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        for row in reader:
            for name, text in zip(header, row, strict=False):
                if re.match(r"prod|cap|res", name, re.I) and "note" not in name.lower():
                    yield path.name, reader.line_num, name.strip(), text.strip()


@each_case("name", ["MCS 2023", "MCS 2024", "MCS 2025"])
def test_every_value_of_the_wide_tables_is_read_or_refused_once(name: str) -> None:
    path = RAW / SOURCES[name]
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    values = Counter(
        cell[:3] for file in files for cell in value_cells(file, "utf-8-sig") if cell[3]
    )
    found = Counter((item.file, item.line, item.column) for item in edition(name))
    assert {cell: found[cell] for cell in values} == dict.fromkeys(values, 1)
    assert max(found[c] for c in found if c[2]) == 1


def test_every_row_of_the_long_file_is_read_or_refused_once() -> None:
    lines: list[int] = []
    for item in READER.read(File.at(RAW / SOURCES["MCS 2026"])):
        reference = "" if isinstance(item, RefusedItem) else str(item.planned.fact.source.reference)
        listed = re.search(r"lines (\d+)-(\d+)", reference)
        first, last = map(int, listed.groups()) if listed else (item.at.line, item.at.line)
        lines += range(first, last + 1)
    assert sorted(lines) == [line for line, _ in long_rows()]
    assert len(lines) == 8886


@each_case("name", SOURCES)
def test_at_least_97_percent_of_the_numbers_in_tables_by_country_are_read(name: str) -> None:
    unread = sum(
        1
        for item in refused(name)
        if re.search(r"\d", item.text) and not item.reason.startswith("column without")
    )
    read = sum(1 for r in readings(name) if r.claim.quantity.value is not None)
    assert read / (read + unread) >= 0.97


@each_case("name", SOURCES)
def test_no_edition_has_two_claims_on_one_series(name: str) -> None:
    streams = Counter(r.claim.series.stream for r in readings(name))
    assert max(streams.values()) == 1
    assert all(ENTITY_PATH.fullmatch(stream) for stream in streams)


# --- the numbers are believable, so that no header has lied unnoticed


@each_case("pair", list(pairwise(SOURCES)), ids=" and ".join)
def test_no_figure_differs_a_hundredfold_between_neighbouring_editions(
    pair: tuple[str, str],
) -> None:
    before, after = quantities(pair[0]), quantities(pair[1])
    for stream in before.keys() & after.keys():
        a, b = tonnes(before[stream]), tonnes(after[stream])
        if a and b:
            assert Decimal("0.01") < a / b < 100, stream


@each_case("name", SOURCES)
def test_no_country_has_more_than_the_world(name: str) -> None:
    world: dict[Any, Decimal] = {}
    largest: dict[Any, Decimal] = defaultdict(Decimal)
    for reading in readings(name):
        series, amount = reading.claim.series, tonnes(reading.claim.quantity) or Decimal(0)
        key = series.commodity, series.statistic, series.stage, series.form, series.period
        if series.place == "WORLD":
            world[key] = amount
        else:
            largest[key] = max(largest[key], amount)
    assert [key for key in world if world[key] and largest[key] > world[key]] == []


CORRECTED = [
    ("MCS 2023", "chromium/ZA/production/mine/2021", "18600", "kt"),
    ("MCS 2023", "rhenium/CL/reserves", "1300000", "kg"),
    ("MCS 2023", "vanadium/CN/reserves", "9500", "kt"),
    ("MCS 2024", "selenium/CN/reserves", "5000", "t"),
    ("MCS 2025", "industrial_sand/US/production/mine/2024", "130000", "kt"),
    ("MCS 2025", "iron_ore/AU/reserves/crude_ore", "58000", "Mt"),
    ("MCS 2025", "molybdenum/CL/reserves", "1400", "kt"),
    ("MCS 2025", "ilmenite/CN/production/mine/2023", "3250", "kt"),
    ("MCS 2025", "rutile/SL/reserves", "2900", "kt"),
    ("MCS 2025", "vanadium/AU/reserves", "8500", "kt"),
    ("MCS 2026", "vanadium/AU/reserves", "10000", "kt"),
]


@each_case(("name", "stream", "value", "unit"), CORRECTED)
def test_a_lying_unit_is_corrected_and_the_note_says_so(
    name: str, stream: str, value: str, unit: str
) -> None:
    [claim] = [r.claim for r in readings(name) if r.claim.series.stream == f"figure/{stream}"]
    assert (claim.quantity.value, claim.quantity.unit) == (Decimal(value), unit)
    assert claim.note is not None
    assert f"Read in {unit}: " in claim.note


@each_case(
    ("name", "text", "reason"),
    [
        ("MCS 2023", "1,166,000", "a footnote mark seems glued to the number"),
        ("MCS 2025", "4400", "a digit seems to be missing"),
        ("MCS 2025", "64", "a capacity, by the publisher's note"),
        ("MCS 2025", "1100", "no edition has reserves of indium"),
    ],
)
def test_a_value_that_cannot_be_right_is_refused_not_repaired(
    name: str, text: str, reason: str
) -> None:
    assert any(item.text == text and reason in item.reason for item in refused(name))


# --- spot values, from the printed chapters


SPOT = [
    ("MCS 2023", "cobalt/CD/production/mine/2022", "130000", "t", None),
    ("MCS 2023", "aluminium/CN/capacity/smelter/2022", "44000", "kt", None),
    ("MCS 2023", "alumina/AU/production/refinery/2021", "20400", "kt", None),
    ("MCS 2023", "alumina/AU/reserves", None, "kt", Qualifier.NOT_APPLICABLE),
    ("MCS 2023", "titanium/CN/capacity/plant/pigment/2021", "5000000", "t", None),
    ("MCS 2023", "titanium_minerals/US/production/mine/2022", "200", "kt", None),
    ("MCS 2023", "rutile/US/reserves", None, "kt", Qualifier.INCLUDED_ELSEWHERE),
    ("MCS 2023", "antimony/WORLD/reserves", "1800000", "t", Qualifier.MORE_THAN),
    ("MCS 2024", "gallium/JP/production/primary/2023", "3000", "kg", None),
    ("MCS 2024", "nickel/OTHER/reserves", "9100000", "t", Qualifier.MORE_THAN),
    ("MCS 2024", "niobium/WORLD/reserves", "17000000", "t", Qualifier.MORE_THAN),
    ("MCS 2024", "rhenium/WORLD/reserves", None, "kg", Qualifier.LARGE),
    ("MCS 2024", "germanium/US/production/refinery/2023", None, "kg", Qualifier.WITHHELD),
    ("MCS 2024", "platinum_group_metals/ZA/reserves", "63000000", "kg", None),
    ("MCS 2025", "lithium/US/production/mine/2024", None, "t", Qualifier.WITHHELD),
    ("MCS 2025", "fused_alumina/US_CA/capacity/plant/2023", "60000", "t", None),
    ("MCS 2025", "peat/PL/reserves", None, "kt", Qualifier.INCLUDED_ELSEWHERE),
    ("MCS 2025", "helium/US/production/plant/natural_gas/2023", "64", "Mm3", None),
    ("MCS 2025", "titanium_minerals/WORLD/production/mine/2023", "9430", "kt", None),
    ("MCS 2026", "rare_earths/WORLD/reserves", "85000000", "t", Qualifier.MORE_THAN),
    ("MCS 2026", "vermiculite/MX/production/mine/2024", "0.5", "kt", Qualifier.LESS_THAN),
    ("MCS 2026", "graphite/DE/reserves", None, "t", Qualifier.INCLUDED_ELSEWHERE),
    ("MCS 2026", "gallium/CN/capacity/primary/2025", "1600000", "kg", None),
    ("MCS 2026", "caesium/AU_CA_CN_NA/reserves", "200000", "t", Qualifier.LESS_THAN),
    ("MCS 2026", "chromium/WORLD/reserves/cr2o3", "540000", "kt", Qualifier.MORE_THAN),
    ("MCS 2026", "vanadium/US/production/mine/2025", "0", "t", Qualifier.NIL),
    ("MCS 2026", "gem_diamond/AO/production/mine/2024", "12600", "kct", None),
]


@each_case(("name", "stream", "value", "unit", "qualifier"), SPOT)
def test_spot_values(
    name: str, stream: str, value: str | None, unit: str, qualifier: Qualifier | None
) -> None:
    quantity = quantities(name)[f"figure/{stream}"]
    assert quantity.value == (None if value is None else Decimal(value))
    assert (quantity.unit, quantity.qualifier) == (unit, qualifier)


def test_ranges_keep_both_ends() -> None:
    slag = quantities("MCS 2026")["figure/iron_slag/WORLD/production/plant/2025"]
    yttrium = quantities("MCS 2026")["figure/yttrium/WORLD/production/mine/2025"]
    assert (slag.value, slag.upper) == (Decimal(330), Decimal(390))
    assert (yttrium.value, yttrium.upper) == (Decimal(10_000), Decimal(15_000))
    assert yttrium.basis == "Y2O3 equivalent"


def test_reserves_never_carry_a_stage_and_every_world_total_is_rounded() -> None:
    for name in SOURCES:
        for reading in readings(name):
            series, quantity = reading.claim.series, reading.claim.quantity
            assert (series.statistic is Statistic.RESERVES) == (series.stage is None)
            if series.place == "WORLD" and quantity.qualifier is not Qualifier.RANGE:
                assert quantity.rounded


# --- the facts state the same cells


def facts() -> list[dict[str, Any]]:
    lines = (DATA / "facts.jsonl").read_text("utf-8").splitlines() if DATA.exists() else []
    rows = [json.loads(line) for line in lines]
    return [
        row
        for row in rows
        if row["source"]["check"] == "data file" and row["details"].get("edition") in SOURCES
    ]


WORDS = {"greater_than": "more_than"}
UNSAID = "not_stated_in_csv"
"""Blank in the MCS 2025 file. Where the notes column has `W for 23-24`, we read withheld."""
DECIDED = {"usgs-mcs2025-lithium-us-mine-2023", "usgs-mcs2025-lithium-us-mine-2024"}
REFUSED = {"usgs-mcs2025-germanium-us-refinery-2023", "usgs-mcs2025-rare-earths-ca-mine-2023"}


def stream_of(details: dict[str, Any]) -> str:
    start = f"figure/{details['commodity']}/{details['geo']}"
    if details["stage"] == "reserves":
        return f"{start}/reserves"
    return f"{start}/production/{details['stage']}/{details['data_year']}"


def test_every_fact_from_these_files_is_among_the_readings() -> None:
    assert len(facts()) == 103
    for fact in facts():
        details = fact["details"]
        quantity = quantities(details["edition"]).get(stream_of(details))
        if details["qualifier"] == UNSAID:
            assert fact["id"] in (DECIDED if quantity else REFUSED)
            continue
        assert quantity is not None, fact["id"]
        value = quantity.value and quantity.unit.convert(quantity.value, Unit(details["unit"]))
        assert value == (None if details["value"] is None else Decimal(details["value"]))
        qualifier = details["qualifier"]
        assert quantity.qualifier == WORDS.get(qualifier, qualifier), fact["id"]
        assert quantity.basis == (details["basis"].partition(" ")[2] or None), fact["id"]


def test_the_facts_and_the_readings_have_the_same_day_of_publication() -> None:
    days = {name: readings(name)[0].claim.public_on.isoformat() for name in SOURCES}
    assert {(f["details"]["edition"], f["source"]["date"]) for f in facts()} == set(days.items())


def test_the_facts_and_the_readings_agree_on_what_is_an_estimate() -> None:
    flags = {"estimate": True, "reported": False}
    for fact in facts():
        flag = flags.get(fact["details"]["status"])
        quantity = quantities(fact["details"]["edition"]).get(stream_of(fact["details"]))
        if flag is not None and quantity is not None:
            assert quantity.estimated is flag, fact["id"]
