"""Documents of the US Federal Register: a control only where the document itself says so."""

import json
from pathlib import Path
from typing import Any

import pytest

from tracker.domain.actors.announcement import Made
from tracker.domain.controls.export_control_acts import Announced
from tracker.errors import InvalidInput
from tracker.sources.reader import File, ReadFact, RefusedItem
from tracker.sources.readers.federal_register import READER, named_in

BIS = [
    {
        "raw_name": "DEPARTMENT OF COMMERCE",
        "name": "Commerce Department",
        "id": 54,
        "slug": "commerce-department",
        "parent_id": None,
    },
    {
        "raw_name": "Bureau of Industry and Security",
        "name": "Industry and Security Bureau",
        "id": 241,
        "slug": "industry-and-security-bureau",
        "parent_id": 54,
    },
]
RULE = {
    "document_number": "2099-00001",
    "type": "Rule",
    "title": "Export Administration Regulations: Gallium Compounds for Testing",
    "abstract": "In this invented rule, BIS imposes a license requirement on exports of gallium"
    " and germanium in certain forms.",
    "action": "Interim final rule.",
    "publication_date": "2099-03-02",
    "effective_on": "2099-03-16",
    "agencies": BIS,
    "citation": "99 FR 12345",
    "html_url": "https://www.federalregister.gov/documents/2099/03/02/2099-00001/gallium",
    "dates": "This rule is effective March 16, 2099.",
    "docket_ids": ["Docket No. 990102-0001"],
    "topics": ["Exports"],
    "page_views": {"count": 1},
}


def items(
    tmp_path: Path, *documents: dict[str, Any] | str, indent: int | None = 1
) -> list[ReadFact | RefusedItem]:
    path = tmp_path / "documents.json"
    path.write_text(json.dumps({"count": len(documents), "results": documents}, indent=indent))
    return list(READER.read(File.at(path)))


def fact(tmp_path: Path, **changes: Any) -> Any:
    [item] = items(tmp_path, {**RULE, **changes})
    assert isinstance(item, ReadFact), item
    return item.planned.fact


def test_a_rule_that_sets_up_a_licence_requirement_is_a_control(tmp_path: Path) -> None:
    [item] = items(tmp_path, RULE)
    assert isinstance(item, ReadFact)
    assert (item.planned.stream, item.planned.event_id) == (
        "export-control/us-fr-2099-00001",
        "us-fr-2099-00001",
    )
    control = item.planned.fact
    assert isinstance(control, Announced)
    assert (control.issuer, control.on, control.instrument) == ("US", "2099-03-02", "99 FR 12345")
    [clause] = control.clauses
    assert (clause.measure, clause.in_force_from, clause.destinations) == (
        "licence",
        "2099-03-16",
        (),
    )
    assert clause.commodities == ("gallium", "germanium")
    assert control.source.publisher == "bis"
    assert control.source.reference == "99 FR 12345, 2099-00001, documents.json, line 4"
    assert control.note is not None
    for said in (
        "Interim final rule",
        "In this invented rule",
        "effective March 16, 2099",
        "Dockets: Docket No. 990102-0001",
        "Topics: Exports",
        "Agencies: Commerce Department, Industry and Security Bureau",
    ):
        assert said in control.note


def test_a_control_without_an_effective_day_has_none(tmp_path: Path) -> None:
    assert fact(tmp_path, effective_on=None).clauses[0].in_force_from is None


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Notice", "action": "Notice of inquiry."},
        {"type": "Proposed Rule", "action": "Proposed rule."},
        {"action": "Final rule; correction."},
        {"action": "Final rule; delay of effective date."},
        {"title": "Removal of Gallium License Requirements"},
        {"abstract": "BIS explains how it reads its rules on gallium."},
        {
            "abstract": "BIS imposes a license requirement on exports of certain machines.",
            "title": "Controls on Machines",
        },
        {"agencies": [{"name": "Interior Department", "slug": "interior-department"}]},
    ],
)
def test_any_other_document_is_an_announcement(tmp_path: Path, changes: dict[str, Any]) -> None:
    made = fact(tmp_path, **changes)
    assert isinstance(made, Made)
    assert (made.actors, made.topic) == (("US",), changes.get("type", "Rule"))
    assert made.note is not None
    assert "Effective on 2099-03-16" in made.note


def test_a_document_about_nothing_of_ours_is_left_out(tmp_path: Path) -> None:
    [item] = items(tmp_path, {**RULE, "agencies": [], "title": "Fishing", "abstract": None})
    assert isinstance(item, RefusedItem)
    assert item.reason == "neither of BIS nor about a commodity of the tracker"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"publication_date": "soon"}, "publication_date"),
        ({"title": None}, "title"),
        ({"agencies": "BIS"}, "agencies"),
    ],
)
def test_a_bad_document_is_refused_at_its_field_beside_good_ones(
    tmp_path: Path, changes: dict[str, Any], field: str
) -> None:
    good, bad = items(tmp_path, RULE, {**RULE, "document_number": "2", **changes})
    assert isinstance(good, ReadFact)
    assert isinstance(bad, RefusedItem)
    assert bad.at.column == f"results.1.{field}"
    assert bad.at.line > good.at.line


def test_a_nul_character_is_refused(tmp_path: Path) -> None:
    [item] = items(tmp_path, {**RULE, "dates": "a\0b"})
    assert isinstance(item, RefusedItem)


def test_lists_and_single_documents_are_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    for content in (RULE, [RULE]):
        path.write_text(json.dumps(content))
        [item] = READER.read(File.at(path))
        assert isinstance(item, ReadFact)
        assert item.at.line == 1
        assert READER.recognise(File.at(path).head(), "one.json")


@pytest.mark.parametrize("content", ["", "{", '{"results": 1}', "[", "[" * 99_999, "7"])
def test_a_broken_file_is_refused_as_a_whole(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InvalidInput, match="expected a page of documents as JSON"):
        list(READER.read(File.at(path)))


def test_commodities_are_found_as_words() -> None:
    assert named_in("Rare earth elements, Tin and tungsten; leading routine") == (
        "rare_earths",
        "tin",
        "tungsten",
    )
