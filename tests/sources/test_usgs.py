"""USGS tables read from small files: every trap of the published ones, one test each."""

from decimal import Decimal
from pathlib import Path

import pytest

from tracker.domain.basics.values import Quantity
from tracker.domain.basics.vocabulary import Checked, Qualifier
from tracker.domain.figures.figure_facts import Claimed
from tracker.sources.reader import File, ReadFact, RefusedItem, SourceLocation
from tracker.sources.readers.usgs import READER
from tracker.sources.readers.usgs.quantities import Amount, amount_in_note

WIDE = "Source,Country,Type,Prod_t_2022,Prod_t_est_2023,Prod_notes,Reserves_t,Reserves_notes\n"
ALL_IN_ONE = (
    "SOURCE,COMMODITY,COUNTRY,TYPE,UNIT_MEAS,PROD_2023,PROD_EST_ 2024,PROD_NOTES,"
    "CAP_2023,CAP_EST_ 2024,CAP_NOTES,RESERVES_2024,RESERVE_NOTES\n"
)
LONG = (
    "MCS chapter,Section,Commodity,Country,Statistics,Statistics_detail,Unit,Year,Value,Notes,"
    "Is critical mineral 2025,Other notes\n"
)


class Outcome:
    """The result of a file: quantities by stream, and refusals by column."""

    def __init__(self, path: Path) -> None:
        items = list(READER.read(File.at(path)))
        self.readings = [item for item in items if isinstance(item, ReadFact)]
        self.refused = [item for item in items if isinstance(item, RefusedItem)]
        self.claims = {
            item.planned.stream: claim
            for item in self.readings
            if isinstance(claim := item.planned.fact, Claimed)
        }

    def quantity(self, stream: str) -> Quantity:
        return self.claims[f"figure/{stream}"].quantity

    @property
    def reasons(self) -> list[str]:
        return [item.reason for item in self.refused]


def wide(tmp_path: Path, rows: str, *, table: str = "galli", header: str = WIDE) -> Outcome:
    path = tmp_path / f"mcs2024-{table}_world.csv"
    path.write_text(header + rows, encoding="utf-8-sig")
    return Outcome(path)


def all_in_one(tmp_path: Path, rows: str) -> Outcome:
    path = tmp_path / "MCS2025_World_Data.csv"
    path.write_text(ALL_IN_ONE + rows, encoding="utf-8-sig")
    return Outcome(path)


def long(
    tmp_path: Path,
    *rows: str,
    commodity: str = "Gallium",
    unit: str = "kilograms",
    detail: str = "Primary production",
) -> Outcome:
    """Return a long file; a row gives country, year, value and note."""
    path = tmp_path / "MCS2026_Commodities_Data.csv"
    lines = [
        f"X,World Mine Production and Reserves,{commodity},{country},Production,{detail},"
        f'{unit},{year},"{value}","{note}",Yes,\n'
        for country, year, value, note in (row.split("|") for row in rows)
    ]
    path.write_text(LONG + "".join(lines), encoding="cp1252")
    return Outcome(path)


# --- the claim


def test_a_cell_becomes_a_claim_with_its_source(tmp_path: Path) -> None:
    [reading] = wide(tmp_path, "MCS2024,China,Primary production,,600000,,,").readings
    claim = reading.planned.fact
    assert isinstance(claim, Claimed)
    assert claim.series.stream == "figure/gallium/CN/production/primary/2023"
    assert claim.edition == "MCS 2024"
    assert claim.quantity == Quantity(
        unit=claim.quantity.unit, value=Decimal(600000), basis="gallium", estimated=True
    )
    assert (claim.source.publisher, claim.source.published_on) == ("usgs", "2024-01-31")
    assert claim.source.checked is Checked.DATA_FILE
    assert claim.source.reference == (
        "mcs2024-galli_world.csv, line 2, Prod_t_est_2023, doi 10.5066/P144BA54"
    )
    assert reading.at == SourceLocation(2, "Prod_t_est_2023")
    assert reading.planned.event_id == "usgs-mcs2024-gallium-cn-production-primary-2023"


def test_an_edition_that_is_not_built_in_is_read_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "mcs2031-galli_world.csv"
    path.write_text(WIDE.replace("2023", "2030") + "MCS2031,China,Primary production,,1,,,")
    [claim] = Outcome(path).claims.values()
    assert (claim.edition, claim.series.period) == ("MCS 2031", 2030)


