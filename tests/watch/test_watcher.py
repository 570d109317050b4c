"""Polls of sources: complete, without duplicates, with recorded failures."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from deploy.bootstrap import open_connection
from tests.support.publishers.publisher import (
    Fault,
    Page,
    Slow,
    Status,
    cut_off,
    truncated,
    unreachable,
)
from tests.support.publishers.server import PublisherServer, playing
from tests.support.time_limits import within
from tests.support.watching import GAZETTE, Gazette, GazetteOptions, options, source
from tracker import clock
from tracker.domain.entities.fact import Fact
from tracker.domain.evidence.watched_source_facts import (
    Failed,
    Fetched,
    Looked,
    Unchanged,
    Unwatched,
    Watched,
)
from tracker.errors import Unavailable
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target
from tracker.watch import watcher as watcher_module
from tracker.watch.adapter import PollResult, Request, SourceSettings
from tracker.watch.journal import PollReport
from tracker.watch.watcher import Watcher, WatchOptions


@pytest.fixture
async def gazette() -> AsyncIterator[tuple[Gazette, PublisherServer]]:
    """Run a gazette with three acts."""
    publisher = Gazette(3)
    async with playing(publisher) as server:
        yield publisher, server


async def poll(target: Target, *of: WatchOptions) -> list[PollReport]:
    """Poll sources once, now."""
    reports = []
    for each in of:
        reports += await Watcher(target, each).poll_once()
    return reports


async def facts(recorder: Recorder, key: str = "gazette") -> list[Fact]:
    """Return the recorded facts of a source, in order."""
    return [event.fact for event in await recorder.read() if event.stream == f"source/{key}"]


def kinds(of: Sequence[Fact]) -> list[str]:
    """Return the class names of facts."""
    return [type(fact).__name__ for fact in of]


async def items(target: Target) -> list[str]:
    """Return the items in the queue, by the publisher's names."""
    async with open_connection(target) as connection:
        rows = await connection.fetch("SELECT item FROM review.candidates ORDER BY id")
    return [row["item"] for row in rows]


async def row(target: Target, key: str = "gazette") -> Any:
    """Return the progress of a source."""
    async with open_connection(target) as connection:
        return await connection.fetchrow("SELECT * FROM watch.sources WHERE key = $1", key)


async def test_a_look_keeps_and_records_every_fetch_and_proposes_what_is_new(
    target: Target, recorder: Recorder, gazette: tuple[Gazette, PublisherServer]
) -> None:
    publisher, server = gazette
    [report] = await poll(target, options(source(server.url)))
    assert (report.complete, report.requests, report.snapshots, report.candidates) == (
        True,
        5,  # robots.txt, the list, three acts
        4,
        3,
    )
    assert await items(target) == ["a1", "a2", "a3"]
    watched, *fetched, looked = await facts(recorder)
    assert isinstance(watched, Watched)
    assert (watched.adapter, watched.issuers, watched.every_hours) == ("gazette", ("US",), 24)
    assert all(isinstance(fact, Fetched) for fact in fetched)
    assert [fact.address for fact in fetched][:2] == [  # type: ignore[attr-defined]
        f"{server.url}/list?page=1",
        f"{server.url}/act/a1",
    ]
    assert isinstance(looked, Looked)
    assert (looked.look, looked.candidates, looked.complete) == (1, 3, True)
    assert looked.covers_until == clock.now().date()
    async with open_connection(target) as connection:
        kept = await connection.fetchval(
            "SELECT content FROM watch.snapshots WHERE sha256 = decode($1, 'hex')",
            fetched[1].sha256,  # type: ignore[attr-defined]
        )
    assert kept == b"Act a1 on gallium"
    assert publisher.count() == 4


async def test_that_nothing_is_new_is_on_record_and_costs_one_request(
    target: Target, recorder: Recorder, gazette: tuple[Gazette, PublisherServer]
) -> None:
    publisher, server = gazette
    watched = options(source(server.url))
    await poll(target, watched)
    before = publisher.count()
    [report] = await poll(target, watched)
    assert (report.complete, report.snapshots, report.candidates) == (True, 0, 0)
    assert (publisher.count() - before, publisher.unchanged) == (1, 1)
    *_, unchanged, looked = await facts(recorder)
    assert isinstance(unchanged, Unchanged)
    assert unchanged.status == 304
    assert isinstance(looked, Looked)
    assert (looked.look, looked.requests) == (2, 2)
    publisher.add(2)
    await poll(target, watched)
    assert await items(target) == ["a1", "a2", "a3", "a4", "a5"]


