"""A long list is completed in pieces, so that other requests run in between."""

import asyncio
import gc
import time
from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api

CLAIMS = """query ($first: Int!, $after: String) { asOf(validAt: "2026-01-01") {
    claims(first: $first, after: $after) { pageInfo { endCursor }
        nodes { edition value unit note quotation source { publisher name publishedOn url } } } } }"""
COUNT = 200
CLAIMS_OF_LISTS = " ".join(
    f"{name}: claims(first: $first) {{ nodes {{ edition value unit note quotation }} }}"
    for name in "abcde"
)
LISTS = f"""query ($first: Int!) {{ asOf(validAt: "2026-01-01") {{ {CLAIMS_OF_LISTS} }} }}"""
"""Several lists: a fast machine completes one in less than three pieces."""


@pytest.fixture
def api(corpus_services: Services) -> Api:
    """Run the API on the shipped corpus."""
    return Api(corpus_services)


async def cpu_of_turns(asked: asyncio.Task[Any]) -> list[float]:
    """Return the CPU seconds of each event loop iteration until a task is done."""
    turns = []
    while not asked.done():
        before = time.thread_time()
        await asyncio.sleep(0)
        turns.append(time.thread_time() - before)
    return turns


async def test_a_long_list_takes_no_turn_of_the_loop_for_itself(api: Api) -> None:
    await api.ask(LISTS, first=COUNT - 1)  # plans and states are made once
    gc.disable()
    try:
        turns = await cpu_of_turns(asyncio.create_task(api.ask(LISTS, first=COUNT)))
    finally:
        gc.enable()
    work = sum(turn for turn in turns if turn > 0.0005)
    assert max(turns) < 0.4 * work, sorted(turns)[-12:]


async def test_a_long_list_is_the_same_as_its_parts(api: Api) -> None:
    whole = (await api.ask(CLAIMS, first=COUNT))["asOf"]["claims"]["nodes"]
    parts: list[Any] = []
    after = None
    while len(parts) < COUNT:
        page = (await api.ask(CLAIMS, first=10, after=after))["asOf"]["claims"]
        parts += page["nodes"]
        after = page["pageInfo"]["endCursor"]
    assert len(whole) == COUNT
    assert parts == whole


async def test_an_answer_can_be_given_up_between_pieces(
    api: Api, recwarn: pytest.WarningsRecorder
) -> None:
    for turns in range(20, 400, 20):
        asked = asyncio.create_task(api.ask(CLAIMS, first=COUNT))
        for _ in range(turns):
            await asyncio.sleep(0)
        asked.cancel()
        await asyncio.wait([asked])
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []
    assert len((await api.ask(CLAIMS, first=COUNT))["asOf"]["claims"]["nodes"]) == COUNT