@pytest.mark.parametrize(
    "name",
    [
        "mcs2024-galli_world.csv",
        "MCS2024_Gallium_World.csv",
        "mcs2024-gallium-world.csv",
        "Gallium_world.csv",
        "Gallium_World_Data.csv",
    ],
)
def test_a_table_is_known_by_the_names_under_which_files_are_published(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    row = 'MCS2024,China,"Primary production, kilograms",600000,600000,,,\n'
    path.write_text(WIDE + row, encoding="utf-8-sig")
    found = Outcome(path)
    assert {stream.split("/")[1] for stream in found.claims} == {"gallium"}, found.reasons


def test_reserves_have_no_stage_and_no_period_but_the_year_they_were_counted(
    tmp_path: Path,
) -> None:
    outcome = all_in_one(
        tmp_path, "MCS2025,Rare earths,China,Mine production,metric tons,,,,,,,44000000,\n"
    )
    claim = outcome.claims["figure/rare_earths/CN/reserves"]
    assert (claim.as_of, claim.quantity.basis) == (2024, "REO")


def test_a_file_of_another_kind_is_one_refusal(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("a,b\n1,2\n")
    assert Outcome(path).reasons == ["no table of an MCS edition"]


def test_files_are_recognised_by_their_content() -> None:
    assert READER.recognise(WIDE.encode() + b"MCS2031,China,,,1,,,", "table.csv")
    assert READER.recognise(b"\xef\xbb\xbf" + ALL_IN_ONE.encode(), "MCS2025_World_Data.csv")
    assert READER.recognise(LONG.encode(), "MCS2026_Commodities_Data.csv")
    for head in (b"", b"a,b\n1,2\n", b'{"id": 1}', b"PK\x03\x04\x00\xff", LONG.encode()):
        assert not READER.recognise(head, "some.csv")


# --- countries


@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("Japane", "JP"),
        ('"Korea, Republic ofe"', "KR"),
        ("Russiae", "RU"),
        ("Other countries4", "OTHER"),
        ("New Caledonia11", "NC"),
        ("World total (rounded)10", "WORLD"),
        ("World total (rounded) 10", "WORLD"),
        ("United\xa0States", "US"),
        ("Chile", "CL"),
    ],
)
def test_footnote_marks_glued_to_a_country_are_taken_off(
    tmp_path: Path, country: str, code: str
) -> None:
    outcome = wide(tmp_path, f"MCS2024,{country},Primary production,,5,,,")
    assert set(outcome.claims) == {f"figure/gallium/{code}/production/primary/2023"}


def test_additions_of_a_country_are_in_the_note(tmp_path: Path) -> None:
    outcome = wide(tmp_path, "MCS2024,Russia (recoverable),Mine production,,5,,,", table="antim")
    assert outcome.claims["figure/antimony/RU/production/mine/2023"].note == "recoverable"


def test_an_unknown_country_is_refused_by_name(tmp_path: Path) -> None:
    assert wide(tmp_path, "MCS2024,Atlantis,Primary production,,5,,,").reasons == [
        "unknown country 'Atlantis'"
    ]


def test_a_world_total_is_rounded_and_says_whom_it_leaves_out(tmp_path: Path) -> None:
    outcome = wide(
        tmp_path,
        '"MCS2024","World total (rounded), excluding U.S. production",'
        '"Mine production",,180000,Excludes U.S. production.,,',
        table="lithi",
    )
    claim = outcome.claims["figure/lithium/WORLD/production/mine/2023"]
    assert claim.quantity.rounded
    assert claim.note == "Excludes U.S. production."


# --- numbers, marks and words


@pytest.mark.parametrize(
    ("text", "value", "upper", "qualifier"),
    [
        ('"88,000"', "88000", None, None),
        ("   42 ", "42", None, None),
        ("0.5", "0.5", None, None),
        ("0", "0", None, None),
        (">90000000", "90000000", None, Qualifier.MORE_THAN),
        ('"    >9,100,000"', "9100000", None, Qualifier.MORE_THAN),
        ('"<200,000"', "200000", None, Qualifier.LESS_THAN),
        ("330 - 390", "330", "390", Qualifier.RANGE),
        ("—", "0", None, Qualifier.NIL),
        ("W", None, None, Qualifier.WITHHELD),
        ("      NA", None, None, Qualifier.NOT_AVAILABLE),
        ("XX", None, None, Qualifier.NOT_APPLICABLE),
        ("Large", None, None, Qualifier.LARGE),
        ("Small", None, None, Qualifier.SMALL),
        ("Included in World total.", None, None, Qualifier.INCLUDED_ELSEWHERE),
    ],
)
def test_a_value_is_a_number_and_a_qualifier(
    tmp_path: Path, text: str, value: str | None, upper: str | None, qualifier: Qualifier | None
) -> None:
    quantity = wide(tmp_path, f"MCS2024,Chile,Primary production,,{text},,,").quantity(
        "gallium/CL/production/primary/2023"
    )
    assert quantity.value == (None if value is None else Decimal(value))
    assert quantity.upper == (None if upper is None else Decimal(upper))
    assert quantity.qualifier is qualifier


