"""The supply of the IEA: the traps 39 to 43 of its file, and products that other figures never meet."""

from decimal import Decimal
from pathlib import Path

import pytest

from projections.analysis.quantities import incomparable_reason
from tests.support.raw_files import claims_in, write_rows
from tracker.domain.basics.units import Unit
from tracker.domain.basics.values import Quantity
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.figures.figure_facts import Claimed
from tracker.errors import InvalidInput
from tracker.sources.reader import File, RefusedItem
from tracker.sources.readers.iea import COLUMNS, READER
from tracker.sources.registry import reader_for

EDITION = "IEA Critical Minerals Dataset, May 2025"
Found = dict[str, Claimed]


def row(place: str = "Chile", value: str = "5476.0", **more: str) -> dict[str, str]:
    """Return a row of the file: copper mined in 2024."""
    return {
        "edition": EDITION,
        "mineral": "Copper",
        "mineral_in_words": "Copper",
        "stage": "mining",
        "place": place,
        "year": "2024",
        "kind": "observed",
        "case": "",
        "value": value,
        "unit": "kt",
        "basis": "contained copper (inferred)",
        "source": "owner/repository@commit:data/iea.json",
        "line": "1162",
        "note": "",
    } | more


def written(tmp_path: Path, *lines: dict[str, str]) -> File:
    """Return a file of these rows."""
    return write_rows(tmp_path / "iea-supply-2025.csv", COLUMNS, lines)


def reasons(file: File) -> list[tuple[int, str, str]]:
    """Return line, code and reason of each refusal."""
    items = READER.read(file)
    return [(i.at.line, i.code, i.reason) for i in items if isinstance(i, RefusedItem)]


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Found:
    """Return the claims of the publisher's file by stream."""
    path = shared_data / "raw" / "iea" / "iea-supply-2025.csv"
    return {claim.stream: claim for claim in claims_in(READER, File.at(path), Claimed)}


def value(found: Found, series: str) -> Decimal:
    """Return the number of a series."""
    number = found[f"figure/{series}"].quantity.value
    assert number is not None
    return number


def test_a_row_becomes_a_claim_with_its_line_in_both_files(tmp_path: Path) -> None:
    file = written(tmp_path, row())
    assert reader_for(file) is READER
    [claim] = claims_in(READER, file, Claimed)
    assert claim.stream == "figure/copper/CL/production/mine/2024"
    assert claim.source.publisher == "iea"
    assert claim.source.published_on == "2025-05-21"
    assert claim.source.reference == (
        "iea-supply-2025.csv, line 2; owner/repository@commit:data/iea.json, line 1162"
    )
    assert claim.quantity == Quantity(
        unit=Unit("kt"), value=Decimal("5476.0"), basis="contained copper (inferred)"
    )


def test_every_row_of_the_file_is_read(real: Found) -> None:
    assert len(real) == 340
    statistics = [claim.series.statistic for claim in real.values()]
    assert statistics.count(Statistic.PRODUCTION) == 85
    assert statistics.count(Statistic.PRODUCTION_PROJECTION) == 255


@pytest.mark.parametrize(
    ("series", "printed", "rest"),
    [
        ("nickel/OTHER/production/mine/2024", "629", "529"),
        ("nickel/OTHER/production/refinery/2024", "631.42", "518.32"),
        ("graphite/OTHER/production/mine/2024", "58.01135330645093", "48.952"),
        (
            "anode_materials/OTHER/production_projection/refinery/battery_grade/2030",
            "372.094",
            "328.644805",
        ),
    ],
)
def test_trap_39_the_rest_of_the_world_is_the_total_less_the_named_places(
    real: Found, series: str, printed: str, rest: str
) -> None:
    assert value(real, series) == Decimal(rest)
    note = real[f"figure/{series}"].note
    assert isinstance(note, str)
    assert printed[:6] in note


def test_trap_39_places_and_rest_sum_to_the_total_in_every_block(real: Found) -> None:
    blocks: dict[tuple[str, ...], dict[str, Decimal]] = {}
    for claim in real.values():
        series = claim.series
        key = (series.commodity, series.statistic, str(series.stage), str(series.period))
        assert claim.quantity.value is not None
        blocks.setdefault(key, {})[series.place] = claim.quantity.value
    assert len(blocks) == 48
    for key, places in blocks.items():
        total = places.pop("WORLD")
        assert abs(total - sum(places.values())) < Decimal("0.00001"), key


