"""Broadcasts: one source for many listeners, none of whom makes another wait."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack

import pytest

from schema.http import broadcast as module
from schema.http import limits
from schema.http.authentication import Client
from schema.http.broadcast import Broadcast, Ended, Listener, Overtaken, Part
from schema.http.limits import PushPriority
from schema.services import READ_ONLY_CALLER
from tests.support.time_limits import within
from tests.support.waiting import until

CLIENT = Client(READ_ONLY_CALLER, "somebody")
START = (0, 0)


class Numbers:
    """A source of numbered parts, which counts its calls."""

    def __init__(self, size: int = 1):
        self.given = 0
        self.begun = 0
        self.closed = 0
        self._size = size
        self._more = asyncio.Event()
        self._until = 0

    def give(self, until: int) -> None:
        """Provide parts up to a number."""
        self._until = until
        self._more.set()

    async def parts(self, broadcast: Broadcast[int]) -> AsyncGenerator[Part[int], None]:
        """Yield the parts after the start of the broadcast, as they arrive."""
        self.begun += 1
        number = broadcast.after[0]
        try:
            while True:
                if number == self._until:
                    self._more.clear()
                    await self._more.wait()
                    continue
                number += 1
                self.given = number
                yield Part((number, 0), number, self._size)
        finally:
            self.closed += 1


@pytest.fixture
async def numbers() -> Numbers:
    """Create a source."""
    return Numbers()


def broadcast_of(numbers: Numbers, *, latest_only: bool = False) -> Broadcast[int]:
    """Return a broadcast of a source."""
    return Broadcast(START, numbers.parts, PushPriority(), latest_only=latest_only)


async def heard(listener: Listener[int], until: int) -> list[int]:
    """Return a listener's parts, up to a number."""
    found: list[int] = []
    async with asyncio.timeout(within(5)):
        while not found or found[-1] < until:
            found += [part.content for part in await listener.next()]
    return found


async def test_every_listener_gets_every_part_once_in_order_from_one_source(
    numbers: Numbers,
) -> None:
    broadcast = broadcast_of(numbers)
    with ExitStack() as listening:
        listeners = [listening.enter_context(broadcast.listen(START, CLIENT)) for _ in range(100)]
        hearing = [asyncio.create_task(heard(listener, 50)) for listener in listeners]
        for until in (1, 2, 20, 50):
            numbers.give(until)
            await asyncio.sleep(0.01)
        assert await asyncio.gather(*hearing) == [list(range(1, 51))] * 100
    assert numbers.begun == 1


async def test_one_who_begins_later_gets_what_is_behind_its_mark(numbers: Numbers) -> None:
    broadcast = broadcast_of(numbers)
    with broadcast.listen(START, CLIENT) as first:
        numbers.give(3)
        assert await heard(first, 3) == [1, 2, 3]
        with broadcast.listen((2, 0), CLIENT) as second:
            assert await heard(second, 3) == [3]
            ahead = asyncio.create_task(heard(second, 5))
            second.after = (4, 0)
            numbers.give(5)
            assert await heard(first, 5) == [4, 5]
            assert await ahead == [5]


async def test_one_who_is_slow_is_overtaken_and_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_STORED_BYTES", 1000)
    numbers = Numbers(size=100)
    broadcast = broadcast_of(numbers)
    with broadcast.listen(START, CLIENT) as slow, broadcast.listen(START, CLIENT) as fast:
        numbers.give(1)
        assert await heard(slow, 1) == [1]
        numbers.give(40)
        assert await heard(fast, 40) == list(range(1, 41))
        with pytest.raises(Overtaken):
            await slow.next()
        slow.after = (40, 0)  # it has read that for itself
        numbers.give(41)
        assert (await heard(slow, 41), await heard(fast, 41)) == ([41], [41])