FAULTS: dict[str, tuple[Fault, str]] = {
    "429": (Status(429, retry_after="3600"), "RATE_LIMITED"),
    "404": (Status(404), "HTTP_STATUS"),
    "500": (Status(500), "HTTP_STATUS"),
    "closed": (unreachable, "UNREACHABLE"),
    "cut off": (cut_off, "CUT_OFF"),
    "cut short in silence": (truncated, "LAYOUT_CHANGED"),
    "silent": (Slow(wait_seconds=30), "TIMEOUT"),
    "another charset": (
        lambda asked, page: replace(page, content=page.content + b"\xff"),
        "ENCODING",
    ),
    "another layout": (lambda asked, page: Page(b"<html>New!</html>"), "LAYOUT_CHANGED"),
    "something else": (lambda asked, page: Page(b"[1]"), "LAYOUT_CHANGED"),
}


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_failure_is_on_record_with_its_word_and_the_next_look_misses_nothing(
    target: Target, recorder: Recorder, gazette: tuple[Gazette, PublisherServer], kind: str
) -> None:
    publisher, server = gazette
    fault, code = FAULTS[kind]
    watched = options(source(server.url))
    hasty = replace(watched.limits, silence_seconds=0.2 if kind == "silent" else 10)
    publisher.fail("/list*", fault)
    [report] = await poll(target, replace(watched, limits=hasty))
    assert not report.complete
    assert report.failure
    assert report.failure[0] == code
    failed, looked = (await facts(recorder))[-2:]
    assert isinstance(failed, Failed)
    assert failed.code.value == code
    assert isinstance(looked, Looked)
    assert (looked.complete, looked.covers_until) == (False, None)
    found = await row(target)
    assert (found["failures"], found["last_code"], found["cursor"]) == (1, code, "{}")
    assert found["failing_since"] == found["ended_at"]
    wait = (found["next_look_at"] - found["ended_at"]).total_seconds()
    assert wait == pytest.approx(3600 if kind == "429" else 300, abs=5)
    publisher.mend()
    [report] = await poll(target, watched)
    assert report.complete
    assert await items(target) == ["a1", "a2", "a3"]
    found = await row(target)
    assert (found["failures"], found["failing_since"], found["look"]) == (0, None, 2)


async def test_another_etag_of_the_same_bytes_is_not_news_and_is_what_is_asked_with_next(
    target: Target, recorder: Recorder, gazette: tuple[Gazette, PublisherServer]
) -> None:
    publisher, server = gazette
    tags = iter(f'"{number}"' for number in range(100))
    publisher.fail("/list*", lambda asked, page: replace(page, etag=next(tags)))
    for _ in range(3):
        await poll(target, options(source(server.url)))
    assert kinds(await facts(recorder))[-4:] == ["Unchanged", "Looked"] * 2
    asked = [
        each.headers.get("if-none-match") for each in publisher.requests if "/list" in each.path
    ]
    assert asked == [None, '"0"', '"1"']


async def test_of_a_look_that_failed_half_way_nothing_is_missed_and_nothing_fetched_anew(
    target: Target, recorder: Recorder, gazette: tuple[Gazette, PublisherServer]
) -> None:
    publisher, server = gazette
    watched = options(source(server.url))
    publisher.fail("/act/a2", Status(404))
    [first] = await poll(target, watched)
    assert (first.complete, await items(target)) == (False, ["a1"])
    publisher.mend()
    [second] = await poll(target, watched)
    assert (second.complete, await items(target)) == (True, ["a1", "a2", "a3"])
    fetched = Counter(f.sha256 for f in await facts(recorder) if isinstance(f, Fetched))
    assert set(fetched.values()) == {1}
    assert publisher.unchanged == 2  # the list, and the first act


