"""A client's questions take turns, so that one of somebody else waits for few of them."""

from __future__ import annotations

import asyncio

import pytest

from schema.http.authentication import Turns


async def let_all_run() -> None:
    """Everything that can happen now."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_client_has_so_many_turns_at_a_time_and_others_have_theirs() -> None:
    turns, ending, begun = Turns(2), asyncio.Event(), list[str]()

    async def work(client: str) -> None:
        async with turns.turn(client):
            begun.append(client)
            await ending.wait()

    async with asyncio.TaskGroup() as tasks:
        for client in "aaaab":
            tasks.create_task(work(client))
        await let_all_run()
        assert begun == ["a", "a", "b"]
        ending.set()
    assert begun == ["a", "a", "b", "a", "a"]
    assert not turns._at_work
    assert not turns._waiting


@pytest.mark.parametrize("cancelled_late", [False, True])
async def test_a_turn_that_nobody_wants_any_more_is_passed_on(cancelled_late: bool) -> None:
    turns, first, begun = Turns(1), asyncio.Event(), list[str]()

    async def work(name: str, until: asyncio.Event | None = None) -> None:
        async with turns.turn("a"):
            begun.append(name)
            if until:
                await until.wait()

    holding = asyncio.create_task(work("first", first))
    await let_all_run()
    leaving, staying = (asyncio.create_task(work(name)) for name in ("leaving", "staying"))
    await let_all_run()
    if cancelled_late:  # its turn comes, and before it can begin it is cancelled
        turns._waiting["a"][0].add_done_callback(lambda _: leaving.cancel())
    else:
        leaving.cancel()
    first.set()
    await asyncio.gather(holding, leaving, staying, return_exceptions=True)
    assert begun == ["first", "staying"] or cancelled_late
    assert "staying" in begun
    assert not turns._at_work
