"""BGS World Mineral Statistics: publisher's meaning of each mark, contradictory codes."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.cases import each_case
from tracker.domain.basics.vocabulary import Checked, Qualifier
from tracker.domain.figures.figure_facts import Claimed
from tracker.errors import InvalidInput
from tracker.sources.column_mapping import ColumnMapping
from tracker.sources.reader import File, ReadFact, RefusedItem
from tracker.sources.readers.bgs import READER, reader, subject

COLUMNS = (
    "synthetic_id",
    "bgs_commodity_code",
    "bgs_commodity_trans",
    "bgs_sub_commodity_trans",
    "bgs_statistic_type_trans",
    "country_trans",
    "country_iso2_code",
    "country_iso3_code",
    "year",
    "quantity",
    "units",
    "data_precision_description",
    "sdmx_code",
    "concat_figure_notes_text",
    "concat_table_notes_text",
    "erml_group",
    "erml_commodity",
)
ROW = {
    "synthetic_id": "1",
    "bgs_commodity_code": "20238",
    "bgs_commodity_trans": "rare earth oxides",
    "bgs_statistic_type_trans": "Production",
    "country_trans": "China",
    "country_iso2_code": "CN",
    "country_iso3_code": "CHN",
    "year": "2023-01-01 00:00:00",
    "quantity": "255000",
    "units": "tonnes (metric)",
    "sdmx_code": "A",
    "erml_group": "Rare earths",
    "erml_commodity": "Rare earths",
}


class Download:
    """The contents of a download."""

    def __init__(self, path: Path, given: str | None = None):
        of = reader(ColumnMapping(constants={"published": given})) if given else READER
        items = list(of.read(File.at(path)))
        self.claims = [
            i.planned.fact
            for i in items
            if isinstance(i, ReadFact) and isinstance(i.planned.fact, Claimed)
        ]
        self.ids = [i.planned.event_id for i in items if isinstance(i, ReadFact)]
        self.refused = [(i.at.line, i.reason) for i in items if isinstance(i, RefusedItem)]


def written(tmp_path: Path, *rows: dict[str, str], name: str = "bgs-2026-05-20.csv") -> Path:
    path = tmp_path / name
    lines = [",".join(f'"{({**ROW, **row}).get(c, "")}"' for c in COLUMNS) for row in rows]
    path.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n", encoding="utf-8-sig")
    return path


def download(tmp_path: Path, *rows: dict[str, str]) -> Download:
    return Download(written(tmp_path, *rows))


def test_a_row_is_a_claim_of_that_days_download(tmp_path: Path) -> None:
    found = download(tmp_path, {})
    [claim] = found.claims
    assert claim.series.stream == "figure/rare_earths/CN/production/mine/2023"
    assert (claim.edition, claim.quantity.value, claim.quantity.unit, claim.quantity.basis) == (
        "WMS 2026-05-20",
        Decimal(255_000),
        "t",
        "REO",
    )
    assert (claim.source.publisher, claim.source.published_on, claim.source.checked) == (
        "bgs",
        "2026-05-20",
        Checked.DATA_FILE,
    )
    assert claim.source.reference == "bgs-2026-05-20.csv, line 2"
    assert found.ids == ["bgs-wms20260520-rare-earths-cn-production-mine-2023"]


def test_the_day_of_the_download_may_be_given_and_must_be_known(tmp_path: Path) -> None:
    path = written(tmp_path, {}, name="download.csv")
    assert Download(path, "2026-06-01").claims[0].edition == "WMS 2026-06-01"
    with pytest.raises(InvalidInput, match="expected the day of the download"):
        Download(path)


@pytest.mark.parametrize(
    ("row", "value", "qualifier", "estimated"),
    [
        (
            {"quantity": "0", "data_precision_description": "Nil (nothing produced)"},
            0,
            Qualifier.NIL,
            False,
        ),
        (
            {
                "quantity": "",
                "data_precision_description": "Figures not available",
                "sdmx_code": "O",
            },
            None,
            Qualifier.NOT_AVAILABLE,
            False,
        ),
        ({"quantity": "0", "sdmx_code": "N"}, "0.5", Qualifier.LESS_THAN, False),
        ({"concat_figure_notes_text": "Estimates.|Break in series."}, 255_000, None, True),
    ],
)
def test_marks_are_qualifiers(
    tmp_path: Path,
    row: dict[str, str],
    value: int | str | None,
    qualifier: Qualifier | None,
    estimated: bool,
) -> None:
    [claim] = download(tmp_path, row).claims
    assert claim.quantity.value == (None if value is None else Decimal(value))
    assert (claim.quantity.qualifier, claim.quantity.estimated) == (qualifier, estimated)
    assert claim.note == ("Break in series." if estimated else None)


@pytest.mark.parametrize(
    ("units", "unit", "basis"),
    [
        ("tonnes (metal content)", "t", "metal content"),
        ("Tonnes (metric)", "t", "REO"),
        ("kilograms", "kg", "REO"),
        ("thousand tonnes", "kt", "REO"),
    ],
)
def test_units_carry_a_basis(tmp_path: Path, units: str, unit: str, basis: str) -> None:
    [claim] = download(tmp_path, {"units": units}).claims
    assert (claim.quantity.unit, claim.quantity.basis) == (unit, basis)


@each_case(
    ("name", "of"),
    [
        ("copper, mine", "copper mine"),
        ("Copper (mine production, metal content)", "copper mine"),
        ("nickel, smelter/refinery", "nickel smelter"),
        ("cobalt, refined", "cobalt refinery"),
        ("aluminium, primary", "aluminium smelter"),
        ("lithium minerals", "lithium mine"),
    ],
)
def test_names_give_commodity_and_stage(name: str, of: str) -> None:
    found = subject(name)
    assert found is not None
    assert f"{found.commodity} {found.stage}" == of


def test_products_of_one_commodity_are_distinguished(tmp_path: Path) -> None:
    rows = [
        {"bgs_commodity_trans": "lithium minerals", "bgs_sub_commodity_trans": sub}
        for sub in ("Spodumene", "Lithium carbonate", "Unknown")
    ]
    assert [claim.series.form for claim in download(tmp_path, *rows).claims] == [
        "spodumene",
        "lithium_carbonate",
        None,
    ]


def test_the_congo_with_the_letters_of_the_other_is_reported_by_name_and_code(
    tmp_path: Path,
) -> None:
    congo = {"country_trans": "Congo", "country_iso2_code": "CG", "country_iso3_code": "COD"}
    [claim] = download(tmp_path, congo).claims
    assert claim.series.place == "CG"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"bgs_statistic_type_trans": "Exports"}, "no production: Exports"),
        ({"bgs_commodity_trans": "moon dust"}, "no commodity is declared for 'moon dust'"),
        ({"quantity": ""}, "blank, and nothing says what it stands for"),
        ({"quantity": "many"}, "'many' is not a number"),
        ({"units": "buckets"}, "'buckets' is not a unit"),
        ({"year": "soon"}, "unknown year 'soon'"),
        (
            {
                "country_trans": "German Federal Republic",
                "country_iso2_code": "DE",
                "country_iso3_code": "DEU",
            },
            "German Federal Republic is not a country of today",
        ),
        ({"country_iso2_code": "JP"}, "China: the codes JP and CHN are of different countries"),
        (
            {"country_trans": "Atlantis", "country_iso2_code": "", "country_iso3_code": ""},
            "unknown country 'Atlantis'",
        ),
    ],
)
def test_a_row_that_is_not_understood_is_refused(
    tmp_path: Path, row: dict[str, str], reason: str
) -> None:
    found = download(tmp_path, row, {})
    [(line, said)] = found.refused
    assert line == 2
    assert said.startswith(reason)
    assert len(found.claims) == 1


def test_a_truncated_download_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path, {}, {"country_iso2_code": "JP", "country_iso3_code": "JPN"})
    path.write_text(path.read_text("utf-8-sig").rpartition(',"A"')[0], "utf-8")
    found = Download(path)
    assert found.refused == [(3, "expected 17 fields, got 12: the file may be cut off")]
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput, match="expected the columns"):
        Download(path)


def test_downloads_are_recognised_by_their_columns() -> None:
    head = ",".join(COLUMNS).encode()
    assert READER.recognise(head, "x.csv")
    assert READER.recognise(
        b"country_iso3_code,year,quantity,units,bgs_statistic_type_trans,erml_commodity\n", "x.csv"
    )
    assert not READER.recognise(head.replace(b"quantity", b"amount"), "x.csv")
