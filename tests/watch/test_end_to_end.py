"""Each adapter through the real watcher: over sockets, into the log and the queue.

Its publishers are played with their faults: whatever happens to them is on record and in the
warnings of readiness, and once it is over nothing was missed, and nothing is there twice.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from deploy.bootstrap import open_connection
from tests.support.publishers.cellar import PATH as CELLAR_PATH
from tests.support.publishers.cellar import Act, Cellar
from tests.support.publishers.federal_register import PATH as REGISTER_PATH
from tests.support.publishers.federal_register import FederalRegister, document
from tests.support.publishers.feeds import Item, LegislationGovUk, LogItem, atom
from tests.support.publishers.publisher import (
    MISSING,
    Asked,
    Fault,
    Moved,
    Page,
    Publisher,
    Status,
    cut_off,
    truncated,
    unreachable,
)
from tests.support.publishers.server import PublisherServer, playing
from tests.support.watching import options as watch_options
from tracker import clock
from tracker.domain.evidence.watched_source_facts import Failed, Looked
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target, create_pool
from tracker.watch.adapter import SourceSettings
from tracker.watch.journal import PollReport
from tracker.watch.registry import adapter_named
from tracker.watch.summary import WatchOverview
from tracker.watch.watcher import Watcher

TODAY = clock.now().date()
YESTERDAY, LONG_AGO = str(TODAY - timedelta(days=1)), str(TODAY - timedelta(days=20))
GALLIUM = "Export Controls on Gallium for Testing"
ENTRY = Item("https://ministry.example/1", "Licences for rare earths", YESTERDAY)


@dataclass
class World(Publisher):
    """All publishers at one address."""

    register: FederalRegister = field(
        default_factory=lambda: FederalRegister(
            [
                document("2099-00001", LONG_AGO, GALLIUM),
                document("2099-00002", YESTERDAY, "A notice of BIS"),
            ]
        )
    )
    cellar: Cellar = field(
        default_factory=lambda: Cellar(
            Act("32099R0001", {"ENG": "Regulation (EU) 2099/1 on gallium"}, LONG_AGO),
            Act("32099R0002", {"FRA": "Règlement (UE) 2099/2 relatif au gallium"}, YESTERDAY),
        )
    )
    log: LegislationGovUk = field(
        default_factory=lambda: LegislationGovUk(
            LogItem("uksi/2099/1", "The Export Control Order 2099", f"{YESTERDAY}T08:00:00Z"),
            LogItem("uksi/2099/1", "The Export Control Order 2099", f"{YESTERDAY}T08:01:00Z"),
        )
    )
    entries: list[Item] = field(default_factory=lambda: [ENTRY])
    text: str = "Lithium: free"

    def __post_init__(self) -> None:
        super().__init__()

    def page(self, asked: Asked) -> Page:
        """Return the page at an address."""
        match asked.path:
            case "/feed.xml":
                return atom(self.entries)
            case "/page":
                return Page(f"<title>Licences</title><p>{self.text}</p>".encode())
            case path if path == REGISTER_PATH:
                return self.register.page(asked)
            case path if path == CELLAR_PATH:
                return self.cellar.page(asked)
            case LegislationGovUk.PATH:
                return self.log.page(asked)
        return MISSING


EXPECTED = [
    "2099-00001",
    "2099-00002",
    "32099R0001",
    "32099R0002",
    "http://www.legislation.gov.uk/id/uksi/2099/1",
    ENTRY.id,
]
"""Expected findings of a first poll."""
OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "federal-register": (REGISTER_PATH, {"agencies": ["industry-and-security-bureau"]}),
    "eu-cellar": (CELLAR_PATH, {"terms": {"ENG": ["gallium"], "FRA": ["gallium"]}}),
    "uk-legislation": (LegislationGovUk.PATH, {"terms": ["export control"]}),
    "feed": ("/feed.xml", {"terms": ["rare earth"]}),
    "page": ("/page", {}),
}
"""The path and the options of a source for each adapter, which is its key too."""


def sources(server: PublisherServer, *names: str) -> tuple[SourceSettings, ...]:
    """Return a source for each adapter, or for some."""
    return tuple(
        SourceSettings(
            key=name,
            adapter=name,
            name=f"All of {name}",
            publisher="federal-register",
            issuers=("US",),
            address=server.url + OPTIONS[name][0],
            pause_seconds=0.0,
            options=msgspec.convert(OPTIONS[name][1], adapter_named(name).Options),
        )
        for name in names or OPTIONS
    )


@pytest.fixture
async def world() -> AsyncIterator[tuple[World, PublisherServer]]:
    """Run the publishers and their server."""
    publishers = World()
    async with playing(publishers) as server:
        yield publishers, server


async def poll(target: Target, of: Sequence[SourceSettings]) -> dict[str, PollReport]:
    """Poll sources once, with the shipped adapters."""
    watched = replace(watch_options(*of), find_adapter=adapter_named)
    return {report.source: report for report in await Watcher(target, watched).poll_once()}


def failures(reports: dict[str, PollReport]) -> dict[str, Any]:
    """Return the failures of polls, by source."""
    return {key: report.failure for key, report in reports.items() if not report.complete}


async def items(target: Target) -> list[str]:
    """Return the items in the queue, by the publishers' names, in source order."""
    async with open_connection(target) as connection:
        rows = await connection.fetch("SELECT source, item FROM review.candidates ORDER BY id")
    order = list(OPTIONS)
    return [row["item"] for row in sorted(rows, key=lambda row: order.index(row["source"]))]


