"""For any order of publications, failures and polls, everything is found once."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.publishers import cellar, federal_register, feeds
from tests.support.publishers.publisher import Asked, Page, Publisher, Status, driven_by
from tests.watch.adapters.drive import drive, source_of
from tracker.review.finding import Lead, LeadCode
from tracker.watch.adapter import Cursor
from tracker.watch.registry import adapter_named

FIRST = date(2026, 3, 1)
MAX_LATE_DAYS = 7
"""Maximum delay in days of a document in a list that is queried by day."""


@dataclass
class Played:
    """A simulated publisher, its publication function, and the names of its documents."""

    publisher: Publisher
    publish: Callable[[int, date, datetime], str]
    options: dict[str, Any]
    path: str


def played_register() -> Played:
    register = federal_register.FederalRegister()

    def publish(number: int, day: date, now: datetime) -> str:
        register.add(federal_register.document(f"2026-{number:05}", f"{day}"))
        return f"2026-{number:05}"

    options = {"agencies": ["industry-and-security-bureau"], "overlap_days": MAX_LATE_DAYS}
    return Played(register, publish, options, federal_register.PATH)


def played_cellar() -> Played:
    endpoint = cellar.Cellar()

    def publish(number: int, day: date, now: datetime) -> str:
        endpoint.acts.append(cellar.Act(f"32026R{number}", {"ENG": "On gallium"}, f"{day}"))
        return f"32026R{number}"

    options = {"terms": {"ENG": ["gallium"]}, "overlap_days": MAX_LATE_DAYS}
    return Played(endpoint, publish, options, cellar.PATH)


def played_log() -> Played:
    log = feeds.LegislationGovUk()

    def publish(number: int, day: date, now: datetime) -> str:
        at = now + timedelta(microseconds=number)
        for form in ("xml", "pdf"):
            log.items.append(
                feeds.LogItem(f"uksi/2026/{number}", "An order", at.isoformat(), format=form)
            )
        return f"http://www.legislation.gov.uk/id/uksi/2026/{number}"

    return Played(log, publish, {}, log.PATH)


def played_feed() -> Played:
    publisher, items = Publisher(), list[feeds.Item]()

    def page(asked: Asked) -> Page:
        return feeds.atom(items[:20])

    def publish(number: int, day: date, now: datetime) -> str:
        items.insert(0, feeds.Item(f"https://x.example/{number}", f"Entry {number}", f"{day}"))
        return items[0].id

    publisher.page = page  # type: ignore[method-assign]
    return Played(publisher, publish, {}, "/feed.xml")


PUBLISHERS = {
    "federal-register": played_register,
    "eu-cellar": played_cellar,
    "uk-legislation": played_log,
    "feed": played_feed,
}

Step = tuple[int, int, int, int]
"""Days until then, number of documents, their delay, and the failing request (0: none)."""
STEPS = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(0, 5), st.integers(0, MAX_LATE_DAYS - 3), st.integers(0, 3)
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("name", PUBLISHERS)
@settings(max_examples=30, deadline=None)
@given(steps=STEPS)
def test_all_is_found_once(name: str, steps: list[Step]) -> None:
    played, adapter = PUBLISHERS[name](), adapter_named(name)
    source = source_of(adapter, f"https://x.example{played.path}", played.options)
    published, found = list[str](), list[str]()
    cursor: Cursor | None = None
    today, failed = FIRST, 0
    for number, (days, count, late, failing) in enumerate([*steps, (0, 0, 0, 0)]):
        today += timedelta(days=days)
        # Without a successful poll a feed loses entries, which another test covers.
        failing = failing if failed < 2 else 0
        now = datetime(today.year, today.month, today.day, 1, number, tzinfo=UTC)
        day = today - timedelta(days=late)
        published += [played.publish(len(published) + n + 1, day, now) for n in range(count)]
        driven = drive(
            adapter,
            source,
            failing_at(failing, played.publisher),
            cursor=cursor,
            today=today,
            may_fail=True,
        )
        failed = failed + 1 if driven.failure else 0
        # Findings before a failure are found again: the queue keeps one of each.
        new = [
            each.origin.item
            for each in driven.findings
            if not isinstance(each, Lead) or each.code is LeadCode.ANNOUNCED
        ]
        if driven.result:
            found += new
            cursor = driven.cursor
            assert all(isinstance(each, str) for each in driven.items)
            assert driven.result.warnings == ()
        assert {type(each) for each in driven.leads if each.code is LeadCode.WITHDRAWN} == set()
    assert Counter(found) == Counter(published)


def failing_at(number: int, publisher: Publisher) -> Any:
    """Return a publisher's responses, one of which is an error."""
    publisher.mend()
    before = len(publisher.requests)

    def fault(asked: Asked, page: Page) -> Page:
        return Status(500)(asked, page) if len(publisher.requests) - before == number else page

    publisher.fail("*", fault)
    return driven_by(publisher)
