"""Files written by people: acts with their locations, and their problems by name."""

from pathlib import Path

import pytest

import tracker.corpus
from tests.support.tariff_lines import NEW, prints
from tracker.corpus.files import Act, Problem, list_files, read_acts
from tracker.domain.actors.announcement import Made
from tracker.domain.controls.export_control import Announced
from tracker.domain.controls.export_control_acts import Amended
from tracker.errors import NotFound

GALLIUM = """
[[act]]
id = "xx-1"
type = "ExportControl.Announced"
on = 2025-03-01
issuer = "CN"
direction = "export"
title = "Licence for gallium"
note = '''
The first line
is continued here.

A paragraph.
'''

[act.source]
publisher = "mofcom"
name = "Announcement 1"
publishedOn = "2025-03"

[[act.clauses]]
id = "1"
measure = "tariff"
commodities = ["gallium"]
inForceFrom = "2026"
ratePercent = 12.5
"""
MADE = """
[[act]]
id = "xx-said"
type = "Announcement.Made"
on = 2025-03-01
kind = "statement"
title = "Something was said"
source = { publisher = "mofcom", name = "A", publishedOn = 2025-03-01 }
"""
CONTROL = "policy/export-control/xx-1.toml"


def written(directory: Path, file: str, content: str) -> list[Act | Problem]:
    """Return the acts of a file with this content."""
    path = directory / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")
    return list(read_acts(path, directory))


def act(directory: Path, file: str, content: str) -> Act:
    """Return the only act of a file."""
    [only] = written(directory, file, content)
    assert isinstance(only, Act), only
    return only


def problem(directory: Path, file: str, content: str) -> str:
    """Return the only printed problem of a file."""
    [only] = written(directory, file, content)
    assert isinstance(only, Problem)
    return str(only)


def test_a_file_of_one_instrument_is_about_what_it_is_named_after(tmp_path: Path) -> None:
    found = act(tmp_path, CONTROL, GALLIUM)
    assert (found.file, found.number, found.id) == (CONTROL, 1, "xx-1")
    assert found.planned.stream == "export-control/xx-1"


def test_dates_and_numbers_are_written_without_quotes_or_as_partial_dates(tmp_path: Path) -> None:
    fact = act(tmp_path, CONTROL, GALLIUM).planned.fact
    assert isinstance(fact, Announced)
    assert (fact.on, fact.source.published_on) == ("2025-03-01", "2025-03")
    assert str(fact.clauses[0].rate_percent) == "12.5"


def test_lines_of_a_text_are_joined_and_an_empty_one_begins_a_paragraph(tmp_path: Path) -> None:
    fact = act(tmp_path, CONTROL, GALLIUM).planned.fact
    assert fact.note == "The first line is continued here.\nA paragraph."


def test_an_announcement_is_named_by_its_id_unless_the_act_names_another(tmp_path: Path) -> None:
    file = "policy/announcement/cn/2025.toml"
    assert isinstance(act(tmp_path, file, MADE).planned.fact, Made)
    assert act(tmp_path, file, MADE).planned.stream == "announcement/xx-said"
    other = MADE.replace("kind =", 'entity = "announcement/other"\nkind =')
    assert act(tmp_path, file, other).planned.stream == "announcement/other"


