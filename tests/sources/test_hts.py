"""The tariff schedule of the United States: the 37 traps of its files, and rates against the raw cells."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.support.fact_builders import decided_facts, state
from tests.support.tariff_lines import NEW, OLD, line, prints, readings, suffix_texts
from tracker.domain.figures.tariff import (
    LineChanged,
    LineStated,
    LineWithdrawn,
    PrintedLine,
    TariffLineState,
    content_of,
    print_statement,
)
from tracker.domain.figures.tariff_edition import EditionRead
from tracker.domain.figures.tariff_rate import special_rates, tariff_rate
from tracker.errors import InvalidInput
from tracker.sources.reader import File, ReadFact, RefusedItem
from tracker.sources.readers.hts import READER, clean
from tracker.sources.registry import reader_for

CHAPTER_26 = [
    {"htsno": "2611", "indent": "0", "description": "Tungsten ores:"},
    {
        "htsno": "2611.00.60.00",
        "indent": "01",
        "description": "Concentrates",
        "units": ["kg", "W kg"],
        "general": "37.5¢/kg on tungsten content",
        "special": "Free (A+,AU)",
        "other": "$1.10/kg on tungsten content",
    },
]


def written(tmp_path: Path, rows: list[dict[str, Any]], name: str = "hts-2026-rev-10.json") -> File:
    """Return an export with these rows."""
    path = tmp_path / name
    path.write_text(json.dumps(rows), "utf-8")
    return File.at(path)


def read(file: File) -> tuple[list[Any], list[tuple[int, str]]]:
    """Return the facts of an export, and row and code of its refusals."""
    items = [*READER.read(file)]
    facts = [one.planned.fact for one in items if isinstance(one, ReadFact)]
    return facts, [(one.at.line, one.code) for one in items if isinstance(one, RefusedItem)]


def printed(code: str, day: str) -> TariffLineState:
    """Return the state of a shipped line on a day."""
    stream = f"tariff-line/us/{code.replace('.', '')}"
    facts = [one.fact for one in readings() if one.stream == stream]
    found: TariffLineState | None = state(decided_facts(stream, *facts), stream, day)
    assert found
    return found


def footnotes(code: str, edition: str = NEW) -> list[tuple[str, str]]:
    """Return column and text of the footnotes of a line and its suffixes."""
    of = line(code, edition)
    notes = [*of.footnotes, *(note for one in of.suffixes for note in one.footnotes)]
    return [(note.column, note.text) for note in notes]


# --- rates and inheritance (traps 1 to 12)


def test_a_suffix_has_no_rate_of_its_own_and_its_line_has_one() -> None:
    assert line("2846.10.00").general == "5.5%"
    assert suffix_texts("2846.10.00")["10"] == ("Cerium oxides",)


def test_a_line_without_a_row_of_8_digits_is_found_by_8_digits() -> None:
    assert line("8112.92.10").general == "3%"
    assert suffix_texts("8112.92.10") == {"00": ()}
    assert suffix_texts("8505.90.75") == {"01": ()}
    alone = [one for one in prints(NEW).values() if one.suffixes and not one.suffixes[0].texts]
    assert len(alone) == 1285


@pytest.mark.parametrize("code", ["2825.60.00", "8301.60.00"])
def test_a_space_and_a_line_feed_are_blanks(code: str) -> None:
    assert line(code).general
    assert {one.suffix for one in line(code).suffixes} >= {"10"}


def test_rows_without_a_code_give_texts_in_the_order_of_the_file() -> None:
    assert suffix_texts("2846.90.20")["05"] == (
        "Rare-earth oxides except cerium oxides:",
        "Containing lanthanum as the predominant metal",
    )


def test_the_parent_is_the_nearest_earlier_row_with_a_smaller_indent() -> None:
    assert len(suffix_texts("2620.99.75")["20"]) == 1
    assert len(suffix_texts("2826.90.90")["10"]) == 1
    assert line("2826.90.90").texts[-1] == "Other"


def test_free_is_a_rate_and_a_blank_is_none() -> None:
    graphite = printed("2504.10.10", "2026-09-01")
    assert graphite.general
    assert graphite.general.percent == 0
    assert graphite.special == ()
    assert graphite.column2
    assert graphite.column2.simple_percent is None
    [amount] = graphite.column2.amounts
    assert (amount.dollars, amount.unit) == (Decimal("0.036"), "kg")


@pytest.mark.parametrize(
    ("code", "dollars", "content", "percent"),
    [
        ("2613.10.00", "0.128", "molybdenum content", "1.8"),
        ("8104.90.00", "0.148", "magnesium content", "3.5"),
    ],
)
def test_a_compound_rate_stays_compound(
    code: str, dollars: str, content: str, percent: str
) -> None:
    rate = tariff_rate(line(code).general or "")
    [amount] = rate.amounts
    assert (amount.dollars, amount.unit, amount.content) == (Decimal(dollars), "kg", content)
    assert rate.percent == Decimal(percent)
    assert rate.simple_percent is None


def test_specific_rates_name_the_metal_that_is_weighed() -> None:
    [tungsten] = tariff_rate(line("2611.00.60").general or "").amounts
    assert (tungsten.dollars, tungsten.content) == (Decimal("0.375"), "tungsten content")
    amounts = tariff_rate(line("2620.19.60").general or "").amounts
    assert [one.content for one in amounts] == ["copper content", "lead content"]


def test_a_percentage_of_a_part_of_the_value_is_not_one_of_the_goods() -> None:
    rate = tariff_rate(line("7801.10.00").general or "")
    assert (rate.percent, rate.percent_of) == (Decimal("2.5"), "the value of the lead content")
    assert rate.simple_percent is None


def test_a_rate_in_words_has_no_number_and_no_line_breaks_of_the_print() -> None:
    words = (
        "The rate of duty applicable to that article in the set subject to the highest rate of duty"
    )
    rate = tariff_rate(line("8206.00.00").general or "")
    assert (rate.words, rate.percent, rate.amounts) == (words, None, ())
    assert line("8211.10.00").column2 == words


def test_untidy_texts_are_read() -> None:
    assert line("2915.40.50").general == "3.7%"
    assert tariff_rate("15.4¢/kg +58%").percent == 58
    assert clean(" See 9903.88.03.\u00a0 ") == "See 9903.88.03."


@pytest.mark.parametrize(
    ("text", "dollars", "unit", "including"),
    [
        ("1¢ each + 2.8%", "0.01", "each", None),
        ("12¢/doz. + 5.5%", "0.12", "doz.", None),
        ("40¢/gross", "0.4", "gross", None),
        ("$22.95/m3", "22.95", "m3", None),
        ("74¢/t", "0.74", "t", None),
        ("$1.32/t, including weight of container", "1.32", "t", "including weight of container"),
    ],
)
def test_rates_have_other_bases_than_weight(
    text: str, dollars: str, unit: str, including: str | None
) -> None:
    assert any(text in (one.general, one.column2) for one in prints(NEW).values())
    [amount] = tariff_rate(text).amounts
    assert (amount.dollars, amount.unit, amount.including) == (Decimal(dollars), unit, including)


def test_every_shipped_rate_has_parts_or_is_one_sentence() -> None:
    rates = [(one.general, one.column2) for one in prints(NEW).values()]
    words = {tariff_rate(text).words for pair in rates for text in pair if text}
    assert [one for one in words if one and not one.startswith("The rate of duty applicable")] == []


# --- special and column 2 (traps 13 to 19)


@pytest.mark.parametrize("code", ["8112.39.00", "8112.92.70", "2931.90.10"])
def test_programmes_are_read_with_any_spaces(code: str) -> None:
    [rate] = special_rates(line(code).special or "")
    assert rate.rate.percent == 0
    assert {"AU", "IL", "S"} <= {*rate.programmes}
    assert all(one == one.strip() for one in rate.programmes)


def test_one_column_has_two_special_rates() -> None:
    free, japan = special_rates(line("7318.14.10").special or "")
    assert "JP" not in free.programmes
    assert (japan.programmes, japan.rate.percent) == (("JP",), Decimal("3.1"))
    assert "JP" in special_rates(line("8505.11.00").special or "")[0].programmes


def test_a_programme_stands_beside_the_general_rate_and_does_not_replace_it() -> None:
    copper = printed("7412.20.00", "2026-09-01")
    assert copper.general
    assert copper.general.percent == 3
    assert "CL" in copper.special[0].programmes


def test_symbols_of_one_programme_differ() -> None:
    assert "A+" in special_rates(line("8108.20.00").special or "")[0].programmes
    assert "A" not in special_rates(line("8108.20.00").special or "")[0].programmes
    assert "D" not in special_rates(line("2804.69.50").special or "")[0].programmes
    assert {"B", "C"} <= {*special_rates(line("8507.60.00").special or "")[0].programmes}


def test_the_rates_of_a_line_are_the_ordinary_ones_only() -> None:
    tungsten = printed("8101.94.00", "2026-09-01")
    assert tungsten.general
    assert tungsten.general.percent == Decimal("6.6")


def test_column_2_has_its_own_base() -> None:
    antimony = printed("8110.10.00", "2026-09-01")
    assert antimony.general
    assert antimony.general.text == "Free"
    assert antimony.column2
    assert antimony.column2.text == "4.4¢/kg"
    magnesium = printed("8104.11.00", "2026-09-01")
    assert magnesium.general
    assert magnesium.general.percent == 8
    assert magnesium.column2
    assert magnesium.column2.percent == 100


def test_lines_of_content_say_that_they_are_not_goods() -> None:
    contents = [one for one in line("2603.00.00").suffixes if one.footnotes]
    texts = {note.text for one in contents for note in one.footnotes if note.column == "units"}
    assert "Report value only of stated metal content." in texts
    assert len(tariff_rate(line("2603.00.00").column2 or "").amounts) == 3


# --- footnotes and chapter 99 (traps 20 to 34)


def test_a_line_prints_few_of_its_additional_duties() -> None:
    provisions = {one.code for one in printed("7326.90.86", "2026-09-01").printed_provisions}
    assert provisions == {"9903.88.03", "9903.88.69"}
    notes = {
        edition: sum(
            "U.S. note 1" in text
            for code in prints(edition)
            for _, text in footnotes(code, edition)
        )
        for edition in (OLD, NEW)
    }
    assert notes[OLD] > 500 > 5 > notes[NEW]


def test_the_print_after_the_newest_edition_is_not_confirmed() -> None:
    editions = [one.fact for one in readings() if isinstance(one.fact, EditionRead)]
    states = [state(decided_facts(of.stream, of), of.stream, "2026-12-01") for of in editions]
    gallium = printed("8112.92.10", "2026-09-04")

    def on(day: str, later: TariffLineState | None = None) -> str:
        return print_statement(gallium, date.fromisoformat(day), states, later)

    assert on("2026-09-04") == "As printed on 8 June 2026; no later edition was read."
    assert on("2026-06-08") == "As printed on 8 June 2026."
    same = "As printed on 14 May 2025 and, unchanged, on 8 June 2026."
    assert on("2025-12-01", printed("8112.92.10", "2026-06-08")) == same


def test_rates_of_chapter_99_are_sentences() -> None:
    for text in ("The duty provided in the applicable subheading + 25%", "No change", "No Change"):
        assert (tariff_rate(text).words, tariff_rate(text).percent) == (text, None)


@pytest.mark.parametrize(
    ("code", "description"),
    [
        ("9903.01.24", "Articles that are the product of China"),
        ("9902.01.39", "Germanium dioxide"),
        ("9903.45.25", "Cells [Compiler's note: these provisions have expired]"),
        ("9903.88.69", "Exclusions through November 9, 2026"),
    ],
)
def test_provisions_are_not_lines_and_are_left_out(
    tmp_path: Path, code: str, description: str
) -> None:
    provision = {"htsno": code, "indent": "0", "description": description, "general": "Free"}
    facts, refused = read(written(tmp_path, [*CHAPTER_26, provision]))
    assert [fact.code for fact in facts if isinstance(fact, PrintedLine)] == ["26110060"]
    assert refused == [(3, "LEFT_OUT")]


@pytest.mark.parametrize(
    ("code", "retired", "new"),
    [
        ("8507.60.00", {"20"}, {"30", "90"}),
        ("2825.60.00", {"00"}, {"10", "20", "50"}),
        ("7601.10.60", {"30"}, {"40", "45"}),
        ("3801.90.00", {"00"}, {"10", "50"}),
    ],
)
def test_a_retired_suffix_is_remembered(code: str, retired: set[str], new: set[str]) -> None:
    before, after = printed(code, "2025-06-01"), printed(code, "2026-06-08")
    assert {*after.retired_suffixes} == retired
    assert {one.suffix for one in after.suffixes} - {one.suffix for one in before.suffixes} == new


def test_units_are_as_printed_and_blank_ones_are_none() -> None:
    [magnet] = [one for one in line("8505.11.00").suffixes if one.suffix == "70"]
    assert magnet.units == ("No.", "kg")
    assert line("7306.30.10").units == line("8544.42.90").units == ()
    units = {unit for of in prints(NEW).values() for one in of.suffixes for unit in one.units}
    assert {"V2O5 kg", "Cr2O3 t"} <= units


def test_a_provision_names_the_column_that_it_is_printed_at() -> None:
    provisions = printed("8112.92.10", "2026-09-01").printed_provisions
    assert [(one.code, one.column, one.suffix) for one in provisions] == [
        ("9903.88.03", "general", "00"),
        ("9903.90.09", "other", "00"),
    ]


def test_one_footnote_names_two_provisions() -> None:
    batteries = printed("8507.60.00", "2026-09-01").printed_provisions
    assert [one.code for one in batteries] == ["9903.88.15", "9903.91.06"]
    assert len({one.footnote for one in batteries}) == 1
    older = printed("8507.60.00", "2025-06-01").printed_provisions
    assert [one.code for one in older] == ["9903.88.15", "9903.91.01"]


def test_a_footnote_of_a_later_edition_is_a_change() -> None:
    new = ("general", "See 9903.91.06.")
    for code in ("8505.11.00", "2504.10.10"):
        assert new in footnotes(code, NEW)
        assert new not in footnotes(code, OLD)
        assert isinstance(line(code), LineChanged)


def test_a_footnote_of_a_suffix_stays_there() -> None:
    [excluded] = [one for one in line("7326.90.86").suffixes if one.suffix == "88"]
    assert ("desc", "See 9903.88.69.") in [(one.column, one.text) for one in excluded.footnotes]
    assert "9903.88.69" not in {note.text for note in line("7326.90.86").footnotes}


def test_between_two_different_rates_the_day_of_change_is_a_range() -> None:
    editions = [one.fact for one in readings() if isinstance(one.fact, EditionRead)]
    states = [state(decided_facts(of.stream, of), of.stream, "2026-12-01") for of in editions]
    before, after = (printed("8505.11.00", day) for day in ("2025-12-31", "2026-06-08"))
    day = date.fromisoformat("2025-12-31")
    assert print_statement(before, day, states, after) == (  # a footnote differs
        "As printed on 14 May 2025; the edition of 8 June 2026 prints the same rates."
    )
    assert print_statement(before, day, states, replace(after, general_text="9%")) == (
        "As printed on 14 May 2025; the edition of 8 June 2026 prints it otherwise. The day of the"
        " change is not recorded."
    )


def test_a_note_is_a_footnote_and_no_provision() -> None:
    aluminium = printed("7608.10.00", "2026-09-01")
    notes = [(one.column, one.text) for one in aluminium.footnotes]
    assert ("special", "See additional U.S. note 1 to this chapter.") in footnotes("7608.10.00")
    assert "additional" not in " ".join(one.code for one in aluminium.printed_provisions), notes


def test_fields_without_a_meaning_are_ignored(tmp_path: Path) -> None:
    row = CHAPTER_26[1] | {"quotaQuantity": " ", "additionalDuties": "", "addiitionalDuties": None}
    assert (
        read(written(tmp_path, [CHAPTER_26[0], row]))[0][1:]
        == (read(written(tmp_path, CHAPTER_26))[0][1:])
    )


# --- texts and editions (traps 35 to 37)


def test_the_path_of_texts_says_what_other_is() -> None:
    others = [one for one in prints(NEW).values() if one.texts[-1] == "Other"]
    assert len(others) > 300
    assert all(len(one.texts) > 1 for one in others)


def test_no_base_rate_differs_between_the_editions() -> None:
    old, new = prints(OLD), prints(NEW)
    assert old.keys() == new.keys()
    rates = [(of.general, of.special, of.column2) for of in old.values()]
    assert rates == [(new[code].general, new[code].special, new[code].column2) for code in old]


def test_markup_makes_no_difference(tmp_path: Path) -> None:
    marked = [CHAPTER_26[0], CHAPTER_26[1] | {"other": "$22.95/m<sup>3</sup>"}]
    plain = [CHAPTER_26[0], CHAPTER_26[1] | {"other": "$22.95/m3"}]
    [_, one], [_, other] = (read(written(tmp_path, rows))[0] for rows in (marked, plain))
    assert content_of(one) == content_of(other)


# --- the reader


def test_an_export_is_recognised_and_names_its_edition(tmp_path: Path) -> None:
    file = written(tmp_path, CHAPTER_26)
    assert reader_for(file) is READER
    edition, stated = read(file)[0]
    assert isinstance(edition, EditionRead)
    assert isinstance(stated, LineStated)
    assert (edition.stream, edition.chapters) == ("tariff-edition/us/2026-rev-10", ("26",))
    assert edition.sha256 == file.sha256()
    assert str(stated.source.published_on) == "2026-06-08"
    assert stated.stream == "tariff-line/us/26110060"


def test_an_edition_that_is_not_declared_needs_its_day(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(written(tmp_path, CHAPTER_26, "hts-2026-rev-19.json"))
    assert caught.value.code == "UNREADABLE_FILE"
    dated = written(tmp_path, CHAPTER_26, "hts-2026-rev-19-2026-09-18.json")
    assert str(read(dated)[0][0].source.published_on) == "2026-09-18"


def test_a_rate_without_a_line_and_a_suffix_without_a_rate_are_refused(tmp_path: Path) -> None:
    rows = [{"htsno": "2612.10", "indent": "0", "description": "Ores", "general": "5%"}]
    rows.append({"htsno": "2613.90.00.10", "indent": "1", "description": "Other"})
    assert read(written(tmp_path, rows))[1] == [(1, "NOT_UNDERSTOOD"), (2, "NOT_UNDERSTOOD")]


# --- against the raw files, by DuckDB


def raw(shared_data: Path, edition: str) -> Path:
    """Return the raw file of an edition."""
    path = shared_data / "raw" / "hts" / f"hts-{edition.replace('rev-', 'rev')}.jsonl"
    if not path.is_file():
        pytest.skip(f"{path.name} is not beside this checkout")
    return path


PLAIN = (
    "trim(regexp_replace(regexp_replace(coalesce({0}, ''), '<[^>]*>', '', 'g'), '\\s+', ' ', 'g'))"
)
CELL = f"regexp_replace({PLAIN}, '([a-z])- ([a-z])', '\\1\\2', 'g')"
"""A cell without markup, line breaks and divided words, in SQL."""


@pytest.mark.parametrize("edition", [OLD, NEW])
def test_every_shipped_rate_is_the_cell_of_the_raw_file(shared_data: Path, edition: str) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    cells = ", ".join(CELL.format(name) for name in ("general", "special", "other"))
    rows = duckdb.sql(
        f"SELECT left(replace(htsno, '.', ''), 8), {cells}"
        f" FROM read_json('{raw(shared_data, edition)}', format = 'newline_delimited')"
        " WHERE why = 'lines' AND (trim(general, E' \\n') <> '' OR trim(special, E' \\n') <> ''"
        " OR trim(other, E' \\n') <> '')"
    ).fetchall()
    expected = {code: rates for code, *rates in rows}
    assert len(rows) == len(expected) == 1754
    shipped = {
        code: [of.general or "", of.special or "", of.column2 or ""]
        for code, of in prints(edition).items()
    }
    assert shipped == expected


def test_differences_between_the_editions_are_those_of_an_independent_query(
    shared_data: Path,
) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    texts = ", ".join(CELL.format(name) for name in ("description", "general", "special", "other"))
    tidy = CELL.format("{0}")
    lines = " UNION ALL ".join(
        f"SELECT '{edition}' AS edition, replace(htsno, '.', '') AS code, [{texts}] AS cells,"
        f" list_filter(list_transform(coalesce(units, []), lambda u: {tidy.format('u')}),"
        " lambda u: u <> '') AS units,"
        " list_transform(coalesce(footnotes, []), lambda f: [f.columns[1],"
        f" {tidy.format('f.value')}]) AS footnotes"
        f" FROM read_json('{raw(shared_data, edition)}', format = 'newline_delimited')"
        " WHERE why = 'lines' AND length(replace(htsno, '.', '')) >= 8"
        for edition in (OLD, NEW)
    )
    found = duckdb.sql(
        f"WITH lines AS ({lines}), by_line AS (SELECT edition, left(code, 8) AS code,"
        " list([code, cells::VARCHAR, units::VARCHAR, footnotes::VARCHAR] ORDER BY code) AS content"
        " FROM lines GROUP BY ALL)"
        f" SELECT o.code FROM by_line o JOIN by_line n ON o.code = n.code AND o.edition = '{OLD}'"
        f" AND n.edition = '{NEW}' WHERE o.content <> n.content"
    ).fetchall()
    changed = {one.fact.code for one in readings() if isinstance(one.fact, LineChanged)}
    by_rows, old, new = {code for (code,) in found}, prints(OLD), prints(NEW)
    assert by_rows <= changed
    for code in changed - by_rows:  # a text above the line is another one
        assert old[code].texts[:-1] != new[code].texts[:-1]
        assert msgspec.structs.replace(new[code], texts=()).suffixes == old[code].suffixes
    assert len(changed) == 551
    assert not any(isinstance(one.fact, LineWithdrawn) for one in readings())
