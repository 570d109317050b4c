"""Spreadsheets: columns are mapped, dates keep their precision, nothing is made up."""

import json
import os
import time
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.cases import each_case
from tests.support.fact_builders import state
from tests.support.importer import counts
from tests.support.libraries import openpyxl
from tracker.domain.actors.announcement import Made
from tracker.domain.controls.export_control_acts import (
    Announced,
    EnteredIntoForce,
    Expired,
    Repealed,
    Suspended,
)
from tracker.domain.entities.fact import Fact
from tracker.domain.figures.figure_facts import Claimed
from tracker.errors import InvalidInput
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target
from tracker.sources.column_mapping import FIELDS, ColumnMapping, load_mapping
from tracker.sources.importing.importer import import_file
from tracker.sources.reader import File, ReadFact, RefusedItem
from tracker.sources.readers.spreadsheet import READER, reader
from tracker.sources.registry import reader_for

POLICIES = "title,jurisdiction,date,effective,ended,status,measure,commodities,link,Remark\n"
GALLIUM = (
    "Gallium licence,China,2023-07-03,2023-08-01,,In force,export licence,"
    "gallium; germanium,https://example.org/1,Watch it\n"
)


class Sheet:
    """The contents of a spreadsheet: facts by event id, refusals by line."""

    def __init__(self, path: Path, given: ColumnMapping | None = None):
        items = list((reader(given) if given else READER).read(File.at(path)))
        self.facts = {i.planned.event_id: i.planned.fact for i in items if isinstance(i, ReadFact)}
        self.refused = [
            (i.at.line, i.at.column, i.reason) for i in items if isinstance(i, RefusedItem)
        ]


def sheet(
    tmp_path: Path,
    rows: str,
    header: str = POLICIES,
    given: ColumnMapping | None = None,
    encoding: str = "utf-8",
) -> Sheet:
    path = tmp_path / "policies.csv"
    path.write_bytes((header + rows).encode(encoding))
    return Sheet(path, given)


