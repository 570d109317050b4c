"""Empty tables of a long log are filled like those of a rebuild, and a crash leaves them empty."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from signal import SIGKILL
from typing import Any

import pytest

from deploy.bootstrap import open_connection, open_pool
from projections.registry import linked_projections
from projections.runner import projector as runner
from projections.runner.projection import Projection
from projections.runner.projector import Projector, Projectors
from projections.search_index.projection import SearchIndex
from projections.versions.projection import Versions
from tests.projections.test_projections import events, project, rows
from tests.projections.test_search_index import rows as search_rows
from tests.support.fact_builders import announced
from tests.support.log_events import append_all
from tracker.commands.handler import Commands
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import PROJECTOR, Target

PAGES = "projections.streams.whole_streams.PAGE_EVENTS"


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill from a hundred events on, in small pages."""
    monkeypatch.setattr(runner, "FILL_EVENTS", 100)
    monkeypatch.setattr(PAGES, 20)


@pytest.fixture
async def expected(recorder: Recorder, target: Target) -> list[tuple[Any, ...]]:
    """Append a long log, and return its rows by pages, of tables that are empty again."""
    await append_all(recorder, events(0))
    async with open_connection(target) as connection:
        expected = await project(connection, 7)
        for table in ("versions", "elements", "subjects", "texts", "facts", "fact_sums"):
            await connection.execute(f"DELETE FROM {table}")
        await connection.execute("UPDATE progress SET position = 0")
    return expected


@asynccontextmanager
async def projector(
    recorder: Recorder, target: Target, projection: Projection[Any] | None = None
) -> AsyncIterator[Projector[Any]]:
    """Create a projector of a process of its own."""
    async with open_pool(target, role=PROJECTOR) as pool:
        yield Projector(pool, Follower(recorder, target), projection or Versions())


async def version_rows(target: Target) -> list[tuple[Any, ...]]:
    """Return the live rows of versions."""
    async with open_connection(target) as connection:
        return await rows(connection)


async def position(target: Target, name: str = "versions") -> int:
    """Return the stored position of a projection."""
    async with open_connection(target) as connection:
        stored = await connection.fetchval(
            "SELECT position FROM progress WHERE projection = $1", name
        )
    return int(stored)


async def test_a_long_log_is_folded_once_an_entity_into_the_rows_of_its_pages(
    recorder: Recorder,
    target: Target,
    expected: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = list[int]()
    async with projector(recorder, target) as filled:
        monkeypatch.setattr(filled, "_project_next_page", lambda *_: asyncio.sleep(0))  # no pages
        await filled.catch_up(told.append)
        assert await filled.position() == await recorder.head()
    assert told == sorted(told)
    assert len(set(told)) > 2
    assert await version_rows(target) == expected


@pytest.mark.usefixtures("expected")
async def test_tables_with_rows_are_continued_page_by_page(
    recorder: Recorder, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def rebuild(*_: object, **__: object) -> int:
        pytest.fail("expected pages")

    monkeypatch.setattr(runner, "FILL_EVENTS", 1000)
    async with projector(recorder, target) as short:
        await short.catch_up()
    monkeypatch.setattr(runner, "FILL_EVENTS", 100)
    monkeypatch.setattr(runner, "rebuild", rebuild)
    await Commands(recorder).record("export-control/later", announced())
    async with projector(recorder, target) as later:
        await later.catch_up()
    assert await position(target) == await recorder.head()


HALF = """
import asyncio, json, sys, time
import projections.runner.projector as module
import projections.streams.whole_streams
from deploy.bootstrap import open_pool
from projections.versions.projection import Versions
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder

def stop(folded):
    if folded > 40:
        print("half", flush=True)
        time.sleep(60)

async def main(target):
    async with open_pool(target, role="tracker_projector") as pool:
        follower = Follower(Recorder(pool), target)
        await module.Projector(pool, follower, Versions()).catch_up(stop)

module.FILL_EVENTS = 100
projections.streams.whole_streams.PAGE_EVENTS = 20
asyncio.run(main(json.loads(sys.argv[1])))
"""


async def test_a_crash_in_the_middle_leaves_the_tables_empty_and_the_next_process_fills_them(
    recorder: Recorder, target: Target, expected: list[tuple[Any, ...]]
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HALF, json.dumps(target), stdout=PIPE
    )
    assert process.stdout
    assert await process.stdout.readline() == b"half\n"
    process.kill()
    assert await process.wait() == -SIGKILL
    assert (await version_rows(target), await position(target)) == ([], 0)
    async with projector(recorder, target) as next_process:
        await next_process.catch_up()
    assert await version_rows(target) == expected
    assert await position(target) == await recorder.head()


async def test_of_two_processes_at_once_one_fills_the_tables(
    recorder: Recorder, target: Target, expected: list[tuple[Any, ...]]
) -> None:
    told: tuple[list[int], list[int]] = [], []
    async with projector(recorder, target) as one, projector(recorder, target) as other:
        await asyncio.gather(one.catch_up(told[0].append), other.catch_up(told[1].append))
    assert sorted(len(positions) > 1 for positions in told) == [False, True]
    assert await version_rows(target) == expected


async def test_the_search_index_is_filled_after_the_versions_with_the_same_rows(
    recorder: Recorder, target: Target, expected: list[tuple[Any, ...]]
) -> None:
    order = list[str]()

    def note(work: Any) -> None:
        order.append(work.name)

    async with open_pool(target, role=PROJECTOR, size=5) as pool:
        follower = Follower(recorder, target)
        projectors = Projectors(pool, follower, linked_projections(), note)
        head = await recorder.head()
        async with follower, projectors:
            await projectors["search"].reach(head)
            assert await position(target) == head
            while len(order) < 2:  # work is noted a moment after its rows are there
                await asyncio.sleep(0.01)
    assert order == ["project", "project"]
    assert await version_rows(target) == expected
    filled = await search_rows(target)
    async with open_connection(target) as connection:
        for table in SearchIndex.tables.names:
            await connection.execute(f"DELETE FROM {table}")
        await connection.execute("UPDATE progress SET position = 0 WHERE projection = 'search'")
    async with open_pool(target, role=PROJECTOR) as pool:
        paged = Projector(pool, Follower(recorder, target), SearchIndex())
        paged._needs_filling = lambda: asyncio.sleep(0, False)  # type: ignore[method-assign]
        await paged.catch_up()
    assert await search_rows(target) == filled


@pytest.mark.usefixtures("expected")
async def test_versions_that_can_not_be_filled_do_not_hold_up_the_search_index(
    recorder: Recorder, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug in a fold")

    monkeypatch.setattr(Versions, "fold_all", fail)
    monkeypatch.setattr(runner, "FILL_WAIT_SECONDS", 0.2)
    async with open_pool(target, role=PROJECTOR, size=5) as pool:
        follower = Follower(recorder, target)
        projectors = Projectors(pool, follower, linked_projections())
        async with follower, projectors:
            await projectors["search"].reach(await recorder.head())
    assert await position(target) == 0
