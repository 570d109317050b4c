"""Prefetched items keep their order and limit, and end with their reader."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing

import pytest

from tests.support.cases import each_case
from tracker.audit.verify.read_ahead import read_ahead


class Shelf:
    """Numbers that are read on permission, with a record of started and cancelled reads."""

    def __init__(self, count: int):
        self.ready = [asyncio.Event() for _ in range(count)]
        self.begun, self.cancelled = list[int](), list[int]()

    async def reads(self) -> AsyncGenerator[Coroutine[None, None, int], None]:
        """Return a read for each number."""
        for number in range(len(self.ready)):
            yield self._read(number)

    async def _read(self, number: int) -> int:
        self.begun.append(number)
        try:
            await self.ready[number].wait()
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        if number == 3:
            raise ValueError("torn out")
        return number


async def test_the_first_to_be_read_is_the_first_to_come_though_others_were_ready_before() -> None:
    shelf = Shelf(3)
    async with aclosing(read_ahead(shelf.reads(), 2)) as numbers:
        first = asyncio.ensure_future(anext(numbers))
        shelf.ready[2].set()
        shelf.ready[1].set()
        await asyncio.sleep(0)
        shelf.ready[0].set()
        assert [await first, await anext(numbers), await anext(numbers)] == [0, 1, 2]
        assert await anext(numbers, None) is None


@each_case("ahead", [0, 1, 4])
async def test_so_many_are_read_beside_the_one_that_is_waited_for(ahead: int) -> None:
    shelf = Shelf(8)
    shelf.ready[0].set()
    async with aclosing(read_ahead(shelf.reads(), ahead)) as numbers:
        assert await anext(numbers) == 0
        assert shelf.begun == list(range(ahead + 1))


async def test_a_reader_that_stops_in_the_middle_leaves_nothing_open() -> None:
    shelf = Shelf(8)
    shelf.ready[0].set()
    async with aclosing(read_ahead(shelf.reads(), 2)) as numbers:
        await anext(numbers)
    assert shelf.cancelled == [1, 2]
    assert shelf.begun == [0, 1, 2]


async def test_a_failure_keeps_its_place_and_ends_the_others() -> None:
    shelf = Shelf(6)
    for event in shelf.ready[:4]:
        event.set()
    async with aclosing(read_ahead(shelf.reads(), 2)) as numbers:
        assert [await anext(numbers) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="torn out"):
            await anext(numbers)
    assert shelf.cancelled == shelf.begun[4:]


async def test_nothing_to_read_is_nothing_that_comes() -> None:
    assert [number async for number in read_ahead(Shelf(0).reads(), 8)] == []
