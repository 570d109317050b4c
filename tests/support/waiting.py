"""Waiting for conditions instead of fixed times."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from schema.services import Services
from tests.support.time_limits import within

LOOK_SECONDS = 0.01


async def until(true: Callable[[], object], seconds: float = 10) -> None:
    """Wait until a condition is true. Raises TimeoutError after `seconds`."""
    async with asyncio.timeout(within(seconds)):
        while not true():
            await asyncio.sleep(LOOK_SECONDS)


async def all_projected(services: Services) -> None:
    """Wait until states and the search index have the last event."""
    head = await services.recorder.head()
    await services.projector.reach(head, seconds=within(60))
    async with asyncio.timeout(within(60)):
        while await services.as_of.searches.index_position() < head:
            await asyncio.sleep(LOOK_SECONDS)


async def all_signed(services: Services) -> None:
    """Wait until a checkpoint has the last event."""
    head = await services.recorder.head()
    async with asyncio.timeout(within(60)):
        while await services.proofs.size() != head:
            await asyncio.sleep(LOOK_SECONDS)


def first_call(patch: pytest.MonkeyPatch, owner: object, name: str) -> asyncio.Event:
    """Return an event that is set by the first call of a coroutine method; the method runs unchanged."""
    method, begun = getattr(owner, name), asyncio.Event()

    async def noted(*arguments: Any, **options: Any) -> Any:
        begun.set()
        return await method(*arguments, **options)

    patch.setattr(owner, name, noted)
    return begun


async def until_it_says(ask: Callable[[], Awaitable[str]], *lines: str, seconds: float = 20) -> str:
    """Query until a response has all of the lines, and return it."""
    said = ""
    try:
        async with asyncio.timeout(within(seconds)):
            while not all(line in said for line in lines):
                said = await ask()
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise AssertionError(f"missing: {[line for line in lines if line not in said]}") from None
    return said