def test_an_e_before_a_number_marks_an_estimate(tmp_path: Path) -> None:
    outcome = wide(tmp_path, 'MCS2024,Russia,Mine production,"e20,000",,,,', table="vanad")
    quantity = outcome.quantity("vanadium/RU/production/mine/2022")
    assert (quantity.value, quantity.estimated) == (Decimal(20000), True)


def test_words_without_a_qualifier_are_refused(tmp_path: Path) -> None:
    assert wide(tmp_path, "MCS2024,Chile,Primary production,,some,,,").reasons == [
        "no known number, mark or word: 'some'"
    ]


@pytest.mark.parametrize(
    ("unit", "note", "value", "qualifier"),
    [
        ("million cubic meters", "Estimated. -- Less than ½ unit.", "0.5", Qualifier.LESS_THAN),
        ("thousand metric tons", "Less than ½unit.", "0.5", Qualifier.LESS_THAN),
        ("million carats", "Less than 500 carats.", "0.0005", Qualifier.LESS_THAN),
        ("million metric tons", "Less than 100,000 tons.", "0.1", Qualifier.LESS_THAN),
        ("metric tons", "Included in “World total.”", None, Qualifier.INCLUDED_ELSEWHERE),
        ("metric tons", "Included with “Other countries.”", None, Qualifier.INCLUDED_ELSEWHERE),
    ],
)
def test_s_means_what_its_note_says(
    tmp_path: Path, unit: str, note: str, value: str | None, qualifier: Qualifier
) -> None:
    outcome = long(
        tmp_path,
        f"Mexico|2025|s|{note}",
        commodity="Vermiculite",
        unit=unit,
        detail="Mine production",
    )
    quantity = outcome.quantity("vermiculite/MX/production/mine/2025")
    assert quantity.value == (None if value is None else Decimal(value))
    assert quantity.qualifier is qualifier


def test_s_without_a_note_is_refused(tmp_path: Path) -> None:
    assert long(tmp_path, "Mexico|2025|s|").reasons == ["s, and no note says what it stands for"]


# --- blanks, which mean three things


@pytest.mark.parametrize(
    ("note", "qualifier"),
    [
        ("W for 23-24", Qualifier.WITHHELD),
        ("NA", Qualifier.NOT_AVAILABLE),
        ("xx", Qualifier.NOT_APPLICABLE),
    ],
)
def test_a_note_decides_what_a_blank_means(tmp_path: Path, note: str, qualifier: Qualifier) -> None:
    outcome = all_in_one(
        tmp_path, f"MCS2025,Lithium ,United States,Mine production,metric tons,,,{note},,,,,\n"
    )
    for year in (2023, 2024):
        quantity = outcome.quantity(f"lithium/US/production/mine/{year}")
        assert (quantity.value, quantity.qualifier) == (None, qualifier)


def test_a_blank_without_a_deciding_note_is_refused_and_never_zero(tmp_path: Path) -> None:
    outcome = all_in_one(
        tmp_path,
        "".join(
            f"MCS2025,Rare earths,{row},,,,,\n"
            for row in (
                "Canada ,Mine production,metric tons,,,",
                "China,Mine production,metric tons,1,2,",
            )
        ),
    )
    assert [(item.at.line, item.at.column, item.text) for item in outcome.refused] == [
        (2, "PROD_2023", ""),
        (2, "PROD_EST_ 2024", ""),
    ]
    assert all("blank" in reason for reason in outcome.reasons)


def test_a_note_for_one_year_decides_for_that_year_only(tmp_path: Path) -> None:
    outcome = all_in_one(
        tmp_path,
        "MCS2025,Mercury,Peru (exports),Mine production,metric tons,,30,na for 2023,,,,,\n",
    )
    assert outcome.quantity("mercury/PE/production/mine/2023").qualifier is Qualifier.NOT_AVAILABLE
    assert outcome.quantity("mercury/PE/production/mine/2024").value == 30


