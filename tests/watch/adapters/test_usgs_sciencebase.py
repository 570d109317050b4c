"""Data releases of the USGS: files with checksums become imports, others become leads."""

from pathlib import Path
from typing import Any

from tests.support.cases import each_case
from tests.support.publishers.publisher import Status, driven_by, truncated
from tests.support.publishers.usgs import FOLDER, ITEMS, WORLD_2025, CatalogueItem, ScienceBase
from tests.watch.adapters.drive import DrivenPoll, drive, source_of
from tracker.domain.figures.figure_facts import Claimed
from tracker.review.finding import LeadCode
from tracker.sources.reader import File, ReadFact
from tracker.sources.readers import usgs
from tracker.watch.adapter import NotUnderstood
from tracker.watch.adapters.usgs_sciencebase import ADAPTER

SITE = "https://www.sciencebase.gov"
WORLD = b"Country,Type,Prod_kg_2021,Prod_kg_est_2022\nChina,Primary production,434000,540000\n"


def poll(
    catalogue: ScienceBase, cursor: Any = None, may_fail: bool = False, **options: Any
) -> DrivenPoll:
    address = f"{SITE}{ITEMS}?parentId={FOLDER}&format=json&max=20&fields=title"
    options = {"since_edition": 2023, **options}
    settings = source_of(ADAPTER, address, options, publisher="usgs", issuers=())
    return drive(ADAPTER, settings, driven_by(catalogue), cursor=cursor, may_fail=may_fail)


def catalogue() -> ScienceBase:
    """Create a release with its own table, and one with its tables in a child item."""
    return ScienceBase(
        releases=[
            CatalogueItem(
                "a25",
                "U.S. Geological Survey Mineral Commodity Summaries 2025 Data Release",
                {"MCS2025_World_Data.csv": WORLD_2025, "MCS2025_metadata.xml": b"<metadata/>"},
            ),
            CatalogueItem(
                "a23",
                "Mineral Commodity Summaries 2023 Data Release",
                {"world.zip": b"PK"},
                [CatalogueItem("b23", "World data", {"galli_world.csv": WORLD})],
            ),
            CatalogueItem("x", "Minerals Yearbook 2022", {"yearbook.csv": b"a,b"}),
        ]
    )


def test_tables_become_imports_by_the_reader_of_their_edition() -> None:
    found = poll(catalogue())
    assert [(i.reader, i.file_name, i.origin.item, i.settings) for i in found.imports] == [
        ("usgs", "MCS2025_World_Data.csv", "a25/MCS2025_World_Data.csv", {}),
        ("usgs", "mcs2023-galli_world.csv", "b23/galli_world.csv", {}),
    ]
    assert found.imports[0].origin.url.endswith("/catalog/file/get/a25?f=MCS2025_World_Data.csv")
    [lead] = found.leads
    assert (lead.code, lead.origin.item) == (LeadCode.ANNOUNCED, "a23/world.zip")
    assert not any("yearbook" in url for url in found.urls)


def test_proposals_equal_the_facts_of_the_reader(tmp_path: Path) -> None:
    editions = {}
    for proposal, content in zip(poll(catalogue()).imports, (WORLD_2025, WORLD), strict=True):
        path = tmp_path / proposal.file_name
        path.write_bytes(content)
        items = list(usgs.READER.read(File.at(path)))
        assert all(isinstance(item, ReadFact) for item in items), items
        facts = [item.planned.fact for item in items if isinstance(item, ReadFact)]
        editions[proposal.file_name] = {
            (fact.edition, fact.series.commodity) for fact in facts if isinstance(fact, Claimed)
        }
    assert editions == {
        "MCS2025_World_Data.csv": {("MCS 2025", "gallium")},
        "mcs2023-galli_world.csv": {("MCS 2023", "gallium")},
    }


def test_only_files_with_another_checksum_are_fetched_again() -> None:
    site = catalogue()
    first = poll(site)
    second = poll(site, first.cursor)
    assert second.findings == []
    assert not any("/file/" in url for url in second.urls)
    site.releases[0].files["MCS2025_World_Data.csv"] = WORLD_2025.replace(b"750000", b"760000")
    third = poll(site, second.cursor)
    assert third.items == ["a25/MCS2025_World_Data.csv"]
    assert "has another text than before" in third.imports[0].reason


def test_a_file_without_a_reader_is_a_lead() -> None:
    site = catalogue()
    site.releases[0].files = {"MCS2025_Salient.csv": b"DataSource,Commodity\nMCS2025,Gallium\n"}
    [lead] = poll(site, since_edition=2025).leads
    assert (lead.code, lead.origin.item) == (LeadCode.NOT_READ, "a25/MCS2025_Salient.csv")


def test_a_file_that_is_gone_was_withdrawn() -> None:
    site = catalogue()
    first = poll(site)
    del site.releases[1].children[0].files["galli_world.csv"]
    [lead] = poll(site, first.cursor).leads
    assert (lead.code, lead.origin.item) == (LeadCode.WITHDRAWN, "b23/galli_world.csv")


def test_a_file_that_is_not_what_the_catalogue_says_fails_the_look() -> None:
    site = catalogue()
    site.fail("*World_Data*", truncated)
    found = poll(site, may_fail=True)
    assert isinstance(found.failure, NotUnderstood)
    assert found.failure.code == "TRUNCATED"
    assert found.imports == []


def test_a_file_that_can_not_be_had_is_asked_for_again() -> None:
    site = catalogue()
    site.fail("*World_Data*", Status(503), times=1)
    first = poll(site)
    assert [lead.code for lead in first.leads if "World" in lead.origin.item] == [LeadCode.NOT_READ]
    assert poll(site, first.cursor).items == ["a25/MCS2025_World_Data.csv"]


def test_a_changed_file_that_can_not_be_had_stays_known() -> None:
    site = catalogue()
    first = poll(site)
    site.releases[0].files["MCS2025_World_Data.csv"] = WORLD_2025.replace(b"750000", b"760000")
    site.fail("*World_Data*", Status(503), times=1)
    second = poll(site, first.cursor)
    assert [lead.code for lead in second.leads] == [LeadCode.NOT_READ]
    [proposal] = poll(site, second.cursor).imports
    assert "has another text than before" in proposal.reason


def test_a_long_catalogue_is_read_over_its_pages() -> None:
    site = catalogue()
    site.page_size = 1
    assert len(poll(site).imports) == 2


def test_fewer_items_than_the_catalogue_counts_fail_the_look() -> None:
    site = catalogue()
    site.total = 10_001
    found = poll(site, may_fail=True)
    assert isinstance(found.failure, NotUnderstood)
    assert found.failure.code == "INCOMPLETE"


@each_case("content", [b"<html>", b'{"items": [{"name": 1}], "total": 1}', b"[]"])
def test_another_answer_fails_the_look(content: bytes) -> None:
    site = catalogue()
    site.fail("*", Status(200, content=content))
    found = poll(site, may_fail=True)
    assert isinstance(found.failure, NotUnderstood)
    assert found.failure.code == "LAYOUT_CHANGED"


def test_a_catalogue_without_any_release_is_another_one() -> None:
    site = ScienceBase(releases=[CatalogueItem("x", "Minerals Yearbook 2022")])
    found = poll(site, may_fail=True)
    assert isinstance(found.failure, NotUnderstood)
