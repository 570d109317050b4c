"""Followers get every event once and in order, during any other work."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.bootstrap import open_connection
from tests.support.fact_builders import suspended
from tests.support.log_events import append_all
from tests.support.time_limits import within
from tests.support.waiting import until
from tests.support.writers import new
from tracker import clock
from tracker.commands.handler import Commands
from tracker.log.entries import RecordedEvent
from tracker.log.follower import Follower, RecentEvents, wait_for_event
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target


@pytest.fixture
async def follower(recorder: Recorder, target: Target) -> AsyncIterator[Follower]:
    """Create a follower of an empty log."""
    async with Follower(recorder, target) as follower:
        yield follower


async def first(
    count: int, events: AsyncIterator[RecordedEvent], pause: float = 0
) -> list[RecordedEvent]:
    """Return the next events, with a pause after each."""
    taken: list[RecordedEvent] = []
    while len(taken) < count:
        taken.append(await asyncio.wait_for(anext(events), within(30)))
        await asyncio.sleep(pause)
    return taken


async def append(recorder: Recorder, count: int, name: str = "e") -> None:
    """Append events, all at once."""
    await asyncio.gather(*(recorder.append([new(f"{name}-{i}")]) for i in range(count)))


def positions(events: list[RecordedEvent]) -> list[int]:
    """Return their positions."""
    return [event.position for event in events]


async def test_live_followers_skip_and_double_nothing_while_16_writers_in_2_processes_append(
    follower: Follower, recorder: Recorder, target: Target
) -> None:
    total = 4000
    writing = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.writers",
            json.dumps(target),
            name,
            "8",
            str(total // 2),
        )
        for name in ("one", "two")
    ]
    late = asyncio.create_task(followed_from_the_middle(follower, recorder, total))
    followers = [first(total, follower.follow(0, page=page)) for page in (1, 7, 200, 1000)]
    for events in await asyncio.gather(*followers):
        assert positions(events) == list(range(1, total + 1))
    start, events = await late
    assert positions(events) == list(range(start + 1, total + 1))
    assert [await process.wait() for process in writing] == [0, 0]


async def followed_from_the_middle(
    follower: Follower, recorder: Recorder, total: int
) -> tuple[int, list[RecordedEvent]]:
    """Follow from the current position while the log is being written."""
    while not (start := await recorder.head()):
        await asyncio.sleep(0.01)
    return start, await first(total - start, follower.follow(start))


async def test_a_follower_is_told_of_an_event_at_once(
    follower: Follower, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait_for_event, "__defaults__", (300,))  # no polling without notifications
    events = follower.follow(0)
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0.2)
    await recorder.append([new("a")])
    assert (await asyncio.wait_for(waiting, within(10))).event_id == "a"


async def test_one_reading_serves_all_who_follow(
    follower: Follower, recorder: Recorder, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Counter[int]()
    read = recorder.read

    async def counted(after: int = 0, **options: Any) -> list[RecordedEvent]:
        reads[after] += 1
        return await read(after, **options)

    followers = [asyncio.create_task(first(20, follower.follow(0))) for _ in range(100)]
    await until(lambda: follower.followers == len(followers) and follower._tail)
    monkeypatch.setattr(recorder, "read", counted)
    for number in range(20):
        await recorder.append([new(f"e{number}")])
        await asyncio.sleep(0.01)
    for events in await asyncio.gather(*followers):
        assert positions(events) == list(range(1, 21))
    assert reads.total() <= 60
    async with open_connection(target) as connection:
        assert (
            await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE"
                " 'LISTEN%' AND datname = current_database()"
            )
            <= 1
        )


async def test_a_slow_follower_misses_nothing_and_delays_no_one(
    follower: Follower, recorder: Recorder
) -> None:
    await recorder.append([new("first")])
    slow = follower.follow(0, page=50)
    assert (await anext(slow)).position == 1
    quick = asyncio.create_task(first(3000, follower.follow(0)))
    await append(recorder, 2999)
    assert positions(await quick) == list(range(1, 3001))
    assert positions(await first(2999, slow)) == list(range(2, 3001))


async def test_an_import_is_read_by_every_follower_at_its_own_pace(
    follower: Follower, recorder: Recorder
) -> None:
    following = [
        asyncio.create_task(first(5000, follower.follow(0, page=page))) for page in (100, 3000)
    ]
    await asyncio.sleep(0.1)
    await append_all(recorder, [new(f"e{i}") for i in range(5000)])
    for events in await asyncio.gather(*following):
        assert positions(events) == list(range(1, 5001))


async def test_only_events_of_the_types_that_were_asked_for_come(
    follower: Follower, recorder: Recorder
) -> None:
    types = ["ExportControl.Suspended"]
    following = asyncio.create_task(first(2, follower.follow(0, types=types)))
    commands = Commands(recorder)
    for stream in ("export-control/e-0", "export-control/e-1"):
        await append(recorder, 300, name=stream.partition("/")[2])
        await commands.record(f"{stream}-0", suspended("1"))
    assert [event.type for event in await following] == types * 2


async def test_an_event_that_comes_while_others_are_read_is_not_passed_over(
    follower: Follower, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(recorder, 3)
    types, read = ["ExportControl.Suspended"], recorder.read

    async def interrupted(after: int = 0, **options: Any) -> list[RecordedEvent]:
        events = await read(after, **options)
        tail = follower._tail
        if options.get("types") and tail and tail.position == 3:  # it is known up to here
            await Commands(recorder).record("export-control/e-0", suspended("1"))
            async with asyncio.timeout(within(10)):
                while (tail := follower._tail) is None or tail.position < 4:
                    await asyncio.sleep(0.01)
        return events

    monkeypatch.setattr(recorder, "read", interrupted)
    assert positions(await first(1, follower.follow(0, types=types))) == [4]


async def test_a_lost_notification_costs_two_seconds_at_most(
    recorder: Recorder, target: Target
) -> None:
    elsewhere = {**target, "database": "tracker"}  # nothing of this log is notified there
    async with Follower(recorder, elsewhere) as deaf:
        events = deaf.follow(0)
        for number in range(2):
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0.1)
            await recorder.append([new(f"e{number}")])
            appended = time.perf_counter()
            assert (await waiting).position == number + 1
            assert time.perf_counter() - appended < within(2)


async def test_a_follower_survives_the_loss_of_every_connection(
    follower: Follower, recorder: Recorder, target: Target
) -> None:
    events = follower.follow(0)
    async with open_connection({**target, "database": "tracker"}) as admin:
        for round in range(1, 4):
            await recorder.append([new(f"e{round}")])
            assert (await asyncio.wait_for(anext(events), within(3))).position == round
            await admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1",
                target["database"],
            )
            await asyncio.sleep(0.1)


async def test_while_the_database_is_away_one_asks_for_all_who_follow(
    follower: Follower, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def gone(*_: Any, **__: Any) -> None:
        nonlocal asked
        asked += 1
        raise OSError("gone")

    following = [follower.follow(0) for _ in range(20)]
    await recorder.append([new("a")])
    await asyncio.gather(*map(anext, following))
    waiting = [asyncio.ensure_future(anext(events)) for events in following]
    await until(lambda: follower._tail)
    with monkeypatch.context() as patch:
        patch.setattr(recorder, "read", gone)
        for times in range(1, 4):
            follower.wake()
            await until(lambda times=times: asked >= times)  # type: ignore[misc]
        assert asked < len(following)
    await recorder.append([new("b")])
    assert {event.event_id for event in await asyncio.gather(*waiting)} == {"b"}


async def test_a_database_that_stays_away_ends_the_following_with_its_error(
    follower: Follower, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: Any, **__: Any) -> None:
        raise OSError("gone")

    monkeypatch.setattr("tracker.log.follower.READ_RETRY_SECONDS", 0.3)
    events = follower.follow(0)
    await recorder.append([new("a")])
    await anext(events)
    monkeypatch.setattr(recorder, "read", gone)
    with pytest.raises(OSError, match="gone"):
        await asyncio.wait_for(anext(events), within(5))


@given(
    st.integers(0, 50),
    st.lists(st.integers(1, 5), max_size=20),
    st.integers(0, 120),
    st.integers(1, 9),
)
def test_a_tail_gives_exactly_what_follows_or_says_that_it_can_not(
    start: int, pages: list[int], after: int, limit: int
) -> None:
    tail, last = RecentEvents(start, most=10), start
    for size in pages:
        tail.extend([_at(last + 1 + i) for i in range(size)])
        last += size
    kept = range(max(start, last - 10) + 1, last + 1)
    events = tail.after(after, limit)
    assert tail.position == last
    if after + 1 < kept.start:
        assert events is None
    else:
        assert events is not None
        assert positions(events) == [p for p in kept if p > after][:limit]
        assert all(a.position + 1 == b.position for a, b in pairwise(events))


def _at(position: int) -> RecordedEvent:
    """Return any event at a position."""
    return RecordedEvent(
        position,
        clock.now(),
        "a",
        "ExportControl.Announced",
        "export-control/a",
        1,
        msgspec.Raw(b"{}"),
    )
