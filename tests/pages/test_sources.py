"""The pages of watched sources: last polls, age of the data, every poll and fetch."""

import re
from html import unescape

import pytest

from schema.services import Services
from tests.support.api import Api, control
from tests.support.watched_sources import (
    ONE,
    fact_of_source,
    failed,
    fetched,
    looked,
    record,
    unchanged,
    watched,
)
from tracker.domain.evidence.watched_source_facts import Unwatched

LATER = "2026-11-02T00:00:00Z"


@pytest.fixture
def api(services: Services) -> Api:
    """Return the pages of an empty log."""
    return Api(services)


async def read(api: Api, path: str, status: int = 200) -> str:
    """Return the text of a page, without tags."""
    response = await api.request("GET", path)
    assert response.status_code == status, response.text[:500]
    body = response.text.partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


async def two_looks(services: Services) -> None:
    """Record a complete poll and a failed one."""
    await record(
        services,
        watched(covers="rules and notices"),
        *(fetched(), looked(coversUntil="2026-10-31", snapshots=1, candidates=2)),
        *(failed(LATER, look=2), looked(LATER, look=2, complete=False)),
    )


async def test_a_source_counts_in_whole_numbers(services: Services, api: Api) -> None:
    await record(services, watched(), fetched(), looked(requests=2000, snapshots=1, candidates=3))
    text = await read(api, "/sources/us-federal-register")
    assert "In all 1 polls, 2,000 requests, 1 new snapshots, 3 candidates" in text


async def test_an_empty_list_says_that_nobody_looks(api: Api) -> None:
    assert "No source is monitored, so newer acts may be missing." in await read(api, "/sources")


async def test_a_source_that_cannot_be_read_says_since_when_and_why(
    services: Services, api: Api
) -> None:
    await two_looks(services)
    await record(services, watched(name="Official Journal"), key="eu-journal")
    text = await read(api, "/sources?valid=2026-11-03")
    assert "Federal Register rules and notices United States" in text
    assert "Not readable since 2 Nov 2026 (TIMEOUT) no answer in 30 seconds" in text
    assert (
        "Official Journal United States never not stated at once every 12 hours Never read yet"
        in text
    )
    assert "1 source on this page is not read on schedule." in text
    only = await read(api, "/sources?isFailing=false&valid=2026-11-03")
    assert "Official Journal" in only
    assert "Federal Register" not in only


async def test_a_page_says_how_old_answers_are_once_nothing_was_looked_at_in_time(
    services: Services, api: Api
) -> None:
    await record(services, watched(), fetched(), looked(coversUntil="2026-10-31"))
    fresh = await read(api, "/sources?valid=2026-11-01")
    assert "Read on schedule" in fresh
    assert "No source is read" not in fresh
    late = await read(api, "/sources?valid=2026-11-09")
    assert "No source is read on schedule: the last poll ended on 1 Nov 2026." in late
    assert "Overdue: a poll was due 7 days before this date" in late
    gone = fact_of_source(Unwatched, "2026-11-02", reason="it was closed")
    await record(services, gone)
    after = await read(api, "/sources?valid=2026-11-09")
    assert "No longer watched: it was closed" in after
    assert "No source is read" not in after


async def test_a_source_shows_its_looks_and_fetches_the_newest_first(
    services: Services, api: Api
) -> None:
    await two_looks(services)
    text = await read(api, "/sources/us-federal-register?valid=2026-11-03")
    assert text.index("incomplete") < text.index(" complete 31 Oct 2026 1 1 2")
    assert "poll 2 TIMEOUT" in text
    assert f"Snapshot {ONE[:16]}… , 12,345 bytes" in text
    assert "as old as its last complete poll, 1 Nov 2026" in text
    only = await read(api, "/sources/us-federal-register?outcome=FETCHED&valid=2026-11-03")
    assert "poll 1 fetched status 200" in only
    assert "poll 2 TIMEOUT" not in only
    await read(api, "/sources/nothing", 404)


async def test_a_pinned_page_knows_what_was_known_then(services: Services, api: Api) -> None:
    await two_looks(services)
    before = await read(api, "/sources/us-federal-register?valid=2026-11-03&position=3")
    assert "Overdue: a poll was due 1 day before this date." in before
    assert "TIMEOUT" not in before
    first = await read(api, "/sources/us-federal-register?valid=2026-11-03&position=1")
    assert "Never read yet." in first


async def test_long_lists_of_looks_and_fetches_are_read_page_by_page(
    services: Services, api: Api
) -> None:
    looks = [
        fact
        for number in range(1, 27)
        for fact in (
            *[unchanged(look=number) for _ in range(3)],
            looked(look=number, complete=number != 26),
        )
    ]
    await record(services, watched(), *looks)
    page = (await api.request("GET", "/sources/us-federal-register")).text
    older = re.search(r'href="([^"]+)">Older polls', page)
    assert older
    text = await read(api, older[1].replace("&amp;", "&"))
    assert "Newest polls" in text
    following = re.search(r'rel="next" href="([^"]+)">Next page', page)
    assert following
    assert "poll 9 unchanged" in await read(api, following[1].replace("&amp;", "&"))


async def test_pages_of_acts_and_places_say_who_looks_for_newer_ones(
    services: Services, api: Api
) -> None:
    await api.do("announceExportControl", control("x"))
    nobody = "No source is monitored, so newer acts may be missing."
    assert nobody in await read(api, "/controls/x?valid=2026-11-01")
    assert nobody in await read(api, "/places/CN?valid=2026-11-01")
    await record(services, watched(issuers=["CN"]), looked(coversUntil="2026-10-31"), key="mofcom")
    read_on = "Its source was read on 1 Nov 2026 or later; announcements up to 31 Oct 2026 were"
    assert read_on in await read(api, "/controls/x?valid=2026-11-02")
    assert read_on in await read(api, "/places/CN?valid=2026-11-02")
    late = "The next poll was due on 2 Nov 2026, 7 days before the effective date"
    assert late in await read(api, "/places/CN?valid=2026-11-09")
    facts = failed(LATER, look=2), looked(LATER, look=2, complete=False)
    await record(services, *facts, key="mofcom")
    assert "has not been readable since 2 Nov 2026 (TIMEOUT)." in await read(api, "/places/CN")
    assert nobody in await read(api, "/places/CN?valid=2026-11-09&position=1")


@pytest.mark.parametrize("path", ["/controls", "/commodities/gallium", "/controls?issuer=US"])
async def test_lists_of_controls_say_who_looks_for_newer_acts(
    services: Services, api: Api, path: str
) -> None:
    await api.do("announceExportControl", control())
    await record(services, watched(), fetched(), looked(coversUntil="2026-10-31"))
    text = await read(api, f"{path}{'&' if '?' in path else '?'}valid=2026-11-09")
    said = text.partition("Monitoring")[2]
    if "issuer" in path:
        assert "United States Its source was read on 1 Nov 2026 or later" in said
        assert "The next poll was due on 2 Nov 2026, 7 days before the effective date" in said
    else:
        assert "China The newest recorded act is dated" in said
        assert "No source is monitored, so newer acts may be missing." in said