async def warnings(target: Target) -> str:
    """Return the warnings of readiness."""
    pool = await create_pool(target)
    try:
        return "; ".join((await WatchOverview(pool).summary()).warnings)
    finally:
        await pool.close()


async def test_everything_is_found_once_and_that_nothing_is_new_is_cheap(
    target: Target, recorder: Recorder, world: tuple[World, PublisherServer]
) -> None:
    publishers, server = world
    first = await poll(target, sources(server))
    assert failures(first) == {}
    assert await items(target) == EXPECTED
    before = publishers.count()
    second = await poll(target, sources(server))
    assert {report.candidates for report in second.values()} == {0}
    assert await items(target) == EXPECTED
    assert publishers.count() - before <= 8
    looked = [e.fact for e in await recorder.read() if isinstance(e.fact, Looked)]
    assert len(looked) == 10
    assert all(fact.complete and fact.covers_until for fact in looked)
    assert await warnings(target) == ""


async def test_changes_between_polls_are_found(
    target: Target, world: tuple[World, PublisherServer]
) -> None:
    publishers, server = world
    await poll(target, sources(server))
    publishers.register.add(document("2099-00001", LONG_AGO, GALLIUM, corrections=["C1"]))
    del publishers.register.documents["2099-00002"]
    del publishers.cellar.acts[1]
    publishers.log.items.append(
        replace(publishers.log.items[0], event="withdrawn", at=f"{YESTERDAY}T09:00:00Z")
    )
    publishers.entries = [replace(ENTRY, title="Licences for rare earths and magnets")]
    publishers.text = "Lithium: licence"
    await poll(target, sources(server))
    async with open_connection(target) as connection:
        rows = await connection.fetch(
            "SELECT source, lead FROM review.candidates WHERE lead <> 'announced' ORDER BY id"
        )
    assert Counter((row["source"], row["lead"]) for row in rows) == Counter(
        [
            ("federal-register", "another_body"),
            ("federal-register", "withdrawn"),
            ("eu-cellar", "withdrawn"),
            ("uk-legislation", "withdrawn"),
            ("feed", "another_body"),
            ("page", "changed"),
        ]
    )


def other_layout(asked: Asked, page: Page) -> Page:
    return Page(b"<!doctype html><title>Our new site</title>", page.media_type)


def wrong_charset(asked: Asked, page: Page) -> Page:
    return replace(page, content=page.content.replace(b"e", b"\xff"), charset="utf-8")


