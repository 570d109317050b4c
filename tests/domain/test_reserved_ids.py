"""Ids whose pages would have the addresses of files."""

import pytest

from schema.pages.site.page_data import MEDIA_TYPES
from tests.support.cases import each_case
from tests.support.fact_builders import announced, claimed
from tracker.domain.entities.entity import RESERVED_ENDINGS, entity_type
from tracker.domain.entities.fact import Fact
from tracker.errors import InvalidInput

FIGURE = "figure/tin/CN/production"


def record(stream: str, fact: Fact) -> None:
    """Record a first fact of an entity."""
    entity_type(stream).empty(stream).record(fact, "1")


@each_case(
    "id",
    [
        "index.html",
        "INDEX.HTML",
        "a.b.Csv",
        "x.receipts.jsonl",
        *(f"x.{e}" for e in RESERVED_ENDINGS),
    ],
)
def test_a_new_id_that_ends_like_a_file_is_refused(id: str) -> None:
    with pytest.raises(InvalidInput, match="expected an id that does not end in") as refused:
        record(f"export-control/{id}", announced())
    assert (refused.value.code, refused.value.path) == ("RESERVED_ID", ("id",))


@each_case("id", [f"{FIGURE}/x.csv", f"{FIGURE}/index.html/2023"])
def test_each_part_of_a_new_id_is_checked(id: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        record(id, claimed(1))
    assert refused.value.code == "RESERVED_ID"


@each_case("id", ["csv", "index", "x.csv-2", "x.5", "json.x", "no.2024-35"])
def test_other_ids_are_accepted(id: str) -> None:
    record(f"export-control/{id}", announced())


def test_the_endings_of_all_files_of_pages_are_reserved() -> None:
    assert set(MEDIA_TYPES) <= set(RESERVED_ENDINGS)
