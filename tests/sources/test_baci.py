"""Extracts of BACI: the traps 44 to 49 of its files, and flows that are read whole or not at all."""

import csv
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.analysis.flow_parts import flow_parts, union_flow
from tests.support.fact_builders import decided_facts, state
from tests.support.raw_files import claims_in, write_rows
from tracker.commands.commands import PlannedEvent
from tracker.corpus.compiling import IMPORTERS, shipped_flow
from tracker.domain.basics.values import DAY
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import EU, members_of
from tracker.domain.figures.trade_flow import FlowClaimed, TradeFlowState
from tracker.errors import InvalidInput
from tracker.sources.reader import File, RefusedItem
from tracker.sources.readers.baci import READER, VALUES_ONLY, WITH_WEIGHTS
from tracker.sources.registry import reader_for

NAME_2024, NAME_2022 = "baci_hs17_v202601_2024.csv", "baci_hs17_v202601_2022.csv"
Flows = dict[str, FlowClaimed]


def row(
    exporter: str = "CHN", value: str = "1.876", weight: str = "0.162", **more: str
) -> dict[str, str]:
    """Return a row of the extract with weights: a German import under 811292."""
    return {
        "year": "2024",
        "exporter": exporter,
        "importer": "DEU",
        "hs6": "811292",
        "value_kusd": value,
        "quantity_t": weight,
    } | more


def written(tmp_path: Path, *lines: dict[str, str], name: str = NAME_2024) -> File:
    """Return a file of these rows."""
    return write_rows(tmp_path / name, WITH_WEIGHTS, lines)


def refused(file: File) -> list[tuple[int, str, str]]:
    """Return line, code and reason of each refusal."""
    items = READER.read(file)
    return [(i.at.line, i.code, i.reason) for i in items if isinstance(i, RefusedItem)]


@pytest.fixture(scope="module")
def of_2024(shared_data: Path) -> Flows:
    """Return the flows of 2024 by stream."""
    path = shared_data / "raw" / "baci" / NAME_2024
    return {claim.stream: claim for claim in claims_in(READER, File.at(path), FlowClaimed)}


@pytest.fixture(scope="module")
def of_2022(shared_data: Path) -> Flows:
    """Return the flows of 2022 by stream."""
    path = shared_data / "raw" / "baci" / NAME_2022
    return {claim.stream: claim for claim in claims_in(READER, File.at(path), FlowClaimed)}


def flow_state(claim: FlowClaimed) -> TradeFlowState:
    """Return the state after a claim."""
    day = (claim.public_on + DAY).isoformat()
    found: TradeFlowState | None = state(decided_facts(claim.stream, claim), claim.stream, day)
    assert found
    return found


def test_rows_of_one_importer_code_and_year_are_one_claim(tmp_path: Path) -> None:
    file = written(tmp_path, row("CAN", "0.5", "1.25"), row(), row(importer="FRA"))
    assert reader_for(file) is READER
    first, second = claims_in(READER, file, FlowClaimed)
    assert (first.stream, second.importer) == ("flow/hs17/811292/DE/2024", "FR")
    assert first.edition == "BACI 202601"
    assert first.source.published_on == "2026-01"
    assert first.source.reference == f"{NAME_2024}, lines 2 to 3"
    assert second.source.reference == f"{NAME_2024}, line 4"
    assert first.origins.places == ("CN", "CA")  # the largest value first
    assert (first.value.value, first.value.unit) == (2376, "USD")
    assert (first.quantity.value, first.quantity.unit) == (Decimal("1.412"), "t")


def test_every_row_of_both_files_is_in_a_flow_with_its_numbers(
    shared_data: Path, of_2024: Flows, of_2022: Flows
) -> None:
    for name, flows, column, scale in (
        (NAME_2024, of_2024, "value_kusd", 1000),
        (NAME_2022, of_2022, "value_usd", 1),
    ):
        rows = 0
        totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        with (shared_data / "raw" / "baci" / name).open(encoding="utf-8") as opened:
            for line in csv.DictReader(opened):
                rows += 1
                totals[line["importer"], line["hs6"]] += Decimal(line[column]) * scale
        assert sum(len(claim.origins.parts) for claim in flows.values()) == rows
        assert len(flows) == len(totals)
        assert sum(claim.value.value or 0 for claim in flows.values()) == sum(totals.values())


def test_trap_46_a_country_of_dispatch_stays_the_origin_that_the_publisher_names(
    of_2024: Flows,
) -> None:
    parts = flow_parts(flow_state(of_2024["flow/hs17/282200/CN/2024"]).preferred)
    assert parts[0].place == "NA"
    assert parts[0].value_percent is not None
    assert round(parts[0].value_percent) == 82


def test_trap_47_germanys_graphite_of_china_is_7_percent_by_value_and_94_by_weight(
    of_2024: Flows,
) -> None:
    parts = flow_parts(flow_state(of_2024["flow/hs17/250490/DE/2024"]).preferred)
    [china] = [part for part in parts if part.place == "CN"]
    assert china.value_percent is not None
    assert china.quantity_percent is not None
    assert (round(china.value_percent), round(china.quantity_percent)) == (7, 94)


def test_trap_48_missing_weights_leave_the_whole_without_one(
    of_2024: Flows, of_2022: Flows
) -> None:
    parts = [part for claim in of_2024.values() for part in claim.origins.parts]
    assert sum(part.quantity is None for part in parts) == 1030
    for claim in of_2024.values():
        missing = any(part.quantity is None for part in claim.origins.parts)
        assert missing == (claim.quantity.qualifier == "not_available")
    assert all(claim.quantity.value is None for claim in of_2022.values())
    assert {claim.value.basis for claim in of_2024.values()} == {"FOB, reconciled"}


