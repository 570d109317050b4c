"""BGS World Mineral Statistics by its API: all pages, compared with the API's count."""

from pathlib import Path
from typing import Any

from tests.support.cases import each_case
from tests.support.publishers.bgs import ITEMS, Bgs, figures
from tests.support.publishers.publisher import Status, driven_by, truncated
from tests.watch.adapters.drive import DrivenPoll, drive, source_of
from tracker.domain.figures.figure_facts import Claimed
from tracker.review.finding import ImportProposal
from tracker.sources.column_mapping import ColumnMapping
from tracker.sources.reader import File, ReadFact
from tracker.sources.readers import bgs
from tracker.watch.adapter import FetchFailed, NotUnderstood, Response
from tracker.watch.adapters.bgs_ogc import ADAPTER

SITE = "https://ogcapi.bgs.ac.uk"


def poll(api: Bgs, cursor: Any = None, may_fail: bool = False, **options: Any) -> DrivenPoll:
    options = {"commodities": ["cobalt, mine"], "page_size": 10, **options}
    settings = source_of(ADAPTER, SITE + ITEMS, options, publisher="bgs", issuers=())
    return drive(ADAPTER, settings, driven_by(api), cursor=cursor, may_fail=may_fail)


def claims(api: Bgs, proposal: ImportProposal, tmp_path: Path) -> list[Claimed]:
    """Return the reader's claims from a proposed snapshot, with the proposed settings."""
    answer = driven_by(api)
    [request] = [r for r in poll(api).requests if r.url == proposal.origin.url]
    response = answer(request)
    assert isinstance(response, Response)
    path = tmp_path / proposal.file_name
    path.write_bytes(response.content)
    reader = bgs.reader(ColumnMapping(constants=dict(proposal.settings)))
    assert reader.recognise(File.at(path).head(), proposal.file_name)
    items = list(reader.read(File.at(path)))
    assert all(isinstance(item, ReadFact) for item in items), items
    return [i.planned.fact for i in items if isinstance(i, ReadFact)]  # type: ignore[misc]


def test_all_pages_are_read_and_each_is_imported_by_the_reader(tmp_path: Path) -> None:
    api = Bgs(*figures("cobalt, mine", 24), *figures("cobalt, mine", 3, "Imports"))
    found = poll(api)
    assert len(found.urls) == 3
    first, *others = found.imports
    assert [(each.reader, each.file_name, each.settings) for each in found.imports] == [
        ("bgs", f"bgs-2026-03-02-cobalt-mine-{n}.json", {"published": "2026-03-02"})
        for n in (1, 2, 3)
    ]
    assert first.origin.item == "cobalt, mine, Production, page 1"
    read = claims(api, first, tmp_path)
    assert len(read) == 10
    assert (read[0].series.stream, str(read[0].quantity.value), read[0].edition) == (
        "figure/cobalt/CN/production/mine/2023",
        "1000",
        "WMS 2026-03-02",
    )
    assert read[0].source.reference == "bgs-2026-03-02-cobalt-mine-1.json, features.0"
    assert len(claims(api, others[-1], tmp_path)) == 4


def test_fields_may_have_the_other_names(tmp_path: Path) -> None:
    api = Bgs(*figures("cobalt, mine", 4))
    api.names = lambda name: name.removeprefix("bgs_").removesuffix("_trans").removesuffix("_code")
    names = {"commodity_field": "commodity", "statistic_field": "statistic_type"}
    assert len(poll(api, **names).imports) == 1
    unfiltered = poll(api, may_fail=True)
    assert unfiltered.failure is None
    api.figures += figures("nickel, mine", 1)
    found = poll(api, may_fail=True)
    assert isinstance(found.failure, NotUnderstood)
    assert "the API does not filter by the fields of the settings" in found.failure.message


def test_only_pages_whose_figures_changed_are_proposed_again() -> None:
    api = Bgs(*figures("cobalt, mine", 24))
    first = poll(api)
    assert poll(api, first.cursor).findings == []
    api.figures[12]["quantity"] = 5.0
    second = poll(api, first.cursor)
    assert second.items == ["cobalt, mine, Production, page 2"]
    assert "some of which differ from before" in second.imports[0].reason


def test_a_commodity_without_figures_is_a_warning() -> None:
    found = poll(Bgs(*figures("cobalt, mine", 1)), commodities=["cobalt, mine", "unobtainium"])
    assert found.result is not None
    assert found.result.warnings == ("the API has no figures of 'unobtainium'",)


def test_the_next_page_is_asked_for_at_the_address_that_is_watched() -> None:
    api = Bgs(*figures("cobalt, mine", 12))
    api.host = "http://localhost:5000"
    assert all(url.startswith(SITE + ITEMS) for url in poll(api).urls)


@each_case("matched", [10, 40], ids=["fewer", "more"])
def test_another_number_of_figures_than_the_api_counts_fails_the_look(matched: int) -> None:
    api = Bgs(*figures("cobalt, mine", 24))
    api.matched = matched
    found = poll(api, may_fail=True)
    assert isinstance(found.failure, NotUnderstood)
    assert (found.failure.code, found.findings) == ("INCOMPLETE", [])


def test_features_that_come_twice_fail_the_look() -> None:
    api = Bgs(*figures("cobalt, mine", 24))
    api.shift = 1
    found = poll(api, may_fail=True)
    assert isinstance(found.failure, NotUnderstood)
    assert "came twice" in found.failure.message


@each_case("change", ["truncated", "renamed", "html"])
def test_another_layout_fails_the_look(change: str) -> None:
    api = Bgs(*figures("cobalt, mine", 3))
    if change == "truncated":
        api.fail("*", truncated)
    elif change == "renamed":
        api.names = lambda name: f"new_{name}"
    else:
        api.fail("*", Status(200, content=b"<html>"))
    found = poll(api, may_fail=True)
    assert isinstance(found.failure, NotUnderstood)
    assert found.failure.code == "LAYOUT_CHANGED"


def test_one_commodity_that_can_not_be_had_is_a_warning_and_two_are_a_failure() -> None:
    api = Bgs(*figures("cobalt, mine", 2), *figures("nickel, mine", 2), *figures("bauxite", 2))
    all_of_them = ["cobalt, mine", "nickel, mine", "bauxite"]
    api.fail("*nickel*", Status(500))
    found = poll(api, commodities=all_of_them)
    assert found.items == ["cobalt, mine, Production, page 1", "bauxite, Production, page 1"]
    assert found.result is not None
    assert found.result.covers_until is None
    assert len(found.result.warnings) == 1
    api.fail("*bauxite*", Status(500))
    failed = poll(api, commodities=all_of_them, may_fail=True).failure
    assert isinstance(failed, FetchFailed)
