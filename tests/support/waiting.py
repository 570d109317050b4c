"""Waiting for what happens, not for a time in which it mostly has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.time_limits import within

LOOK_SECONDS = 0.01


async def until(true: Callable[[], object], seconds: float = 10) -> None:
    """Wait until something is so. Raises TimeoutError when it is not within these seconds."""
    async with asyncio.timeout(within(seconds)):
        while not true():
            await asyncio.sleep(LOOK_SECONDS)


def first_call(patch: pytest.MonkeyPatch, owner: object, name: str) -> asyncio.Event:
    """Set once a method that is awaited has begun; it does what it did."""
    method, begun = getattr(owner, name), asyncio.Event()

    async def noted(*arguments: Any, **options: Any) -> Any:
        begun.set()
        return await method(*arguments, **options)

    patch.setattr(owner, name, noted)
    return begun


async def until_it_says(ask: Callable[[], Awaitable[str]], *lines: str, seconds: float = 20) -> str:
    """Ask again until an answer has all of the lines; that answer."""
    said = ""
    try:
        async with asyncio.timeout(within(seconds)):
            while not all(line in said for line in lines):
                said = await ask()
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise AssertionError(f"missing: {[line for line in lines if line not in said]}") from None
    return said
