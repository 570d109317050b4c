"""A second projection, of some thirty lines: the runner keeps it as it keeps the first."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.bootstrap import open_connection
from projections.runner.folds import AnotherRelease, read_folds
from projections.runner.projection import Page, Projection, Tables
from projections.runner.projector import Projectors
from projections.runner.rebuild import rebuild, rebuild_all, take_over
from projections.runner.release import RELEASE
from projections.runner.tables import create_tables
from projections.versions.projection import Versions
from tests.support.fact_builders import announced, suspended
from tracker.commands.handler import Commands
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import PROJECTOR, Connection, Pool, Target, create_pool


@dataclass(frozen=True, slots=True)
class Counts(Page):
    """Number of events of each type in a page."""

    events: Counter[str] = field(default_factory=Counter)


class EventsByType(Projection[Counts]):
    """Return the number of events of each type."""

    name = "events_by_type"
    tables = Tables(
        ("events_by_type",),
        "CREATE TABLE events_by_type (type text PRIMARY KEY, events bigint NOT NULL)",
    )
    code = (Path(__file__),)

    async def fold_page(self, connection: Connection, after: int, *, limit: int) -> Counts | None:
        types = await connection.fetch(
            "SELECT type FROM log.events WHERE position > $1 ORDER BY position LIMIT $2",
            after,
            limit,
        )
        count = len(types)
        return (
            Counts(after, after + count, count, Counter(r["type"] for r in types))
            if types
            else None
        )

    async def write_page(
        self, connection: Connection, page: Counts, *, seconds: float | None = None
    ) -> None:
        await connection.executemany(
            "INSERT INTO events_by_type AS t VALUES ($1, $2)"
            " ON CONFLICT (type) DO UPDATE SET events = t.events + EXCLUDED.events",
            [*page.events.items()],
            timeout=seconds,
        )


CONTROL = "export-control/gallium"


@pytest.fixture
async def pool(target: Target) -> AsyncIterator[Pool]:
    """Open a projector's pool, on a database with the tables of both projections."""
    async with open_connection(target, role=PROJECTOR) as connection:
        assert await create_tables(connection, EventsByType())
    async with await create_pool(target, role=PROJECTOR, size=5) as pool:
        yield pool


async def counts(pool: Pool) -> dict[str, int]:
    """Return the contents of its table."""
    return dict(await pool.fetch("SELECT type, events FROM events_by_type"))


async def test_a_second_projection_follows_the_log_beside_the_first_and_goes_on_after_a_restart(
    target: Target, recorder: Recorder, pool: Pool
) -> None:
    commands = Commands(recorder)
    for number, fact in enumerate([announced(), suspended()], 1):
        follower = Follower(recorder, target)
        projectors = Projectors(pool, follower, [Versions(), EventsByType()])
        async with follower, projectors:
            await commands.record(CONTROL, fact)
            for name in ("versions", "events_by_type"):
                await projectors[name].reach(number)
    assert await counts(pool) == {"ExportControl.Announced": 1, "ExportControl.Suspended": 1}
    assert await pool.fetchval("SELECT count(*) FROM versions") > 1


async def test_one_that_can_not_go_on_does_not_hold_up_the_others(
    target: Target, recorder: Recorder, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug in a fold")

    monkeypatch.setattr(Versions, "fold_page", fail)
    follower = Follower(recorder, target)
    projectors = Projectors(pool, follower, [Versions(), EventsByType()])
    async with follower, projectors:
        await Commands(recorder).record(CONTROL, announced())
        await projectors["events_by_type"].reach(1)
    assert await projectors["versions"].position() == 0


async def test_each_is_rebuilt_alone_while_both_are_kept(
    target: Target, recorder: Recorder, pool: Pool
) -> None:
    follower = Follower(recorder, target)
    projectors = Projectors(pool, follower, [Versions(), EventsByType()])
    async with follower, projectors:
        await Commands(recorder).record(CONTROL, announced())
        await projectors["events_by_type"].reach(1)
        await pool.execute("UPDATE events_by_type SET events = 7")
        await asyncio.gather(rebuild(target, EventsByType()), rebuild(target, Versions()))
        assert await counts(pool) == {"ExportControl.Announced": 1}
        await Commands(recorder).record(CONTROL, suspended())
        await projectors["events_by_type"].reach(2)
        await projectors["versions"].reach(2)
    assert await counts(pool) == {"ExportControl.Announced": 1, "ExportControl.Suspended": 1}
    assert dict(await pool.fetch("SELECT projection, position FROM projection.progress")) == {
        "versions": 2,
        "events_by_type": 2,
        "search": 0,
    }


async def test_other_code_of_one_makes_only_its_own_rows_outdated(
    target: Target, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "changed.sql").write_text("SELECT 1")
    monkeypatch.setattr(EventsByType, "code", (Path(__file__), tmp_path / "changed.sql"))
    async with open_connection(target, role=PROJECTOR) as connection:
        assert not await create_tables(connection, EventsByType())
        assert await create_tables(connection, Versions())


async def test_other_rows_of_one_stop_all_until_they_are_of_this_code_again(
    target: Target, recorder: Recorder, pool: Pool
) -> None:
    own = await pool.fetchval("SELECT fold FROM progress WHERE projection = 'events_by_type'")
    change = "UPDATE progress SET fold = $1 WHERE projection = 'events_by_type'"
    await pool.execute(change, "other")
    follower = Follower(recorder, target)
    projectors = Projectors(pool, follower, [Versions(), EventsByType()])
    async with follower, projectors:
        await Commands(recorder).record(CONTROL, announced())
        for name in ("versions", "events_by_type"):
            with pytest.raises(AnotherRelease, match="events_by_type: fold other of"):
                await projectors[name].reach(1)
            assert projectors[name].progress.known is None
        assert await pool.fetchval("SELECT max(position) FROM progress") == 0
        await pool.execute(change, own)
        for name in ("versions", "events_by_type"):
            await projectors[name].reach(1)


async def test_several_are_replaced_in_one_transaction(
    target: Target, recorder: Recorder, pool: Pool
) -> None:
    await Commands(recorder).record(CONTROL, announced())
    made = "SELECT count(DISTINCT xmin::text) FROM progress WHERE projection <> 'search'"
    assert await pool.fetchval(made) == 2
    rows = await rebuild_all(target, [EventsByType(), Versions()])
    assert {fold.projection: fold.position for fold in rows} == {"events_by_type": 1, "versions": 1}
    assert await pool.fetchval(made) == 1


@pytest.mark.parametrize(
    ("release", "taken"), [("0.1.0", True), ("0.99", True), (RELEASE, False), ("99.1", False)]
)
async def test_rows_are_taken_over_from_a_lower_number_only(
    target: Target, pool: Pool, release: str, taken: bool
) -> None:
    await pool.execute(
        "UPDATE progress SET fold = 'other', release = $1 WHERE projection = 'events_by_type'",
        release,
    )
    refused = nullcontext() if taken else pytest.raises(AnotherRelease, match=f"of {release},")
    with refused:
        await take_over(target, [Versions(), EventsByType()])
    [fold] = await read_folds(pool, [EventsByType()])
    assert (fold.is_own, fold.release) == ((True, RELEASE) if taken else (False, release))