FAULTS: dict[str, tuple[Fault, str]] = {
    "too many requests": (Status(429, retry_after="3600"), "RATE_LIMITED"),
    "not there": (Status(404), "HTTP_STATUS"),
    "broken": (Status(500), "HTTP_STATUS"),
    "a part of it": (lambda asked, page: replace(page, status=206), "HTTP_STATUS"),
    "closed": (unreachable, "UNREACHABLE"),
    "cut off": (cut_off, "CUT_OFF"),
    "cut short in silence": (truncated, "LAYOUT_CHANGED"),
    "moved in circles": (Moved("/elsewhere"), "REDIRECT"),
    "another layout": (other_layout, "LAYOUT_CHANGED"),
    "another charset": (wrong_charset, "ENCODING"),
}
LISTS = [name for name in OPTIONS if name != "page"]
"""Adapters for which each of these is a fault; a page has no invalid content."""


async def test_every_fault_is_seen_and_nothing_is_missed_or_twice_once_they_are_over(
    target: Target, recorder: Recorder, world: tuple[World, PublisherServer]
) -> None:
    publishers, server = world
    watched = sources(server, *LISTS)
    for number, (fault, code) in enumerate(FAULTS.values(), start=1):
        publishers.mend()
        publishers.fail("/*", fault)
        publishers.fail("/robots.txt", lambda asked, page: Page(b"", "text/plain"))
        reports = await poll(target, watched)
        assert {key: failure[0] for key, failure in failures(reports).items()} == dict.fromkeys(
            LISTS, code
        )
        failed = [e.fact for e in await recorder.read() if isinstance(e.fact, Failed)]
        last = [fact for fact in failed if fact.look == number]
        assert {fact.code.value for fact in last} == {code}
        assert len({fact.address for fact in last}) == len(LISTS)
        said = await warnings(target)
        assert ("no publisher can be reached" if code == "UNREACHABLE" else f"{code} 4") in said
    assert await items(target) == []
    publishers.mend()
    assert failures(await poll(target, watched)) == {}
    assert await items(target) == EXPECTED
    assert await warnings(target) == ""


async def test_a_publisher_that_moved_is_read_where_it_is(
    target: Target, world: tuple[World, PublisherServer]
) -> None:
    publishers, server = world
    page = publishers.page

    def moved(asked: Asked) -> Page:
        if asked.path.startswith("/new/"):
            return page(replace(asked, target=asked.target.removeprefix("/new")))
        return Page(status=301, headers={"location": f"/new{asked.target}"})

    publishers.page = moved  # type: ignore[method-assign]
    assert failures(await poll(target, sources(server))) == {}
    assert await items(target) == EXPECTED


async def test_10_001_documents_of_one_day_are_a_failure_that_names_it(
    target: Target, world: tuple[World, PublisherServer]
) -> None:
    publishers, server = world
    publishers.register.add(*(document(f"2098-{number:05}", YESTERDAY) for number in range(10_001)))
    [report] = (await poll(target, sources(server, "federal-register"))).values()
    assert report.failure
    assert report.failure[0] == "INCOMPLETE"
    assert "INCOMPLETE" in await warnings(target)
    assert await items(target) == []


@pytest.mark.parametrize("requests", [1, 3, 5])
async def test_a_look_that_is_ended_at_any_request_goes_on(
    target: Target, world: tuple[World, PublisherServer], requests: int
) -> None:
    publishers, server = world
    watched = sources(server, "eu-cellar", "uk-legislation", "federal-register")
    polling = asyncio.create_task(poll(target, watched))
    answer = publishers.answer

    def ending(asked: Asked) -> Page:
        if len(publishers.requests) == requests:
            polling.cancel()
        return answer(asked)

    publishers.answer = ending  # type: ignore[method-assign]
    await asyncio.wait([polling])
    assert polling.cancelled()
    assert failures(await poll(target, watched)) == {}
    assert await items(target) == EXPECTED[:5]