async def test_many_who_are_fast_are_not_overtaken_however_much_comes_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_STORED_BYTES", 1000)
    monkeypatch.setattr(module, "MAX_STORED_SECONDS", 0)
    numbers = Numbers(size=100)
    broadcast = broadcast_of(numbers)
    with ExitStack() as listening:
        listeners = [listening.enter_context(broadcast.listen(START, CLIENT)) for _ in range(300)]
        hearing = [asyncio.create_task(heard(listener, 200)) for listener in listeners]
        await asyncio.sleep(0)
        numbers.give(200)
        assert await asyncio.gather(*hearing) == [list(range(1, 201))] * 300


async def test_expired_entries_are_not_sent(
    numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    broadcast = broadcast_of(numbers)
    with broadcast.listen(START, CLIENT) as slow, broadcast.listen(START, CLIENT) as fast:
        numbers.give(2)
        await heard(fast, 2)
        while broadcast._round:  # all waiting tasks are woken first
            await asyncio.sleep(0)
        monkeypatch.setattr(module, "MAX_STORED_SECONDS", -1)
        with pytest.raises(Overtaken):
            await slow.next()


async def test_nothing_is_made_while_all_are_slow(numbers: Numbers) -> None:
    broadcast = broadcast_of(numbers)
    with broadcast.listen(START, CLIENT) as only:
        numbers.give(100)
        assert [part.content for part in await only.next()] == [1]
        await asyncio.sleep(0.05)
        assert numbers.given <= 2
        assert await heard(only, 100) == list(range(2, 101))


async def test_of_states_one_who_is_slow_gets_the_last(numbers: Numbers) -> None:
    broadcast = broadcast_of(numbers, latest_only=True)
    with broadcast.listen(START, CLIENT) as slow, broadcast.listen(START, CLIENT) as fast:
        for number in range(1, 10):
            numbers.give(number)
            await heard(fast, number)
        assert [part.content for part in await slow.next()] == [9]


async def test_the_source_is_closed_when_the_last_has_gone(numbers: Numbers) -> None:
    broadcast = broadcast_of(numbers)
    with broadcast.listen(START, CLIENT) as one:
        numbers.give(1)
        await heard(one, 1)
        with broadcast.listen(START, CLIENT):
            pass
        assert not broadcast.ended
    await until(lambda: broadcast.ended and numbers.closed)
    assert numbers.closed == 1


async def test_the_end_of_the_source_is_the_end_for_all(numbers: Numbers) -> None:
    async def short(broadcast: Broadcast[int]) -> AsyncGenerator[Part[int], None]:
        yield Part((1, 0), 1, 1)

    broadcast = Broadcast(START, short, PushPriority())
    with broadcast.listen(START, CLIENT) as one, broadcast.listen(START, CLIENT) as other:
        for listener in (one, other):
            assert [part.content for part in await listener.next()] == [1]
        for listener in (one, other):
            with pytest.raises(Ended):
                await listener.next()


async def test_queries_have_priority_over_subscriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PUSH_WAIT_SECONDS", 60)
    turns, acted = PushPriority(), list[int]()

    async def ask() -> None:
        with turns.answering():
            for _ in range(5):  # as many round trips
                await asyncio.sleep(0)
                answered.append(len(acted))

    answered: list[int] = []
    going = asyncio.create_task(turns.go_through(lambda: range(1000), acted.append))
    while len(acted) < 100:
        await asyncio.sleep(0)
    await ask()
    assert answered[-1] - answered[1] == 0
    await going
    assert acted == list(range(1000))


async def test_an_answer_has_left_before_those_who_listen_are_looked_for() -> None:
    turns, order = PushPriority(), list[str]()

    def find() -> list[int]:
        order.append("looked")
        return []

    async def answer() -> None:
        with turns.answering():
            going = asyncio.create_task(turns.go_through(find, print))
            await asyncio.sleep(0.01)
        # Writes to a connection are sent at the end of a loop iteration.
        asyncio.get_running_loop().call_soon(order.append, "sent")
        await going

    await answer()
    assert order == ["sent", "looked"]


async def test_subscribers_do_not_wait_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PUSH_WAIT_SECONDS", 0.05)
    turns, acted = PushPriority(), list[int]()
    with turns.answering():
        async with asyncio.timeout(within(5)):
            await turns.go_through(lambda: range(100), acted.append)
    assert acted == list(range(100))
