"""Prefetching and sharing change the speed, never the events of an endpoint."""

import asyncio
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fact_builders import announced, clause, suspended
from tests.support.time_limits import within
from tests.support.writers import new
from tracker import clock
from tracker.commands.handler import Commands
from tracker.delivery import selected_events
from tracker.delivery.message import Message
from tracker.delivery.message_builder import MessageCache
from tracker.delivery.request_limits import LoopThrottle, RequestLimit
from tracker.delivery.selected_events import EventReader, SelectedPage, SharedEvents
from tracker.log.entries import RecordedEvent
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.log.selection import Selection, filter_selected
from tracker.postgres.database import Target

GALLIUM = Selection(commodities=["gallium"])
SELECTIONS = [
    Selection(),
    GALLIUM,
    Selection(types=["ExportControl.Suspended"]),
    Selection(types=["ExportControl.Suspended"], commodities=["graphite"]),
    Selection(entity="export-control/e-7"),
]


def at(position: int) -> RecordedEvent:
    """Return any event at a position."""
    return RecordedEvent(
        position, clock.now(), "a", "A.B", "a/b", 1, msgspec.Raw(b"{}"), entry=b"12345"
    )


@given(st.sets(st.integers(1, 40)), st.integers(0, 45), st.integers(1, 9), st.integers(0, 45))
def test_a_page_gives_exactly_what_follows_or_says_that_it_can_not(
    positions: set[int], after: int, limit: int, dropped: int
) -> None:
    page = SelectedPage(0, 40, [at(position) for position in sorted(positions)])
    page.drop_until(dropped)
    found = page.following(after, limit)
    if not min(dropped, 40) <= after <= 40:
        assert found is None
        return
    assert found is not None
    expected = [position for position in sorted(positions) if position > after]
    assert [event.position for event in found.events] == expected[:limit]
    assert found.until == (expected[limit - 1] if len(expected) > limit else 40)


async def record(recorder: Recorder, count: int, name: str) -> None:
    """Record events about gallium and graphite, and suspensions of both."""
    commands = Commands(recorder)
    for number in range(count):
        if number % 3 == 0:
            goods = announced(clause(commodities=["graphite"]))
            await commands.record(f"export-control/{name}g{number}", goods)
            await commands.record(f"export-control/{name}g{number}", suspended("1"))
        await recorder.append([new(f"{name}-{number}")])
        if number % 4 == 0:
            await commands.record(f"export-control/{name}-{number}", suspended("1"))


@pytest.mark.parametrize(("shared_events", "page_bytes"), [(2_000, 256 * 1024), (7, 3_000), (1, 1)])
async def test_readers_get_what_is_selected_whether_they_are_behind_or_wait(
    target: Target,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    shared_events: int,
    page_bytes: int,
) -> None:
    monkeypatch.setattr(selected_events, "PAGE_EVENTS", 9)
    monkeypatch.setattr(selected_events, "MAX_SHARED_EVENTS", shared_events)
    monkeypatch.setattr(selected_events, "MAX_PAGE_BYTES", page_bytes)
    await record(recorder, 12, "e")
    async with Follower(recorder, target) as follower:
        shared = SharedEvents(recorder, follower)
        shared.begin(await recorder.head() - 3)
        running = asyncio.create_task(shared.run())
        last: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        reading = [
            asyncio.create_task(read_all(shared, selection, limit, last))
            for selection in SELECTIONS
            for limit in (1, 4)
        ]
        await record(recorder, 12, "f")
        last.set_result(await recorder.head())
        log = await recorder.read(0)
        for number, selection in enumerate(SELECTIONS):
            wanted = [e.position for e in await filter_selected(recorder, log, selection)]
            for task in reading[2 * number : 2 * number + 2]:
                assert await asyncio.wait_for(task, within(30)) == wanted
        assert shared.page_bytes == 0
        running.cancel()


async def read_all(
    shared: SharedEvents, selection: Selection, limit: int, last: asyncio.Future[int]
) -> list[int]:
    """Follow a selection from the beginning to the last position."""
    woken, position, found = asyncio.Event(), 0, list[int]()
    reader = EventReader(shared, selection, woken.set)
    while not last.done() or position < last.result():
        woken.clear()
        reader.wait()
        following = await reader.read(position, limit)
        found += [event.position for event in following.events]
        assert len(following.events) <= limit
        if following.until == position:
            try:
                await asyncio.wait_for(woken.wait(), 0.2)
            except TimeoutError:
                continue
        position = following.until
    reader.close()
    return found


async def test_a_few_go_on_in_each_turn_of_the_loop_in_the_order_in_which_they_came() -> None:
    turns, order, loops = LoopThrottle(at_a_time=2), list[int](), 0

    async def one(number: int) -> None:
        await turns.wait()
        order.append(number)

    tasks = [asyncio.create_task(one(number)) for number in range(9)]
    tasks[4].cancel()
    counts = []
    while len(order) < 8:
        await asyncio.sleep(0)
        counts.append(len(order))
        loops += 1
        assert loops < 100
    assert order == [0, 1, 2, 3, 5, 6, 7, 8]
    assert all(after - before <= 2 for before, after in pairwise(counts))


async def test_requests_wait_for_room_and_a_cancelled_one_gives_its_back() -> None:
    limit, running, most = RequestLimit(requests=3, size=100), 0, 0

    async def one(size: int) -> None:
        nonlocal running, most
        async with limit.request(size):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    tasks = [asyncio.create_task(one(size)) for size in (60, 60, 10, 10, 10, 500, 1, 1)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert most == 3
    async with limit.request(100):  # all of it is there again
        pass


def test_a_message_that_many_get_is_made_once_and_old_ones_make_room() -> None:
    cache, made = MessageCache(max_bytes=25), list[int]()

    def message(number: int) -> Message:
        def make() -> Message:
            made.append(number)
            return Message(f"{number}", "", bytes(10), number, number)

        return cache.get(number, make)

    for number in (1, 1, 2, 1, 3, 1, 2):
        assert message(number).id == f"{number}"
    assert made == [1, 2, 3, 2]