def test_a_column_that_a_table_does_not_have_says_nothing(tmp_path: Path) -> None:
    outcome = all_in_one(tmp_path, "MCS2025,Tin,China,Mine production,metric tons,1,2,,,,,,\n")
    assert len(outcome.readings) == 2
    assert outcome.refused == []


def test_a_note_may_know_more_than_na(tmp_path: Path) -> None:
    outcome = wide(
        tmp_path,
        "MCS2024,World total (rounded),Mine production,1,1,,NA,"
        '">1,800,000. In addition to countries listed, others may produce."'
        "\nMCS2024,Other countries,Mine production,1,1,,NA,"
        '"Categorized as ""Small"""\n',
        table="antim",
    )
    world = outcome.quantity("antimony/WORLD/reserves")
    assert (world.value, world.qualifier) == (Decimal(1_800_000), Qualifier.MORE_THAN)
    assert outcome.quantity("antimony/OTHER/reserves").qualifier is Qualifier.SMALL


# --- estimates


@pytest.mark.parametrize(
    ("note", "estimated"),
    [
        ("", False),
        ("Production in 2022 is also estimated.", True),
        ("Also estimated in 2022", True),
        ("Production in 2021 is also estimated.", False),
        ("Estimated in both years.", True),
        ("estimated in 2022 also", True),
        ("reported", False),
    ],
)
def test_a_note_may_make_the_earlier_year_an_estimate(
    tmp_path: Path, note: str, estimated: bool
) -> None:
    outcome = wide(tmp_path, f"MCS2024,Chile,Primary production,5,6,{note},,")
    assert outcome.quantity("gallium/CL/production/primary/2022").estimated is estimated
    assert outcome.quantity("gallium/CL/production/primary/2023").estimated


def test_a_note_may_take_an_estimate_back(tmp_path: Path) -> None:
    header = WIDE.replace("Prod_t_2022", "Prod_t_est_2022")
    outcome = wide(
        tmp_path, "MCS2024,Laos,Primary production,5,6,Reported in 2022,,", header=header
    )
    assert not outcome.quantity("gallium/LA/production/primary/2022").estimated
    assert outcome.quantity("gallium/LA/production/primary/2023").estimated


def test_a_type_may_say_that_all_is_estimated(tmp_path: Path) -> None:
    outcome = all_in_one(
        tmp_path,
        "".join(
            f'MCS2025,Barite  ,{country},"Mine production, barite, estimated",thousand metric tons,'
            f"1,2,{note},,,,5,\n"
            for country, note in (("China", ""), ("Turkey", "Reported."))
        ),
    )
    assert outcome.quantity("barite/CN/production/mine/2023").estimated
    assert not outcome.quantity("barite/TR/production/mine/2023").estimated
    assert outcome.quantity("barite/TR/production/mine/2024").estimated
    assert not outcome.quantity("barite/CN/reserves").estimated


def test_in_the_long_file_only_the_note_says_that_it_is_an_estimate(tmp_path: Path) -> None:
    outcome = long(
        tmp_path,
        "China|2024|1|Source: Asian Metal Ltd.",
        "China|2025|2|Estimated.",
        "Japan|2025|2|Estimated .-- Source: X.",
    )
    assert not outcome.quantity("gallium/CN/production/primary/2024").estimated
    assert outcome.quantity("gallium/CN/production/primary/2025").estimated
    assert outcome.quantity("gallium/JP/production/primary/2025").estimated
    assert outcome.claims["figure/gallium/CN/production/primary/2025"].note is None


def test_reserves_may_have_another_unit_than_production(tmp_path: Path) -> None:
    outcome = wide(
        tmp_path,
        "MCS2024,Cuba,Mine production,1,2,,500,",
        table="cobal",
        header=WIDE.replace("Reserves_t", "Reserves_kt"),
    )
    assert outcome.quantity("cobalt/CU/production/mine/2023").unit == "t"
    assert outcome.quantity("cobalt/CU/reserves").unit == "kt"


def test_an_undeclared_unit_is_refused(tmp_path: Path) -> None:
    outcome = long(
        tmp_path,
        "United States|2025|110|",
        commodity="Tin",
        unit="hogsheads",
        detail="Mine production",
    )
    assert "is not a unit" in outcome.reasons[0]


