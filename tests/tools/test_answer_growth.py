"""The benchmark of answers about growing logs and entities."""

from __future__ import annotations

import re
from math import isnan
from pathlib import Path

import graphql
import pytest

from schema.execution.schema import SCHEMA
from tools.benchmarks.answer_growth import LISTS, Row, main
from tools.benchmarks.growth import elsewhere
from tools.benchmarks.load import corpus
from tools.benchmarks.resources import Cost, items_of
from tracker.domain.basics.codec import decode
from tracker.domain.figures.figure_facts import Claimed


def row(*costs: tuple[float, int | str], sizes: tuple[int, ...] = ()) -> Row:
    """Return a row with CPU seconds and items, and maybe other sizes."""
    made = Row("x")
    for number, (cpu, items) in enumerate(costs):
        made.add(Cost(cpu, 100.0, 1.5, items), sizes[number] if sizes else None)
    return made


def test_the_growth_is_that_of_the_worst_step_for_each_item() -> None:
    assert row((1, 10), (20, 100), (100, 1000)).growth == 2
    assert row((1, 1), (20, 1), sizes=(10, 100)).growth == 2


def test_a_step_without_items_or_with_an_error_has_no_growth() -> None:
    assert isnan(row((1, 0), (20, 100)).growth)
    assert isnan(row((1, 10), (20, "TOO_LARGE")).growth)
    assert isnan(row((1, 10)).growth)


def test_a_row_shows_all_sizes_beside_each_other() -> None:
    assert row((0.5, 1000), (2, "TOO_LARGE")).cells == [
        "x",
        "1,000 / TOO_LARGE",
        "500 / 2,000",
        "nan",
        "100 / 100",
        "2 / 2",
    ]


def test_items_are_the_total_of_a_list_one_value_or_an_error() -> None:
    assert items_of({"data": {"asOf": {"disputes": {"totalCount": 12}}}}) == 12
    assert items_of({"data": {"asOf": {"digest": "ab"}}}) == 1
    error = {"message": "no", "extensions": {"code": "TOO_LARGE"}}
    assert items_of({"data": None, "errors": [error]}) == "TOO_LARGE"


@pytest.mark.parametrize("cycle", range(1, 6))
def test_every_variation_of_a_figure_is_valid_and_has_a_stream_of_its_own(cycle: int) -> None:
    claims = [event for event in corpus() if event.type == "Figure.Claimed"][::7]
    copies = [elsewhere(claim, cycle) for claim in claims]
    for event in copies:
        assert decode(Claimed, event.data).stream == event.stream
    assert not {event.stream for event in copies} & {claim.stream for claim in claims}


@pytest.mark.parametrize("name", LISTS)
def test_every_document_is_valid(name: str) -> None:
    document = graphql.parse(f"{{ asOf {{ {LISTS[name]} }} }}")
    assert graphql.validate(SCHEMA._schema, document) == []


def test_small_sizes_are_measured_and_written_to_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- measured: answer_growth -->\n<!-- end of answer_growth -->\n")
    options = ["--sizes", "300", "600", "--facts", "3", "6", "--kinds", "alliance"]
    main([*options, "--write", str(page)])
    cells = {
        line.split(" | ")[0].removeprefix("| "): line.split(" | ")[1:]
        for line in page.read_text().splitlines()
        if line.startswith("|") and "---" not in line
    }
    assert cells["tracker verify"][0] == "300 / 600"
    assert cells["alliance, on separate days"][0] == "3 / 6"
    for name in (*LISTS, "tracker export", "tracker verify --database", "alliance, on one day"):
        cpu, _, megabytes, _ = cells[name][1:]
        assert all(figure > 0 for figure in numbers(cpu) + numbers(megabytes)), name


def numbers(cell: str) -> list[float]:
    """Return the numbers of a cell."""
    return [float(number.replace(",", "")) for number in re.findall(r"[\d.,]+", cell)]
