"""From files to the corpus that ships: the same bytes, in order, each figure once."""

from functools import cache
from pathlib import Path

import pytest

import tracker.corpus
from tests.corpus.test_checks import act, announced, made
from tests.support.corpus_lines import shipped_events, shipped_lines
from tracker.commands.commands import PlannedEvent
from tracker.corpus.compiling import (
    CORPUS,
    baci_readings,
    compile_corpus,
    contradictions,
    format_corpus,
    iea_readings,
    is_reading,
    readings_in,
    usgs_readings,
)
from tracker.corpus.files import Act, list_files, read_acts
from tracker.corpus.tariffs import shipped_tariffs
from tracker.domain.basics.codec import encode
from tracker.errors import NotFound
from tracker.sources.readers.corpus_format import parse_line

HERE = Path(tracker.corpus.__file__).parent


@cache
def acts() -> list[Act]:
    """Return the acts of the corpus."""
    items = (item for path in list_files(HERE) for item in read_acts(path, HERE))
    return [item for item in items if isinstance(item, Act)]


def claim(id: str, value: int, unit: str) -> PlannedEvent:
    """Return a claim of MCS 2024 on China's gallium."""
    data = {
        "source": {"publisher": "usgs", "name": "MCS", "publishedOn": "2024-01-31"},
        "series": {
            "commodity": "gallium",
            "place": "CN",
            "statistic": "production",
            "stage": "primary",
            "period": 2023,
        },
        "edition": "MCS 2024",
        "quantity": {"unit": unit, "value": value},
    }
    return parse_line(encode({"id": id, "type": "Figure.Claimed", "data": data}))


def ours(value: int, unit: str) -> Act:
    """Return the same claim as written by a person."""
    return Act("figures/usgs.toml", 1, claim("fact", value, unit))


def test_the_corpus_that_ships_is_what_its_files_compile_to() -> None:
    made_anew = format_corpus(compile_corpus(acts(), readings_in(HERE / CORPUS)))
    assert made_anew == b"".join(shipped_lines()), "compile it anew: tracker corpus build"


def test_the_figures_that_ship_are_those_of_the_publishers_files(shared_data: Path) -> None:
    raw = shared_data / "raw"
    readings = [*baci_readings(raw / "baci"), *iea_readings(raw / "iea"), *usgs_readings(raw)]
    readings += shipped_tariffs(HERE)
    assert list(contradictions(acts(), readings)) == []
    assert format_corpus(compile_corpus(acts(), readings)) == b"".join(shipped_lines())


def test_lines_stand_in_the_order_in_which_they_became_public() -> None:
    days = [planned.fact.public_on for planned in shipped_events().values()]
    assert days == sorted(days)


def test_imported_facts_are_distinguished_from_written_ones() -> None:
    assert is_reading(claim("usgs-mcs2024-gallium-cn-production-primary-2023", 600, "t"))
    assert not is_reading(claim("fact", 600, "t"))
    assert not is_reading(made().planned)


def test_a_figure_that_a_person_wrote_takes_the_place_of_the_files() -> None:
    reading, other = claim("file", 600, "t"), announced().planned
    assert [o.event_id for o in compile_corpus([ours(600_000, "kg")], [reading])] == ["fact"]
    assert [o.event_id for o in compile_corpus([], [reading])] == ["file"]
    assert compile_corpus([announced()], []) == [other]


def test_a_figure_that_the_publishers_file_contradicts_is_a_problem() -> None:
    assert list(contradictions([ours(600_000, "kg")], [claim("file", 600, "t")])) == []
    assert list(contradictions([ours(600, "kg")], [])) == []
    [problem] = contradictions([ours(600_000, "kg")], [claim("file", 610, "t")])
    assert (problem.file, problem.act, problem.field) == ("figures/usgs.toml", "fact", "quantity")


def test_acts_of_one_day_keep_the_order_of_their_files() -> None:
    both = [
        made("b"),
        made("a"),
        act("policy/alliance/x.toml", id="x", type="Alliance.Founded", on="2024-01-01", name="X"),
    ]
    assert [planned.event_id for planned in compile_corpus(both, [])] == ["x", "b", "a"]


def test_a_directory_without_the_publishers_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(NotFound, match="There are no USGS files in"):
        usgs_readings(tmp_path)
    with pytest.raises(NotFound, match="expected it, or --usgs"):
        readings_in(tmp_path / CORPUS)
