"""Polls of the Federal Register are complete beyond its silent limits."""

import json
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from tests.support.cases import each_case
from tests.support.publishers.federal_register import PATH, FederalRegister, document
from tests.support.publishers.publisher import (
    Asked,
    Declared,
    Page,
    Status,
    as_json,
    driven_by,
    truncated,
)
from tests.watch.adapters.drive import TODAY, DrivenPoll, drive, source_of
from tracker.domain.actors.announcement import Made
from tracker.domain.controls.export_control_acts import Announced
from tracker.review.finding import LeadCode
from tracker.watch.adapter import Cursor, FetchFailed, NotUnderstood
from tracker.watch.adapters.federal_register import ADAPTER

ADDRESS = f"https://www.federalregister.gov{PATH}"
OF_BIS = {"agencies": ["industry-and-security-bureau"], "since": "2026-01-01"}
OTHERS = [{"name": "Energy Department", "slug": "energy-department"}]
RULE = document(
    "2026-00017",
    "2026-02-20",
    "Export Controls on Gallium for Testing",
    type="Rule",
    action="Interim final rule.",
    abstract="BIS imposes a license requirement on exports of gallium.",
)


def poll(
    register: FederalRegister,
    cursor: Cursor | None = None,
    today: date = TODAY,
    may_fail: bool = False,
    **options: Any,
) -> DrivenPoll:
    settings = source_of(ADAPTER, ADDRESS, msgspec.to_builtins(OF_BIS | options))
    answer = driven_by(register)
    return drive(ADAPTER, settings, answer, cursor=cursor, today=today, may_fail=may_fail)


def test_a_rule_is_proposed_as_the_reader_of_imports_reads_it() -> None:
    driven = poll(FederalRegister([RULE, document("2026-00018", "2026-02-21")]))
    control, announcement = driven.facts
    assert isinstance(control.event.fact, Announced)
    assert isinstance(announcement.event.fact, Made)
    assert control.event.stream == "export-control/us-fr-2026-00017"
    assert control.event.fact.source.reference == "99 FR 17, 2026-00017"
    assert control.reason == (
        "Rule: Interim final rule; a document of industry-and-security-bureau"
    )
    origin = control.origin
    assert (origin.item, origin.place, origin.number) == ("2026-00017", "results[0]", "99 FR 17")
    assert (origin.title, origin.language) == (RULE["title"], "en")
    assert (origin.published_on, origin.url) == (date(2026, 2, 20), RULE["html_url"])


def test_a_look_is_one_request_for_each_search() -> None:
    driven = poll(FederalRegister([RULE]), terms=["rare earth", "gallium"])
    assert len(driven.requests) == 2
    assert driven.result
    assert driven.result.covers_until == TODAY - timedelta(days=1)
    assert driven.items == ["2026-00017"]


def test_an_entry_with_a_term_and_no_commodity_is_a_lead() -> None:
    plain = document("2026-00031", "2026-02-02", agencies=OTHERS, full_text="… rare earth …")
    named = document("2026-00032", "2026-02-02", "On rare earths", agencies=OTHERS)
    register = FederalRegister([plain, named])
    driven = poll(register, agencies=[], terms=["rare earth"])
    assert [each.origin.item for each in driven.facts] == ["2026-00032"]
    [lead] = driven.leads
    assert (lead.code, lead.origin.item) == (LeadCode.ANNOUNCED, "2026-00031")
    assert "with one of the words rare earth" in lead.reason
    assert poll(register, agencies=[], terms=["rare earth"], leads=False).leads == []


def test_the_next_look_finds_what_is_new_changed_or_withdrawn() -> None:
    gone, kept = document("2026-00001", "2026-02-10", "Gone"), document("2026-00002", "2026-02-11")
    register = FederalRegister([gone, kept])
    first = poll(register)
    assert poll(register, first.cursor, TODAY + timedelta(days=1)).findings == []
    del register.documents["2026-00001"]
    register.add(kept | {"corrections": ["https://x/C1-2026-00002"]}, RULE)
    second = poll(register, first.cursor, TODAY + timedelta(days=1))
    assert second.items == ["2026-00002", "2026-00002", "2026-00017", "2026-00001"]
    changed, withdrawn = second.leads
    assert (changed.code, withdrawn.code) == (LeadCode.ANOTHER_BODY, LeadCode.WITHDRAWN)
    assert (withdrawn.origin.title, withdrawn.origin.published_on) == ("Gone", date(2026, 2, 10))
    assert "corrected by https://x/C1-2026-00002" in second.facts[0].reason
    assert poll(register, second.cursor, TODAY + timedelta(days=2)).findings == []