def test_a_figure_names_its_own_series(tmp_path: Path) -> None:
    figure = """
    [[act]]
    id = "f"
    type = "Figure.Claimed"
    edition = "A 2024"
    quantity = { unit = "t", value = 600 }
    source = { publisher = "a", name = "A", publishedOn = "2024" }

    [act.series]
    commodity = "gallium"
    place = "CN"
    statistic = "production"
    stage = "primary"
    period = 2023
    """
    found = act(tmp_path, "figures/a.toml", figure)
    assert found.planned.stream == "figure/gallium/CN/production/primary/2023"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        (CONTROL, "[[act]", "xx-1.toml: Expected ']]' at the end of an array declaration"),
        (CONTROL, "title = 'x'", "expected acts and nothing beside them, each under [[act]]"),
        (CONTROL, GALLIUM.replace("gallium", "galium"), "xx-1: clauses.0.commodities.0: 'galium'"),
        (CONTROL, GALLIUM.replace('issuer = "CN"', ""), "xx-1: issuer: expected the field issuer"),
        (CONTROL, GALLIUM.replace("title", "titel"), "xx-1: "),
        (CONTROL, GALLIUM.replace('"xx-1"', '""'), "xx-1.toml"),
        (
            CONTROL,
            GALLIUM.replace("issuer", 'entity = "export-control/other"\nissuer'),
            "xx-1: entity: expected no entity: the file is about export-control/xx-1",
        ),
        ("policy/xx.toml", MADE, "expected a file such as policy/export-control/KEY.toml"),
        ("policy/alliance/xx.toml", MADE, "entity: expected an entity that Announcement.Made"),
    ],
)
def test_errors_name_file_act_and_field(tmp_path: Path, file: str, content: str, said: str) -> None:
    assert said in problem(tmp_path, file, content)


def test_an_act_that_is_wrong_does_not_hide_the_others(tmp_path: Path) -> None:
    found = written(tmp_path, CONTROL, GALLIUM.replace('"CN"', '"ZZ"') + GALLIUM)
    assert [type(item) for item in found] == [Problem, Act]


def test_a_directory_without_files_is_not_a_corpus(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="expected the directory tracker/corpus of a checkout"):
        list_files(tmp_path)


HERE = Path(tracker.corpus.__file__).parent
LISTS = {
    "9903.88.01": ("us-301-2018", "list-1"),
    "9903.88.02": ("us-301-2018", "list-2"),
    "9903.88.03": ("us-301-2018", "list-3"),
    "9903.88.15": ("us-301-2018", "list-4a"),
    "9903.90.08": ("us-2022-ru-column-2", "35"),
    "9903.90.09": ("us-2022-ru-column-2", "70"),
    "9903.91.01": ("us-301-2024", ""),
    "9903.91.02": ("us-301-2024", "solar-cells"),
    "9903.91.05": ("us-301-2024", "semiconductors"),
}


def codes_of(instrument: str, clause: str) -> tuple[str, ...]:
    """Return the codes of the clauses of an instrument that begin with a name."""
    acts = read_acts(HERE / f"policy/export-control/{instrument}.toml", HERE)
    facts = [one.planned.fact for one in acts if isinstance(one, Act)]
    clauses = [of for fact in facts if isinstance(fact, Announced | Amended) for of in fact.clauses]
    items = [item for of in clauses if of.id.startswith(clause) for item in of.items]
    return tuple(code for item in items for code in item.hs)


@pytest.mark.parametrize("provision", LISTS)
def test_every_line_that_prints_a_provision_is_on_its_list(provision: str) -> None:
    printed = {
        code
        for code, line in prints(NEW).items()
        if any(provision in note.text for note in line.footnotes)
    }
    codes = codes_of(*LISTS[provision])
    elsewhere = codes_of("us-301-2025-tungsten", "") if provision == "9903.91.05" else ()
    assert printed
    assert {one for one in printed if not one.startswith((*codes, *elsewhere))} == set()


def test_codes_by_provision_leave_out_those_of_other_items_and_of_other_chapters() -> None:
    codes = codes_of("us-301-2024", "semiconductors")
    assert len(codes) == 11
    assert all(code.startswith("8541") for code in codes)
    both = codes_of("us-301-2018", "list-1")
    assert len(set(both)) == len(both)


def test_a_provision_that_no_further_line_prints_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/us-tariff.jsonl.xz").symlink_to(HERE / "figures/us-tariff.jsonl.xz")
    content = f'{GALLIUM}items = [{{ name = "Others", printedUnder = "9903.99.99" }}]'
    assert "expected a provision that further lines of the tariff print" in problem(
        tmp_path, CONTROL, content
    )
