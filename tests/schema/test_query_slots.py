"""Each client has a limited number of concurrent queries, so that others wait for few of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from schema.base.context import Context
from schema.execution import documents
from schema.execution.documents import MAX_CHARACTERS_ON_LOOP, parsed_document
from schema.execution.execute import stream
from schema.execution.schema import SCHEMA
from schema.http.authentication import AccessControl, Client
from schema.http.limits import WorkSlots
from schema.services import OPEN_CALLER, READ_ONLY_CALLER, Access, Services
from tests.support.fact_builders import announced
from tracker.auth.scopes import Caller, Scope
from tracker.domain.controls.export_control import ExportControl


async def let_all_run() -> None:
    """Let all pending tasks run."""
    for _ in range(10):
        await asyncio.sleep(0)


@contextmanager
def counted_passes() -> Iterator[list[int]]:
    """Count the loop iterations of other tasks for the duration of a block."""
    passes = [0]

    async def others() -> None:
        while True:
            passes[0] += 1
            await asyncio.sleep(0)

    taking_turns = asyncio.create_task(others())
    try:
        yield passes
    finally:
        taking_turns.cancel()


async def test_a_client_has_so_many_turns_at_a_time_and_others_have_theirs() -> None:
    turns, ending, begun = WorkSlots(2), asyncio.Event(), list[str]()

    async def work(client: str) -> None:
        async with turns.hold(client):
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
    turns, first, begun = WorkSlots(1), asyncio.Event(), list[str]()

    async def work(name: str, until: asyncio.Event | None = None) -> None:
        async with turns.hold("a"):
            begun.append(name)
            if until:
                await until.wait()

    holding = asyncio.create_task(work("first", first))
    await let_all_run()
    leaving, staying = (asyncio.create_task(work(name)) for name in ("leaving", "staying"))
    await let_all_run()
    if cancelled_late:  # it gets the slot, and is cancelled before it starts
        turns._waiting["a"][0].add_done_callback(lambda _: leaving.cancel())
    else:
        leaving.cancel()
    first.set()
    await asyncio.gather(holding, leaving, staying, return_exceptions=True)
    assert begun == ["first", "staying"] or cancelled_late
    assert "staying" in begun
    assert not turns._at_work


async def test_who_may_write_only_because_everyone_may_waits_too(services: Services) -> None:
    access_control = AccessControl(services.tokens, Access(open=True))
    writer = Caller("ann", frozenset({Scope.READ, Scope.RECORD}))
    waiting = [
        not isinstance(access_control.work_slot(Client(caller, "a")), nullcontext)
        for caller in (OPEN_CALLER, READ_ONLY_CALLER, writer)
    ]
    assert waiting == [True, True, False]


async def test_streams_that_catch_up_take_turns_with_each_other_and_with_others(
    services: Services,
) -> None:
    for name in "abcdefgh":
        await services.commands.record(f"{ExportControl.KIND}/{name}", announced())
    turns, told = WorkSlots(1), list[str]()

    async def begun() -> AsyncGenerator[dict[str, Any], None]:
        context = Context(services, Access(), READ_ONLY_CALLER, work_slot=lambda: turns.hold("a"))
        answers = stream(context, 'subscription { events(after: "0") { position } }')
        await anext(answers)
        return answers

    async def follow(name: str, answers: AsyncGenerator[dict[str, Any], None]) -> None:
        for _ in range(7):
            await anext(answers)
            told.append(name)
        await answers.aclose()

    with counted_passes() as passes:
        await asyncio.gather(*[follow(name, await begun()) for name in "xy"])
    assert passes[0] > 16
    assert "xxxx" not in "".join(told)
    assert not turns._at_work


async def test_a_query_over_a_stream_waits_for_its_turn(services: Services) -> None:
    turns = WorkSlots(1)
    context = Context(services, Access(), READ_ONLY_CALLER, work_slot=lambda: turns.hold("a"))
    answers = stream(context, "{ head }")
    async with turns.hold("a"):
        asking = asyncio.ensure_future(anext(answers))
        await asyncio.wait([asking], timeout=0.2)
        assert not asking.done()
    assert await asking == {"data": {"head": "0"}}
    assert not turns._at_work  # a client that does not read the response holds no slot
    await answers.aclose()


async def test_nobody_waits_while_a_long_document_is_parsed() -> None:
    text = "{" + "head " * 70 + " " * MAX_CHARACTERS_ON_LOOP + "}"
    documents.cache.clear()
    with counted_passes() as passes:
        await parsed_document(SCHEMA._schema, "{ head }", True)
        short = passes[0]
        await parsed_document(SCHEMA._schema, text, True)
    assert short == 0
    assert passes[0] > 0