def test_the_measured_substance_may_be_in_country_type_or_note(tmp_path: Path) -> None:
    boron = all_in_one(
        tmp_path,
        "MCS2025,Boron ,Chile,Boron all types,thousand metric tons,"
        "1,2,Ulexite,,,,,\n"
        "MCS2025,Kyanite and Related Minerals,France (andalusite),"
        "Mine production,metric tons,1,2,,,,,,\n",
    )
    assert boron.quantity("boron/CL/production/mine/2023").basis == "ulexite"
    assert boron.quantity("kyanite/FR/production/mine/2023").basis == "andalusite"
    talc = long(
        tmp_path,
        "Italy|2025|1|",
        commodity="Talc And Pyrophyllite",
        unit="thousand metric tons",
        detail="Mine production: steatite",
    )
    assert talc.quantity("talc/IT/production/mine/2025").basis == "steatite"


def test_platinum_group_reserves_are_stated_once_and_palladium_points_there(tmp_path: Path) -> None:
    outcome = wide(
        tmp_path,
        "MCS2024,Canada, Mine production: Palladium,1,2,,,"
        "Included with platinum\n"
        "MCS2024,Canada, Mine production: Platinum,3,4,,310000,"
        "Includes all platinum-group metals\n",
        table="plati",
    )
    assert outcome.quantity("palladium/CA/reserves").qualifier is Qualifier.INCLUDED_ELSEWHERE
    assert outcome.quantity("platinum_group_metals/CA/reserves").value == 310000
    assert outcome.quantity("palladium/CA/production/mine/2023").value == 2


# --- rows and columns


def test_a_misspelt_commodity_is_understood(tmp_path: Path) -> None:
    outcome = all_in_one(
        tmp_path,
        "MCS2025,Gemanium,China,Primary and secondary refinery production,kilograms,1,2,,,,,,\n",
    )
    assert "figure/germanium/CN/production/refinery/2023" in outcome.claims


def test_a_capacity_in_a_column_for_production_is_a_capacity(tmp_path: Path) -> None:
    outcome = all_in_one(
        tmp_path,
        'MCS2025,Cement,Brazil,"Clinker capacity, estimated",'
        "thousand metric tons,60000,60000,,,,,,\n",
    )
    assert outcome.quantity("cement/BR/capacity/plant/clinker/2023").value == 60000


def test_a_lost_type_header_is_found_by_its_place(tmp_path: Path) -> None:
    outcome = wide(
        tmp_path,
        'MCS2024,China,"Mine production, fluorspar",1,2,,3,',
        table="fluor",
        header=WIDE.replace("Type", '"Mine production, fluorspar"'),
    )
    assert len(outcome.readings) == 3


def test_a_column_without_a_header_is_refused(tmp_path: Path) -> None:
    outcome = wide(
        tmp_path,
        'MCS2024,China,Mine production,1,2,,"92,000",,"92,000"\n',
        table="barit",
        header=WIDE.replace("\n", ",\n"),
    )
    assert [(item.text, item.reason) for item in outcome.refused] == [
        ("92,000", "column without a header")
    ]


def test_empty_rows_and_trailing_commas_are_not_data(tmp_path: Path) -> None:
    outcome = wide(tmp_path, "MCS2024,China,Primary production,1,2,,,,,,,\n,,,,,,,,,,\n , ,\n")
    assert (len(outcome.readings), outcome.refused) == (2, [])


def test_an_unknown_commodity_is_refused_by_name(tmp_path: Path) -> None:
    assert long(tmp_path, "China|2025|1|", commodity="Kryptonite").reasons == [
        "unknown commodity 'Kryptonite'"
    ]


def test_a_revision_has_the_day_that_its_note_gives(tmp_path: Path) -> None:
    row = 'MCS2024,Poland,Mine production,1,2,,"63,000","Revised March 5, 2024."'
    outcome = wide(tmp_path, row, table="silve")
    assert outcome.claims["figure/silver/PL/reserves"].source.published_on == "2024-03-05"


def test_a_value_that_can_not_be_right_is_refused_in_its_cell_only(tmp_path: Path) -> None:
    header = WIDE.replace("2022", "2021").replace("2023", "2022")
    path = tmp_path / "mcs2023-zinc_world.csv"
    path.write_text(
        header + 'MCS2023,Australia,"Mine production",5,6,,"1,166,000",\n'
        'MCS2023,Australia,"Mine production",5,6,,"66,000",\n'
        'MCS2023,Peru,"Mine production",5,6,,"1,166,000",\n'
    )
    reserves = [reason for reason in Outcome(path).reasons if "footnote mark" in reason]
    assert len(reserves) == 1


def test_a_note_that_says_not_included_leaves_the_mark_as_it_is(tmp_path: Path) -> None:
    assert amount_in_note("Included in world total.", 2023) == Amount(
        qualifier=Qualifier.INCLUDED_ELSEWHERE
    )
    assert amount_in_note("not included in world total.", 2023) is None
