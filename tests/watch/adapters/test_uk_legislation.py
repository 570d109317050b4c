"""The publication log of legislation.gov.uk: new acts once, withdrawals each, nothing missed."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from tests.support.cases import each_case
from tests.support.publishers.feeds import LegislationGovUk, LogItem
from tests.support.publishers.publisher import Asked, Page, Status, driven_by, truncated
from tests.watch.adapters.drive import TODAY, DrivenPoll, drive, source_of
from tracker.review.finding import LeadCode
from tracker.watch.adapter import Cursor, FetchFailed, NotUnderstood
from tracker.watch.adapters.uk_legislation import ADAPTER

ADDRESS = f"https://www.legislation.gov.uk{LegislationGovUk.PATH}"
ORDER = LogItem("uksi/2026/123", "The Export Control (Amendment) Order 2026")
OTHER = LogItem("uksi/2026/124", "The A46 (Newark) Order 2026", "2026-02-28T10:00:00+00:00")


def poll(
    log: LegislationGovUk,
    cursor: Cursor | None = None,
    today: date = TODAY,
    may_fail: bool = False,
    **options: Any,
) -> DrivenPoll:
    given = {"terms": ["export control"]} | options
    settings = source_of(ADAPTER, ADDRESS, given, publisher="uk-government", issuers=("GB",))
    answer = driven_by(log)
    return drive(ADAPTER, settings, answer, cursor=cursor, today=today, may_fail=may_fail)


def test_a_new_act_is_one_lead_though_each_of_its_files_is_an_event() -> None:
    driven = poll(LegislationGovUk(ORDER, replace(ORDER, format="pdf"), OTHER))
    [lead] = driven.leads
    assert lead.code is LeadCode.ANNOUNCED
    origin = lead.origin
    assert origin.item == origin.url == "http://www.legislation.gov.uk/id/uksi/2026/123"
    assert (origin.number, origin.language) == ("SI 2026/123", "en")
    assert (origin.title, origin.published_on) == (ORDER.title, date(2026, 2, 28))
    assert origin.place.startswith("entry[")
    assert driven.result
    assert driven.result.covers_until == TODAY - timedelta(days=1)
    assert len(driven.requests) == 2


def test_a_withdrawal_is_a_lead_that_names_the_file() -> None:
    withdrawn = replace(ORDER, event="withdrawn", format="pdf", at="2026-02-28T23:30:00+00:00")
    log = LegislationGovUk(ORDER)
    first = poll(log)
    log.items.append(withdrawn)
    second = poll(log, first.cursor, TODAY + timedelta(days=1))
    [lead] = second.leads
    assert lead.code is LeadCode.WITHDRAWN
    assert "SI 2026/123: http://www.legislation.gov.uk/uksi/2026/123/made/data.pdf" in lead.reason
    assert poll(log, second.cursor, TODAY + timedelta(days=2)).leads == []


def test_all_pages_since_the_last_look_are_read_and_no_more() -> None:
    log = LegislationGovUk(
        *(
            replace(ORDER, act=f"uksi/2026/{number}", at=f"2026-02-{1 + number // 20:02}T08:00:00Z")
            for number in range(400)
        )
    )
    first = poll(log, since="2026-02-01", today=date(2026, 2, 20))
    assert len(set(first.items)) == len(first.items) == 400
    assert len(first.requests) == 21
    log.items.append(replace(ORDER, at="2026-02-21T08:00:00Z", act="uksi/2026/999"))
    second = poll(log, first.cursor, date(2026, 2, 21))
    assert second.items == ["http://www.legislation.gov.uk/id/uksi/2026/999"]
    assert len(second.requests) <= 6


def test_events_that_come_in_while_pages_are_read_hide_none() -> None:
    log = LegislationGovUk(
        *(
            replace(ORDER, act=f"uksi/2026/{number}", at=f"2026-02-27T08:{59 - number:02}:00Z")
            for number in range(60)
        )
    )
    log.moves = 7
    found = set(poll(log).items)
    assert {f"http://www.legislation.gov.uk/id/uksi/2026/{number}" for number in range(60)} <= found


def test_more_pages_than_may_be_read_are_incomplete() -> None:
    items = (replace(ORDER, act=f"uksi/2026/{number}") for number in range(61))
    driven = poll(LegislationGovUk(*items), max_pages=3, may_fail=True)
    assert isinstance(driven.failure, NotUnderstood)
    assert driven.failure.code == "INCOMPLETE"


def test_types_and_the_first_day_limit_what_is_found() -> None:
    log = LegislationGovUk(ORDER, replace(ORDER, act="ssi/2026/5", at="2026-02-27T08:00:00Z"))
    assert poll(log, types=["ssi"]).items == ["http://www.legislation.gov.uk/id/ssi/2026/5"]
    assert [lead.origin.number for lead in poll(log, since="2026-02-28").leads] == ["SI 2026/123"]
    assert poll(log, today=TODAY + timedelta(days=30)).items == []


def replaced(old: str, new: str) -> Any:
    def fault(asked: Asked, page: Page) -> Page:
        assert old.encode() in page.content
        return replace(page, content=page.content.replace(old.encode(), new.encode()))

    return fault


@each_case(
    ("fault", "code"),
    [
        (truncated, "LAYOUT_CHANGED"),
        (replaced("identifier", "about"), "LAYOUT_CHANGED"),
        (replaced("Event", "Kind"), "LAYOUT_CHANGED"),
        (replaced(">true<", ">false<"), "LAYOUT_CHANGED"),
        (replaced("2026-02-28T", "28 February 2026, "), "LAYOUT_CHANGED"),
        (replaced(":00.51+00:00", ":00"), "LAYOUT_CHANGED"),
        (replaced(">0</leg:morePages>", ">3</leg:morePages>"), "INCOMPLETE"),
        (replaced('<?xml version="1.0"', '<!DOCTYPE x><?xml version="1.0"'), "LAYOUT_CHANGED"),
        (Status(403), "HTTP_STATUS"),
        (Status(429, retry_after="5"), "RATE_LIMITED"),
    ],
)
def test_faults_end_the_look(fault: Any, code: str) -> None:
    log = LegislationGovUk(ORDER)
    log.fail("*event=published*", fault)
    driven = poll(log, may_fail=True)
    assert isinstance(driven.failure, NotUnderstood | FetchFailed)
    assert driven.failure.code == code


def test_events_in_another_order_are_refused() -> None:
    log = LegislationGovUk(ORDER, replace(OTHER, title=ORDER.title))
    log.fail("*", replaced("2026-02-28T10:00:00", "2026-02-28T08:00:00"))
    driven = poll(log, may_fail=True)
    assert isinstance(driven.failure, NotUnderstood)
    assert "expected the newest first" in driven.failure.message


@each_case(
    ("options", "message"),
    [
        ({"types": ["UKSI"]}, r"\$\.types\[0\]"),
        ({"terms": [" "]}, r"\$\.terms\[0\]"),
        ({"max_pages": 0}, r"\$\.max_pages"),
        ({"word": ["x"]}, "unknown field `word`"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        source_of(ADAPTER, ADDRESS, options)