def test_trap_40_a_share_of_the_first_rows_is_left_out(tmp_path: Path) -> None:
    file = written(tmp_path, row(), row("Top 3 share", "42"), row("Total", "9000"))
    assert len(claims_in(READER, file, Claimed)) == 2
    reason = "a share of the first places of the file, which are not the largest"
    assert reasons(file) == [(3, "LEFT_OUT", reason)]


def test_trap_40_the_first_rows_are_not_the_largest(real: Found) -> None:
    series = "production_projection/refinery/battery_grade/2030"
    by_place = {
        claim.series.place: claim.quantity.value or Decimal(0)
        for stream, claim in real.items()
        if stream.startswith("figure/anode_materials/") and stream.endswith(series)
    }
    first = [place for place in by_place if place not in ("WORLD", "OTHER")][:3]
    largest = sorted(by_place, key=lambda place: -by_place[place])
    assert set(first) != set([one for one in largest if one not in ("WORLD", "OTHER")][:3])


def test_trap_41_graphite_is_natural_at_the_mine_and_battery_grade_at_the_refinery(
    real: Found,
) -> None:
    mined = real["figure/graphite/CN/production/mine/2024"].quantity
    refined = real["figure/anode_materials/CN/production/refinery/battery_grade/2024"].quantity
    assert mined.basis == "natural graphite (IEA); weight not stated"
    assert refined.basis == (
        "battery-grade graphite, natural spherical and synthetic (IEA); weight not stated"
    )
    of_usgs = Quantity(unit=Unit("t"), value=Decimal(1_270_000))
    for quantity in (mined, refined):
        assert incomparable_reason(quantity, of_usgs, "that of usgs", Commodity("graphite"))


def test_trap_41_rare_earths_are_four_elements_and_a_product_of_their_own(real: Found) -> None:
    streams = [stream for stream in real if "rare_earths" in stream.split("/")[1]]
    assert len(streams) == 48
    assert all("/magnet_rare_earths/" in stream for stream in streams)
    mined = real["figure/rare_earths/WORLD/production/mine/magnet_rare_earths/2024"].quantity
    assert 75 < (mined.value or 0) < 76
    assert "Pr, Nd, Tb, Dy" in (mined.basis or "")
    of_usgs = Quantity(unit=Unit("t"), value=Decimal(380_000), basis="REO")
    assert incomparable_reason(mined, of_usgs, "that of usgs", Commodity("rare_earths"))


def test_trap_42_one_number_at_both_stages_says_so(real: Found) -> None:
    for place in ("CL", "AR"):
        at_mine, at_refinery = (
            real[f"figure/lithium/{place}/production/{stage}/2024"]
            for stage in ("mine", "refinery")
        )
        assert at_mine.quantity.value == at_refinery.quantity.value
        note = "The publisher has the same number at mining and refining."
        assert at_mine.note == at_refinery.note == note
    assert real["figure/lithium/AU/production/mine/2024"].note is None


def test_trap_43_years_to_come_are_projections_of_a_named_case(real: Found) -> None:
    for stream, claim in real.items():
        projected = "/production_projection/" in stream
        assert projected == ((claim.series.period or 0) > 2025), stream
        assert projected == (claim.quantity.basis or "").endswith("; base case"), stream
        assert claim.edition == EDITION
        assert claim.source.published_on == "2025-05-21"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"edition": "2024 edition"}, "unknown edition '2024 edition'"),
        ({"mineral": "Zinc"}, "no product is declared for Zinc (mining)"),
        ({"stage": "smelting"}, "no product is declared for Copper (smelting)"),
        ({"place": "Atlantis"}, "unknown place 'Atlantis'"),
        ({"kind": "projection"}, "expected observed, or projection with its case"),
        ({"kind": "guess"}, "expected observed, or projection with its case"),
        ({"value": "n/a"}, "'n/a' is not a number"),
        ({"unit": "barrels"}, "'barrels' is not a unit"),
        ({"year": "soon"}, "'soon' is not a year"),
        (
            {"place": "Rest of world"},
            "expected a row Total: this row is the total less the named places",
        ),
    ],
)
def test_a_row_that_is_not_understood_is_refused_with_a_reason(
    tmp_path: Path, more: dict[str, str], reason: str
) -> None:
    file = written(tmp_path, row(**more))
    [(line, _, found)] = reasons(file)
    assert line == 2
    assert found.startswith(reason)
    assert claims_in(READER, file, Claimed) == []


def test_a_file_without_the_columns_is_refused_as_a_whole(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "x.csv", COLUMNS[:-1], [row()])
    assert reader_for(file) is not READER
    with pytest.raises(InvalidInput, match=r"x.csv: expected the columns edition, mineral"):
        list(READER.read(file))