async def test_an_incomplete_reading_is_not_reported_as_unchanged(
    target: Target, gazette: tuple[Gazette, PublisherServer]
) -> None:
    publisher, server = gazette
    seen: list[bool] = []

    def polling(settings: Any, cursor: Any, today: Any) -> Any:
        response = yield Request(f"{settings.address}/list")
        seen.append(response.unchanged)
        yield Request(f"{settings.address}/act/a1")
        return PollResult({})

    watched = options(source(server.url), find_adapter=lambda _: replace(GAZETTE, poll=polling))
    publisher.fail("/act/*", Status(404), times=1)
    for _ in range(3):
        await poll(target, watched)
    assert seen == [False, False, True]


@pytest.mark.parametrize(
    ("limit", "most", "code"),
    [("MAX_BYTES", 400, "TOO_LARGE"), ("MAX_FINDINGS", 1, "LAYOUT_CHANGED")],
)
async def test_a_look_ends_at_its_limits_and_keeps_what_it_has(
    target: Target,
    gazette: tuple[Gazette, PublisherServer],
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    most: int,
    code: str,
) -> None:
    publisher, server = gazette  # lists of some 90 bytes, acts of 17
    publisher.add(20)
    monkeypatch.setattr(f"tracker.watch.poll.{limit}", most)
    [report] = await poll(target, options(source(server.url)))
    assert report.failure
    assert report.failure[0] == code
    read = publisher.count("/act/*")
    assert 0 < read < 20
    assert await items(target) == [f"a{n}" for n in range(1, read + 1)]


async def test_content_that_no_record_can_hold_fails_one_source_only(
    target: Target, recorder: Recorder, gazette: tuple[Gazette, PublisherServer]
) -> None:
    _, server = gazette

    def polling(settings: SourceSettings, cursor: Any, today: Any) -> Any:
        if settings.key == "long":
            yield Request(settings.address + "/" + "x" * 2000)
        if settings.key == "broken":
            return 1  # which no adapter should
        return (yield from GAZETTE.poll(settings, cursor, today))

    three = [source(server.url, key) for key in ("gazette", "long", "broken")]
    adapter = replace(GAZETTE, poll=polling)
    reports = await poll(target, options(*three, find_adapter=lambda _: adapter))
    assert {each.source: each.failure and each.failure[0] for each in reports} == {
        "gazette": None,
        "long": "LAYOUT_CHANGED",
        "broken": "LAYOUT_CHANGED",
    }
    assert await items(target) == ["a1", "a2", "a3"]
    assert (await row(target, "broken"))["failures"] == 1


async def test_a_source_with_other_settings_is_recorded_anew_and_read_from_its_beginning(
    target: Target, recorder: Recorder, gazette: tuple[Gazette, PublisherServer]
) -> None:
    publisher, server = gazette
    await poll(target, options(source(server.url)))
    await poll(target, options(source(server.url, name="Renamed", every_hours=12.0)))
    assert (await row(target))["complete_look"] == 2
    assert publisher.count("/act/*") == 3
    await poll(target, options(source(server.url, options=GazetteOptions(read=False))))
    named = [fact for fact in await facts(recorder) if isinstance(fact, Watched)]
    assert [fact.name for fact in named] == ["A gazette", "Renamed", "A gazette"]
    assert len(await items(target)) == 6  # the same acts, with less data in the list


async def test_a_source_that_is_no_longer_in_the_list_is_unwatched_and_may_come_back(
    target: Target, recorder: Recorder, gazette: tuple[Gazette, PublisherServer]
) -> None:
    _, server = gazette
    one, other = source(server.url), source(server.url, "other")
    await poll(target, options(one, other))
    await poll(target, options(one, whole_list=False))
    assert not any(isinstance(fact, Unwatched) for fact in await facts(recorder, "other"))
    await poll(target, options(one))
    assert kinds(await facts(recorder, "other"))[-1] == "Unwatched"
    await poll(target, options(one))
    assert kinds(await facts(recorder, "other")).count("Unwatched") == 1
    await poll(target, options(one, other))
    assert kinds(await facts(recorder, "other")).count("Watched") == 2