def workbook(tmp_path: Path, *rows: list[Any]) -> Path:
    """Return an XLSX file with these rows."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    path = tmp_path / "policies.xlsx"
    book.save(path)
    return path


def only(facts: dict[str, Fact], kind: type[Any]) -> Any:
    """Return the only fact of a kind."""
    [fact] = [fact for fact in facts.values() if isinstance(fact, kind)]
    return fact


# --- policies


def test_a_policy_with_a_measure_is_a_control_with_its_acts(tmp_path: Path) -> None:
    facts = sheet(tmp_path, GALLIUM).facts
    assert list(facts) == [
        "policies-china-gallium-licence",
        "policies-china-gallium-licence+in-force",
    ]
    control = only(facts, Announced)
    assert (control.issuer, control.on, control.direction) == ("CN", "2023-07-03", "export")
    [clause] = control.clauses
    assert (clause.measure, clause.commodities) == ("licence", ("gallium", "germanium"))
    assert clause.in_force_from is None
    assert only(facts, EnteredIntoForce).in_force_from == "2023-08-01"
    assert control.source.url == "https://example.org/1"
    assert control.source.reference == "policies.csv, line 2"


def test_a_column_without_a_meaning_is_kept_in_the_note(tmp_path: Path) -> None:
    assert only(sheet(tmp_path, GALLIUM).facts, Announced).note == "Remark: Watch it"
    ignoring = sheet(tmp_path, GALLIUM, given=ColumnMapping(ignored=frozenset({"Remark"})))
    assert only(ignoring.facts, Announced).note is None


def test_a_policy_without_a_measure_is_an_announcement(tmp_path: Path) -> None:
    made = only(sheet(tmp_path, "A strategy,Japan,2024,,2030,Adopted,,nickel,,Ok\n").facts, Made)
    assert (made.on, made.kind, made.actors, made.commodities) == (
        "2024",
        "statement",
        ("JP",),
        ("nickel",),
    )
    assert made.note == "Ended: 2030; Status: Adopted. Remark: Ok"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024", "2024"),
        ("2024-03", "2024-03"),
        ("2024-03-05", "2024-03-05"),
        ("5.3.2024", "2024-03-05"),
        ("25/3/2024", "2024-03-25"),
        ("3/25/2024", "2024-03-25"),
        ("5 March 2024", "2024-03-05"),
        ("March 2024", "2024-03"),
        ("Mar 2024", "2024-03"),
        ("2024-03-05T00:00:00", "2024-03-05"),
        ("4/4/2024", "2024-04-04"),
    ],
)
def test_a_date_is_as_exact_as_it_is_written(tmp_path: Path, written: str, read: str) -> None:
    assert only(sheet(tmp_path, f"T,US,{written},,,,,,,\n").facts, Made).on == read


@pytest.mark.parametrize("order", ["dmy", "mdy"])
def test_a_date_that_may_be_two_days_is_refused_until_it_is_said_how_it_is_meant(
    tmp_path: Path, order: str
) -> None:
    row = "T,US,3/4/2024,,,,,,,\n"
    [(line, column, reason)] = sheet(tmp_path, row).refused
    assert (line, column) == (2, "announced")
    assert "may be two days" in reason
    made = only(sheet(tmp_path, row, given=ColumnMapping(dates=order)).facts, Made)
    assert made.on == {"dmy": "2024-04-03", "mdy": "2024-03-04"}[order]


def test_ended_measures_have_an_end(tmp_path: Path) -> None:
    ended = "Tax,Indonesia,2014-01-12,,2017-01-11,Expired,export tax,nickel,,\n"
    assert only(sheet(tmp_path, ended).facts, Expired).in_force_until == "2017-01-11"
    repealed = ended.replace("Expired", "Withdrawn")
    assert only(sheet(tmp_path, repealed).facts, Repealed).repealed_from == "2017-01-11"


def test_suspended_measures_have_an_end_of_the_suspension(tmp_path: Path) -> None:
    header = "title,jurisdiction,date,suspended,suspended_until,status,measure,commodities\n"
    row = "Ban,CN,2024-12-03,2025-11-09,2026-11-27,Suspended,ban,gallium\n"
    suspended = only(sheet(tmp_path, row, header).facts, Suspended)
    assert (suspended.suspended_from, suspended.suspended_until) == ("2025-11-09", "2026-11-27")


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (",China,2024,,,,ban,gallium,,\n", "title", "expected the field title"),
        ("T,,2024,,,,ban,gallium,,\n", "jurisdiction", "expected the field jurisdiction"),
        ("T,Atlantis,2024,,,,ban,gallium,,\n", "jurisdiction", "'Atlantis' is not a place"),
        ("T,CN,,,,,ban,gallium,,\n", "announced", "expected the day of the announcement"),
        ("T,CN,soon,,,,ban,gallium,,\n", "announced", "'soon' is not a date"),
        ("T,CN,2024,,,Unclear,ban,gallium,,\n", "status", "'Unclear' is not a status"),
        ("T,CN,2024,,,In force,ban,gallium,,\n", "effective", "expected its day"),
        ("T,CN,2024,,,,embargo,gallium,,\n", "measure", "'embargo' is not a measure"),
        ("T,CN,2024,,,,ban,,,\n", "commodities", "expected the field commodities"),
        ("T,CN,2024,,,,ban,unobtainium,,\n", "commodities", "'unobtainium' is not a commodity"),
        (f"{'T' * 600},CN,2024,,,,,,,\n", "title", "expected at most 500 characters"),
    ],
)
def test_a_row_that_is_not_understood_is_listed_with_its_field(
    tmp_path: Path, row: str, column: str | None, reason: str
) -> None:
    outcome = sheet(tmp_path, row + GALLIUM)
    [(line, at, said)] = outcome.refused
    assert (line, at) == (2, column)
    assert said.startswith(reason)
    assert len(outcome.facts) == 2


def test_a_long_title_and_a_foreign_one_have_ids_of_their_own(tmp_path: Path) -> None:
    rows = "".join(
        f"{title},CN,2024,,,,,,,\n"
        for title in ("x" * 300 + "a", "x" * 300 + "b", "出口管制", "对镓的管制")
    )
    assert len(sheet(tmp_path, rows).facts) == 4


# --- mapping


def test_columns_and_words_are_mapped_by_a_file_and_by_flags(tmp_path: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(
        'publisher = "iea"\ndates = "dmy"\nignore = ["Stand"]\n'
        '[columns]\ntitle = "Titel"\njurisdiction = "Land"\n'
        '[statuses]\n"teilweise in Kraft" = "in_force"\n'
        '[measures]\nAusfuhrverbot = "ban"\n',
        encoding="utf-8",
    )
    given = load_mapping(
        file,
        ["announced=Datum", "effective=Ab", "measure=Art", "commodities=Stoff"],
        ["source=Politikliste"],
    )
    header = "Titel;Land;Datum;Ab;status;Art;Stoff;Stand\n"
    row = "Verbot;China;3/12/2024;3/12/2024;Teilweise in Kraft;Ausfuhrverbot;gallium;heute\n"
    control = only(sheet(tmp_path, row, header, given).facts, Announced)
    assert (control.on, control.source.publisher, control.source.name, control.note) == (
        "2024-12-03",
        "iea",
        "Politikliste",
        None,
    )


@each_case(
    ("columns", "message"),
    [(["colour=Farbe"], "'colour' is not a field"), (["title"], "expected FIELD=")],
)
def test_a_mapping_that_is_none_is_refused(columns: list[str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        load_mapping(None, columns)


@pytest.mark.parametrize(
    "text", ["[columns", 'dates = "ymd"', '[statuses]\nx = "gone"', "columns = 1"]
)
def test_a_mapping_file_that_can_not_be_read_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(text)
    with pytest.raises(InvalidInput):
        load_mapping(file)
    with pytest.raises(InvalidInput):
        load_mapping(tmp_path / "none.toml")


def test_a_mapping_is_a_file_of_ordinary_size(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large.toml").write_text("#" * 1_000_001)
    for path in (tmp_path / "pipe", tmp_path / "large.toml", Path("/dev/zero"), tmp_path / "none"):
        with pytest.raises(InvalidInput, match="at most 1,000,000 bytes"):
            load_mapping(path)


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="expected a column 'Titel' for title"):
        sheet(tmp_path, GALLIUM, given=ColumnMapping(columns={"title": "Titel"}))


def test_lists_are_recognised_by_their_columns() -> None:
    assert READER.recognise(POLICIES.encode(), "list.csv")
    assert READER.recognise(b"country,commodity,value,unit,year\n", "x.csv")
    assert READER.recognise(b"PK\x03\x04", "list.xlsx")
    assert not READER.recognise(b"PK\x03\x04", "list.zip")
    assert not READER.recognise(b"a,b\n1,2\n", "x.csv")
    assert {"title", "value"} < FIELDS.keys()


# --- figures


def test_a_row_with_a_value_is_a_figure(tmp_path: Path) -> None:
    header = "country,commodity,stage,year,value,unit,basis,publisher,source,published\n"
    row = 'Australia,lithium,mine,2024,"88,000",t,contained lithium,my-team,Team list,2025-02\n'
    outcome = sheet(tmp_path, row + row.replace("88,000", "many"), header)
    claim = only(outcome.facts, Claimed)
    assert claim.series.stream == "figure/lithium/AU/production/mine/2024"
    assert (claim.quantity.value, claim.quantity.basis) == (Decimal(88_000), "contained lithium")
    assert (claim.edition, claim.public_on) == ("Team list 2025-02", date(2025, 2, 1))
    assert outcome.refused == [
        (3, "value", "'many' is not a number: expected digits with a decimal point")
    ]


# --- workbooks


HEADER = ["Title", "Country", "Date", "Measure", "Commodity", "Rate"]


def test_a_workbook_is_read_with_its_days(tmp_path: Path) -> None:
    path = workbook(tmp_path, HEADER, ["Ban", "China", datetime(2024, 12, 3), "ban", "gallium", 5])
    control = only(Sheet(path).facts, Announced)
    assert (control.on, control.note) == ("2024-12-03", "Rate: 5")
    found = reader_for(File.at(path))
    assert found is READER


def test_a_formula_counts_only_with_a_kept_value(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        HEADER,
        ['="B"&"an"', "China", datetime(2024, 12, 3), "ban", "gallium", 5],
        ["Tax", "China", datetime(2024, 12, 3), "tariff", "gallium", "=2+3"],
    )
    outcome = Sheet(path)
    [(line, column, reason)] = outcome.refused
    assert (line, column, "formula" in reason) == (2, "title", True)
    assert only(outcome.facts, Announced).note is None
    empty = b"<v></v>" if openpyxl.LXML else b"<v />"  # with lxml, which openpyxl uses if installed
    kept = replaced(path, "xl/worksheets/sheet1.xml", empty, b"<v>7</v>")
    facts = Sheet(kept).facts
    assert [fact.note for fact in facts.values()] == [
        "Rate: 5; By formula: Title",
        "Rate: 7; By formula: Rate",
    ]


def replaced(path: Path, member: str, old: bytes, new: bytes) -> Path:
    """Return a workbook with one part replaced."""
    other = path.with_name("other.xlsx")
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(other, "w") as made:
        for info in given.infolist():
            content = given.read(info)
            assert info.filename != member or old in content
            made.writestr(info, content.replace(old, new) if info.filename == member else content)
    return other


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as member,
    ):
        for _ in range(200):
            member.write(b"0" * 1024 * 1024)
    assert path.stat().st_size < 1024 * 1024
    with pytest.raises(InvalidInput, match="expected a workbook of at most 104,857,600 bytes"):
        Sheet(path)


def test_a_workbook_that_claims_to_be_huge_is_read_as_far_as_it_is_filled(tmp_path: Path) -> None:
    path = workbook(tmp_path, HEADER, ["Ban", "China", datetime(2024, 12, 3), "ban", "gallium", 5])
    huge = replaced(path, "xl/worksheets/sheet1.xml", b'ref="A1:F2"', b'ref="A1:XFD1048576"')
    assert len(Sheet(huge).facts) == 1
    wide = replaced(path, "xl/worksheets/sheet1.xml", b'r="F2"', b'r="XFD2"')
    with pytest.raises(InvalidInput, match="line 2: expected at most 256 columns"):
        Sheet(wide)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'<row r="2"', b'<row r="9999999999"', "at most 200,000 rows"),
        (b'<row r="2"', b'<row r="200001"', "at most 200,000 rows"),
        (b'<row r="2"', b'<row r="-2"', "rows with numbers"),
        (b'r="F2"', b'r="ZZZZZZ2"', "at most 256 columns"),
        (b'r="F2"', b'r="F999999999"', "at most 200,000 rows"),
        (b'r="F2"', b'r="IV200000"', "at most 8,000,000 cells"),
        (b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "aa">]><worksheet', "without document types"),
    ],
)
def test_a_workbook_with_absurd_places_is_refused_at_once(
    tmp_path: Path, old: bytes, new: bytes, message: str
) -> None:
    path = workbook(tmp_path, HEADER, ["Ban", "China", datetime(2024, 12, 3), "ban", "gallium", 5])
    started = time.process_time()
    with pytest.raises(InvalidInput, match=message) as caught:
        Sheet(replaced(path, "xl/worksheets/sheet1.xml", old, new))
    assert caught.value.code == "UNREADABLE_FILE"
    assert time.process_time() - started < 5


def test_a_value_that_is_an_error_is_kept_as_it_is_shown(tmp_path: Path) -> None:
    path = workbook(tmp_path, HEADER, ["Ban", "China", "#N/A", "ban", "gallium", "#REF!"])
    [(_, column, reason)] = Sheet(path).refused
    assert (column, reason.startswith("'#N/A' is not a date")) == ("announced", True)
    dated = workbook(tmp_path, HEADER, ["Ban", "China", "2024", "ban", "gallium", "#REF!"])
    assert only(Sheet(dated).facts, Announced).note == "Rate: #REF!"


def test_a_workbook_of_charts_only_is_refused(tmp_path: Path) -> None:
    relations = "xl/_rels/workbook.xml.rels"
    charts = replaced(workbook(tmp_path, HEADER), relations, b"ips/worksheet", b"ips/chartsheet")
    with pytest.raises(InvalidInput, match="expected a workbook with a sheet of cells"):
        Sheet(charts)


def test_a_workbook_of_many_sheets_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, HEADER)
    sheets = b'<sheet name="x" sheetId="2" />' * 100 + b"</sheets>"
    with pytest.raises(InvalidInput, match="at most 100 sheets"):
        Sheet(replaced(path, "xl/workbook.xml", b"</sheets>", sheets))


def moved(path: Path, sheet: str, content: bytes | None = None) -> Path:
    """Return a workbook whose sheet is another part, optionally with other content."""
    other = path.with_name("moved.xlsx")
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(other, "w") as made:
        for info in given.infolist():
            part = given.read(info)
            if info.filename == "xl/worksheets/sheet1.xml":
                made.writestr(sheet, content or part)
            else:
                place, new_place = b"/xl/worksheets/sheet1.xml", f"/{sheet}".encode()
                made.writestr(info, part.replace(place, new_place))
    return other


@pytest.mark.parametrize("part", ["xl/ws/sheet1.xml", "xl/ws/sheet1.bin", "XL/sheet.png", "sheet"])
@pytest.mark.parametrize("start", [b"", b"\n" * 5000, "utf-16"], ids=["", "spaces", "utf-16"])
def test_a_sheet_is_checked_whatever_its_part_is_called(
    tmp_path: Path, part: str, start: bytes | str
) -> None:
    row = ["Ban", "China", datetime(2024, 12, 3), "ban", "gallium", 5]
    path = workbook(tmp_path, HEADER, row)
    assert len(Sheet(moved(path, part)).facts) == 1
    with zipfile.ZipFile(path) as archive:
        content = archive.read("xl/worksheets/sheet1.xml")
    bomb = content.replace(b'<row r="2"', b'<row r="999999999"')
    assert bomb != content
    bomb = bomb.decode().encode(start) if isinstance(start, str) else start + bomb
    message = "expected UTF-8" if start == "utf-16" else "at most 200,000 rows"
    with pytest.raises(InvalidInput, match=message):
        Sheet(moved(path, part, bomb))


@pytest.mark.parametrize(
    ("part", "tag", "element"),
    [
        ("xl/styles.xml", b"</cellXfs>", b"<xf/>"),
        ("xl/workbook.xml", b"<sheets>", b"<x/>"),
        ("xl/_rels/workbook.xml.rels", b"</Rel", b"<x/>"),
    ],
    ids=["styles", "workbook", "relationships"],
)
def test_a_part_that_is_read_as_a_whole_has_at_most_a_megabyte(
    tmp_path: Path, part: str, tag: bytes, element: bytes
) -> None:
    bomb = replaced(workbook(tmp_path, HEADER), part, tag, element * 3_000_000 + tag)
    started = time.process_time()
    with pytest.raises(InvalidInput, match=f"{part}: expected at most 1,000,000 bytes"):
        Sheet(bomb)
    assert time.process_time() - started < 5


def test_a_workbook_with_a_picture_and_notes_is_read(tmp_path: Path) -> None:
    path = workbook(tmp_path, HEADER, ["Ban", "China", datetime(2024, 12, 3), "ban", "gallium", 5])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/media/image1.png", b"\x89PNG\r\n\x1a\n<\x00<x")
        archive.writestr("xl/drawings/vmlDrawing1.vml", b"<xml><br></xml>")
        archive.writestr("xl/printerSettings/printerSettings1.bin", b"")
    assert len(Sheet(path).facts) == 1


@pytest.mark.parametrize(
    ("column", "value", "field"),
    [
        ("url", "javascript:alert(1)", "link"),
        ("url", "www.iea.org", "link"),
        ("year", "2023.7", "year"),
        ("year", "\u0662\u0660\u0662\u0663", "year"),
        ("year", "1e999999999", "year"),
        ("value", "1_000", "value"),
        ("value", "\u0663", "value"),
        ("published", "\uff11\uff12 March 2024", "published"),
    ],
)
def test_a_figure_in_another_notation_is_listed_with_its_field(
    tmp_path: Path, column: str, value: str, field: str
) -> None:
    row = {
        "country": "China",
        "commodity": "gallium",
        "year": "2023",
        "value": "5",
        "unit": "t",
        "stage": "primary",
        "published": "2024",
        "url": "https://a.example/",
    } | {column: value}
    path = tmp_path / "list.csv"
    path.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n", "utf-8")
    [(line, at, _)] = Sheet(path).refused
    assert (line, at) == (2, field)


@pytest.mark.parametrize("cut", [10, 2000, -40])
def test_a_truncated_workbook_is_refused_as_a_whole(tmp_path: Path, cut: int) -> None:
    path = workbook(tmp_path, HEADER, ["Ban", "China", datetime(2024, 12, 3), "ban", "gallium", 5])
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InvalidInput, match="expected an XLSX workbook"):
        Sheet(path)


@pytest.mark.parametrize("content", [b"", b"<x/>", b"<worksheet><sheetData><row>"])
def test_a_workbook_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = workbook(tmp_path, HEADER)
    with zipfile.ZipFile(path) as archive:
        sheet1 = archive.read("xl/worksheets/sheet1.xml")
    broken = replaced(path, "xl/worksheets/sheet1.xml", sheet1, content)
    with pytest.raises(InvalidInput):
        Sheet(broken)


# --- again and again


async def test_every_kind_of_row_keeps_the_rules(
    target: Target, recorder: Recorder, tmp_path: Path
) -> None:
    header = (
        "title,jurisdiction,announced,effective,ended,suspended,suspended_until,status,"
        "measure,commodities\n"
    )
    rows = [
        "Planned,ID,2024,,,,,Planned,ban,nickel",
        "In force,ID,2024-01-12,2024-02-01,,,,In force,ban,nickel",
        "Ended,ID,2014-01-12,2014-01-12,2017-01-11,,,Ended,ban,nickel",
        "Lifted,ID,2022-04-22,2022-04-28,2022-05-23,,,Lifted,ban,nickel",
        "Paused,CN,2024-12-03,2024-12-03,,2025-11-09,2026-11-27,Paused,ban,gallium",
        "Said,JP,2024,,,,,,,nickel",
    ]
    path = tmp_path / "policies.csv"
    path.write_text(header + "\n".join(rows))
    outcome = await import_file(target, READER, File.at(path))
    assert outcome.receipt.refused == ()
    states = {}
    for stream, events in (
        await recorder.read_streams(
            [
                f"export-control/policies-{id}"
                for id in ("id-planned", "id-in-force", "id-ended", "id-lifted", "cn-paused")
            ]
        )
    ).items():
        known = [event.known for event in events]
        control = state(known, stream, "2025-12-01")
        states[stream.rpartition("-")[2]] = control.clauses[0].status
    assert states == {
        "planned": "announced",
        "force": "in_force",
        "ended": "expired",
        "lifted": "repealed",
        "paused": "suspended",
    }


async def test_a_later_file_of_another_name_says_the_same(target: Target, tmp_path: Path) -> None:
    for name, came in (("list-2025-06.csv", {"new": 2}), ("list 2026-01.csv", {"unchanged": 2})):
        path = tmp_path / name
        path.write_text(POLICIES + GALLIUM)
        assert counts(await import_file(target, READER, File.at(path))) == came


async def test_a_later_file_adds_acts_and_corrects_what_it_reads_otherwise(
    target: Target, recorder: Recorder, tmp_path: Path
) -> None:
    async def take(row: str) -> dict[str, int]:
        path = tmp_path / "policies.csv"
        path.write_text(POLICIES + row)
        return counts(await import_file(target, READER, File.at(path)))

    planned = GALLIUM.replace("2023-08-01", "").replace("In force", "Announced")
    assert await take(planned) == {"new": 1}
    assert await take(planned) == {"unchanged": 1}
    assert await take(GALLIUM) == {"new": 1, "unchanged": 1}
    assert await take(GALLIUM.replace("germanium", "tin")) == {"corrected": 1, "unchanged": 1}
    events = [event.event_id for event in await recorder.read() if event.type != "Import.Recorded"]
    id = "policies-china-gallium-licence"
    assert events == [id, f"{id}+in-force", f"{id}~retracted", f"{id}~2"]


WIDE = (
    "title,jurisdiction,date,measure,commodities,direction,covers,end use,exemptions,"
    "destinations,origins\n"
)


def test_a_control_says_what_it_acts_on_and_covers(tmp_path: Path) -> None:
    row = "Magnets,US,2025-03-12,tariff,permanent magnets,Imports,goods,,Samples,,China\n"
    announced = only(sheet(tmp_path, row, WIDE).facts, Announced)
    [clause] = announced.clauses
    assert announced.direction == "import"
    assert (clause.origins, clause.destinations, clause.exemptions) == (("CN",), (), "Samples")
    row = "Know-how,CN,2025-10-09,licence,rare earths,export,Technology,military,,,\n"
    [clause] = only(sheet(tmp_path, row, WIDE).facts, Announced).clauses
    assert (clause.covers, clause.end_use) == ("technology", "military")


def test_a_measure_may_say_its_direction_and_imports_have_origins(tmp_path: Path) -> None:
    row = "Uranium,US,2024-05-13,Import ban,uranium,,,,,Russia,\n"
    announced = only(sheet(tmp_path, row, WIDE).facts, Announced)
    assert announced.direction == "import"
    assert (announced.clauses[0].origins, announced.clauses[0].destinations) == (("RU",), ())


@pytest.mark.parametrize(
    ("direction", "covers", "field"), [("sideways", "", "direction"), ("", "everything", "covers")]
)
def test_an_unknown_direction_or_scope_is_listed(
    tmp_path: Path, direction: str, covers: str, field: str
) -> None:
    row = f"A,CN,2025-10-09,licence,gallium,{direction},{covers},,,,\n"
    found = sheet(tmp_path, row, WIDE)
    assert (found.facts, [column for _, column, _ in found.refused]) == ({}, [field])


def test_a_cell_may_hold_a_list_in_json(tmp_path: Path) -> None:
    row = 'Ban,"[""China""]",2024-12-03,ban,"[""Gallium"", ""Germanium""]",,,,,'
    row += '"[{""name"": ""United States""}]",\n'
    announced = only(sheet(tmp_path, row, WIDE).facts, Announced)
    [clause] = announced.clauses
    assert (announced.issuer, clause.commodities, clause.destinations) == (
        "CN",
        ("gallium", "germanium"),
        ("US",),
    )


ACT = {
    "state_act_title": "China: Ban of gallium exports",
    "implementing_jurisdictions": [{"id": 42, "name": "China"}],
    "date_announced": "2024-12-03",
    "date_implemented": "2024-12-03",
    "intervention_type": "Export ban",
    "affected_jurisdictions": [{"name": "United States of America"}],
    "commodities": ["Gallium"],
    "is_in_force": 1,
}


@pytest.mark.parametrize("content", [[ACT], {"count": 1, "results": [ACT]}])
def test_a_list_of_objects_in_json_is_read_as_rows(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "interventions.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    assert reader_for(File.at(path)) is READER
    found = Sheet(path)
    announced = only(found.facts, Announced)
    assert (announced.title, announced.issuer, announced.direction, announced.note) == (
        "China: Ban of gallium exports",
        "CN",
        "export",
        "is_in_force: 1",
    )
    assert announced.clauses[0].destinations == ("US",)
    assert only(found.facts, EnteredIntoForce).in_force_from == "2024-12-03"


@pytest.mark.parametrize("content", ["[{]", '[{"title": "A"}, 1]', '{"data": [1]}'])
def test_json_that_is_not_a_list_of_objects_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "list.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput, match="expected"):
        Sheet(path)