def test_other_counts_of_readers_are_not_a_change() -> None:
    register = FederalRegister([RULE])
    first = poll(register)
    register.add(RULE | {"page_views": {"count": 99}})
    assert poll(register, first.cursor).findings == []


def test_a_document_that_comes_late_is_found_within_the_overlap() -> None:
    register = FederalRegister()
    first = poll(register)
    register.add(document("2026-00009", "2026-02-01"))
    assert poll(register, first.cursor).items == ["2026-00009"]
    assert poll(register, first.cursor, overlap_days=1).items == []


def test_other_terms_are_looked_for_from_the_beginning() -> None:
    register = FederalRegister([document("2026-00009", "2026-01-02", "On gallium")])
    first = poll(register, agencies=["none"])
    assert poll(register, first.cursor, agencies=[], terms=["gallium"]).items == ["2026-00009"]


def test_10_001_results_are_all_found() -> None:
    start = date(2026, 1, 1)
    register = FederalRegister(
        document(f"2026-{number:05}", str(start + timedelta(days=number % 50)))
        for number in range(10_001)
    )
    driven = poll(register)
    assert len(set(driven.items)) == len(driven.items) == 10_001
    assert len(driven.requests) <= 14


def test_a_day_with_10_001_results_is_incomplete() -> None:
    register = FederalRegister(
        document(f"2026-{number:05}", "2026-02-02") for number in range(10_001)
    )
    driven = poll(register, may_fail=True)
    assert isinstance(driven.failure, NotUnderstood)
    assert (driven.failure.code, driven.findings) == ("INCOMPLETE", [])


def listing(**fields: Any) -> Any:
    return lambda asked, page: as_json(json.loads(page.content) | fields)


def other_fields(asked: Asked, page: Page) -> Page:
    return Page(page.content.replace(b'"document_number"', b'"doc_number"'), page.media_type)


def ignores_dates(asked: Asked, page: Page) -> Page:
    return Page(page.content.replace(b"2026-02-20", b"2016-02-20"), page.media_type)


@each_case(
    ("fault", "code"),
    [
        (truncated, "LAYOUT_CHANGED"),
        (other_fields, "LAYOUT_CHANGED"),
        (ignores_dates, "LAYOUT_CHANGED"),
        (Declared(media_type="text/html"), "LAYOUT_CHANGED"),
        (lambda asked, page: Page(b"[]", "application/json"), "LAYOUT_CHANGED"),
        (lambda asked, page: as_json({"errors": {}}), "LAYOUT_CHANGED"),
        (Declared(charset="utf-16"), "ENCODING"),
        (listing(count=2), "INCOMPLETE"),
        (listing(count=0), "INCOMPLETE"),
        (listing(count=1, results=[]), "INCOMPLETE"),
        (Status(429), "RATE_LIMITED"),
        (Status(500), "HTTP_STATUS"),
    ],
)
def test_faults_end_the_look(fault: Any, code: str) -> None:
    register = FederalRegister([RULE])
    register.fail("*", fault)
    driven = poll(register, may_fail=True)
    assert isinstance(driven.failure, NotUnderstood | FetchFailed)
    assert (driven.failure.code, driven.findings, driven.result) == (code, [], None)
    register.mend()
    assert poll(register).items == ["2026-00017"]


def test_a_document_that_can_not_be_recorded_is_a_lead() -> None:
    driven = poll(FederalRegister([RULE | {"html_url": "https://x/" + "y" * 600}]))
    [lead] = driven.leads
    assert (lead.code, lead.origin.item) == (LeadCode.NOT_READ, "2026-00017")
    assert "url" in lead.reason


@each_case(
    ("options", "message"),
    [
        ({}, "expected agencies or terms"),
        ({"agencies": ["Commerce Department"]}, r"\$\.agencies\[0\]"),
        ({"terms": ['"quoted"']}, r"\$\.terms\[0\]"),
        ({"terms": ["xx"], "types": ["LAW"]}, r"\$\.types\[0\]"),
        ({"terms": ["xx"], "overlap_days": 0}, r"\$\.overlap_days"),
        ({"terms": ["xx"], "since": "yesterday"}, r"\$\.since"),
        ({"terms": ["xx"], "until": "2026-01-01"}, "unknown field `until`"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        source_of(ADAPTER, ADDRESS, options)