async def test_looks_are_numbered_on_where_the_log_came_without_the_tables(
    target: Target, recorder: Recorder, gazette: tuple[Gazette, PublisherServer]
) -> None:
    _, server = gazette
    watched = options(source(server.url))
    await poll(target, watched)
    async with open_connection(target) as connection:
        await connection.execute("DELETE FROM watch.addresses; DELETE FROM watch.sources")
    [report] = await poll(target, watched)
    assert report.number == 2
    assert kinds(await facts(recorder)).count("Looked") == 2
    assert await items(target) == ["a1", "a2", "a3"]


async def test_a_look_that_ended_and_was_not_kept_is_done_again_under_the_next_number(
    target: Target, recorder: Recorder, gazette: tuple[Gazette, PublisherServer]
) -> None:
    _, server = gazette
    watched = options(source(server.url))
    await poll(target, watched)
    async with open_connection(target) as connection:
        await connection.execute(
            "UPDATE watch.sources SET look = 0, complete_look = 0, cursor = '{}', looked_at = NULL"
        )
    [report] = await poll(target, watched)
    assert (report.number, report.candidates) == (2, 0)
    assert [f.look for f in await facts(recorder) if isinstance(f, Looked)] == [1, 2]


@asynccontextmanager
async def watching(target: Target, of: WatchOptions) -> AsyncIterator[list[PollReport]]:
    """Watch for the duration of a block, and record the polls."""
    reports: list[PollReport] = []
    watcher = Watcher(target, of)
    watcher.observe_poll = reports.append
    async with watcher:
        yield reports


async def until(condition: Any, seconds: float = 15) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within(seconds)):
        while not condition():
            await asyncio.sleep(0.02)


async def test_sources_are_looked_through_when_they_are_due_and_a_silent_one_holds_up_no_other(
    target: Target, gazette: tuple[Gazette, PublisherServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher_module, "MIN_PAUSE_SECONDS", 0.05)
    publisher, server = gazette
    silent = Gazette(1)
    silent.fail("*", Slow(wait_seconds=60))
    async with playing(silent) as other:
        often = source(server.url, every_hours=0.1 / 3600)
        quiet = source(other.url.replace("127.0.0.1", "localhost"), "silent")
        patient = replace(options().limits, silence_seconds=60, total_seconds=60)
        async with watching(target, options(often, quiet, limits=patient)) as reports:
            await until(lambda: len(reports) >= 3)
            publisher.add()
            await until(lambda: any(report.candidates == 1 for report in reports))
    assert {report.source for report in reports} == {"gazette"}
    assert await items(target) == ["a1", "a2", "a3", "a4"]


async def test_one_process_watches_at_a_time_and_the_other_goes_on_where_it_ended(
    target: Target, recorder: Recorder, gazette: tuple[Gazette, PublisherServer]
) -> None:
    publisher, server = gazette
    watched = options(source(server.url))
    first, second = Watcher(target, watched), Watcher(target, watched)
    reports = list[PollReport]()
    first.observe_poll = reports.append
    async with first:
        await until(lambda: first.active)
        async with second:
            await until(lambda: reports)  # its cursor is stored too
            assert not second.active
            await first.__aexit__()
            await until(lambda: second.active)
    assert kinds(await facts(recorder)).count("Looked") == 1
    assert publisher.count("/act/*") == 3


async def test_a_single_look_does_not_get_in_the_way_of_who_watches(
    target: Target, gazette: tuple[Gazette, PublisherServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher_module, "TAKING_TIMEOUT_SECONDS", 0.5)
    _, server = gazette
    watched = options(source(server.url))
    async with watching(target, watched) as reports:
        await until(lambda: reports)
        with pytest.raises(Unavailable) as raised:
            await poll(target, watched)
    assert raised.value.code == "ALREADY_WATCHED"


async def test_a_failing_source_is_asked_less_and_less_often() -> None:
    waits = [
        watcher_module.retry_seconds(source("https://a.test"), failures, None)
        for failures in (0, 1, 2, 40)
    ]
    assert waits == [300, 600, 1200, 24 * 3600]
    assert watcher_module.retry_seconds(source("https://a.test"), 0, 4000) == 4000