def test_trap_49_hong_kong_macao_and_taiwan_are_places_of_their_own(of_2024: Flows) -> None:
    assert {"flow/hs17/850511/HK/2024", "flow/hs17/850511/TW/2024"} <= of_2024.keys()
    places = {place for claim in of_2024.values() for place in claim.origins.places}
    assert {"CN", "HK", "MO", "TW"} <= places


def test_trap_49_trade_between_members_is_not_among_the_imports_of_the_union(
    of_2024: Flows,
) -> None:
    members = members_of(EU, date(2024, 12, 31))
    flows = [
        flow_state(of_2024[f"flow/hs17/850511/{place}/2024"])
        for place in sorted(members)
        if f"flow/hs17/850511/{place}/2024" in of_2024
    ]
    found = union_flow(flows, members)
    assert found
    whole = sum(flow.preferred.value.value or 0 for flow in flows)
    assert not members & set(found.origins)
    assert Decimal(0) < found.value < whole
    assert next(iter(found.origins)) == "CN"


def test_a_flow_with_a_row_that_is_refused_is_refused_as_a_whole(tmp_path: Path) -> None:
    file = written(tmp_path, row(), row("XXX"), row(importer="FRA"))
    [claim] = claims_in(READER, file, FlowClaimed)
    assert claim.importer == "FR"
    assert refused(file) == [
        (3, "UNKNOWN_PLACE", "unknown place 'XXX'"),
        (2, "LEFT_OUT", "another row of this flow is refused (line 3): its sum would be wrong"),
    ]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([row(value="much")], "'much' is not a number"),
        ([row(value="")], "'' is not a number"),
        ([row(value="-1")], "expected a number from 0, got -1000"),
        ([row(hs6="8112")], ""),
        ([row(year="1900")], "expected a year between 1988 and 2100"),
        ([row(importer="SUN")], "unknown place 'SUN'"),
        ([row(), row()], "China is listed twice"),
    ],
)
def test_a_row_that_is_not_understood_is_refused_with_a_reason(
    tmp_path: Path, lines: list[dict[str, str]], reason: str
) -> None:
    file = written(tmp_path, *lines)
    assert claims_in(READER, file, FlowClaimed) == []
    found = refused(file)
    assert [line for line, _, _ in found] == [number for number, _ in enumerate(lines, 2)]
    assert found[0][2].startswith(reason)


def test_a_cut_row_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, row())
    file.path.write_text(file.path.read_text().rstrip().rpartition(",")[0] + "\n")
    assert refused(file)[0][2] == "expected 6 fields, got 5: the file may be cut off"


@pytest.mark.parametrize(
    "name", ["extract.csv", "baci_hs96_v202601_2024.csv", "baci_hs17_2024.csv"]
)
def test_a_name_without_edition_and_version_is_refused(tmp_path: Path, name: str) -> None:
    file = written(tmp_path, row(), name=name)
    assert reader_for(file) is READER
    with pytest.raises(InvalidInput, match="expected a name with the edition of the Harmonized"):
        list(READER.read(file))


def test_a_file_with_other_columns_is_not_recognised(tmp_path: Path) -> None:
    file = write_rows(tmp_path / NAME_2024, WITH_WEIGHTS[:-1], [row()])
    assert reader_for(file) is not READER
    assert VALUES_ONLY[:4] == WITH_WEIGHTS[:4]


def test_the_importers_that_ship_are_the_members_of_the_union_and_six_others() -> None:
    assert len(IMPORTERS) == 33
    assert {"US", "JP", "KR", "DE", "CN", "IN", "GB"} <= IMPORTERS


amounts = st.integers(0, 10**7).map(lambda thousandths: Decimal(thousandths) / 1000)
parts = st.dictionaries(
    st.sampled_from(["CHN", "CAN", "JPN", "KOR", "USA", "FRA", "BEL", "ITA", "S19", "HKG"]),
    st.tuples(amounts, st.none() | amounts),
    min_size=1,
)


@given(parts)
def test_small_origins_are_added_up_and_the_sums_stay(
    tmp_path_factory: pytest.TempPathFactory, parts: dict[str, tuple[Decimal, Decimal | None]]
) -> None:
    lines = [
        row(place, str(value), "" if weight is None else str(weight))
        for place, (value, weight) in parts.items()
    ]
    [claim] = claims_in(READER, written(tmp_path_factory.mktemp("baci"), *lines), FlowClaimed)
    shipped = shipped_flow(PlannedEvent(claim.stream, claim, "id")).fact
    assert isinstance(shipped, FlowClaimed)
    shipped.check_recordable()
    assert (shipped.value, shipped.quantity) == (claim.value, claim.quantity)
    left = set(claim.origins.places) - set(shipped.origins.places)
    assert len(left) != 1
    assert (shipped.note is None) == (not left)
    for part in claim.origins.parts:
        if part.place in left:
            assert part.value is not None
            assert part.value.value is not None
            assert part.value.value <= (claim.value.value or 0) / 1000


def test_places_are_codes_of_three_letters(of_2024: Flows) -> None:
    assert {len(claim.importer) for claim in of_2024.values()} == {2}
    assert Place("TW") in {claim.importer for claim in of_2024.values()}
