"""The log loses nothing, orders everything and changes nothing."""

import asyncio
import contextlib
from datetime import timedelta
from itertools import pairwise

import asyncpg
import pytest

from schema.services import Services
from tests.support.absent_database import absent_database
from tests.support.cases import each_case
from tests.support.fact_builders import announced, clause, suspended
from tests.support.log_events import append_all, event, gallium
from tests.support.time_limits import within
from tracker import clock
from tracker.commands.handler import Commands
from tracker.errors import DiskFull, IdempotencyConflict, TooLarge, Unavailable, VersionConflict
from tracker.log.append import AppendResult
from tracker.log.entries import NewEvent
from tracker.log.recorder import Recorder
from tracker.postgres.database import CONNECTION_ERRORS, Target, connect


async def test_an_event_is_read_back_as_it_was_recorded(recorder: Recorder) -> None:
    before = clock.now()
    await recorder.append([gallium("a")])
    [read] = await recorder.read()
    assert (read.position, read.event_id, read.version) == (1, "a", 1)
    assert read.fact == announced()
    assert abs(read.recorded_at - before) < timedelta(seconds=5)
    assert read.entry.startswith(b'{"specversion":"1.0","position":"1","time":"')


async def test_positions_are_gapless_and_time_never_runs_backwards_under_many_writers(
    recorder: Recorder, target: Target
) -> None:
    others = [
        Recorder(await asyncpg.create_pool(**target, min_size=1, max_size=2)) for _ in range(2)
    ]
    writers = [recorder, *others]
    await asyncio.gather(
        *(writers[i % 3].append([gallium(f"e{i}", f"export-control/s{i}")]) for i in range(300))
    )
    events = await recorder.read(limit=1000)
    assert [e.position for e in events] == list(range(1, 301))
    assert all(a.recorded_at <= b.recorded_at for a, b in pairwise(events))
    for other in others:
        await other._pool.close()


async def test_the_same_event_again_returns_its_first_position(recorder: Recorder) -> None:
    command = [event("export-control/a", "a"), event("export-control/a", "b", 2)]
    first, again = await recorder.append(command), await recorder.append(command)
    assert (list(first.positions), first.repeated) == ([1, 2], False)
    assert (list(again.positions), again.repeated) == ([1, 2], True)
    assert await recorder.head() == 2


async def test_an_event_id_can_not_be_used_for_another_content(recorder: Recorder) -> None:
    await recorder.append([event("export-control/a", "a")])
    other = NewEvent("a", "export-control/a", 2, "ExportControl.Announced", '"id":"a"', b"{}")
    with pytest.raises(IdempotencyConflict):
        await recorder.append([other])


async def test_a_conflict_names_both_versions_and_leaves_the_others_alone(
    recorder: Recorder,
) -> None:
    await recorder.append([event("export-control/a", "a")])
    good, bad = await asyncio.gather(
        recorder.append([event("export-control/b", "b")]),
        recorder.append([event("export-control/a", "c", version=1)]),
        return_exceptions=True,
    )
    assert not isinstance(good, BaseException)
    assert list(good.positions) == [2]
    assert isinstance(bad, VersionConflict)
    assert (bad.expected, bad.actual) == (0, 1)
    assert await recorder.head() == 2


async def test_a_command_is_recorded_wholly_or_not_at_all(recorder: Recorder) -> None:
    with pytest.raises(VersionConflict):
        await recorder.append([event("export-control/a", "a"), event("export-control/b", "b", 7)])
    assert await recorder.head() == 0


@each_case(
    "statement",
    [
        "UPDATE log.events SET type = 'x'",
        "DELETE FROM log.events",
        "TRUNCATE log.events",
        "SET session_replication_role = replica; DELETE FROM log.events",
    ],
)
async def test_the_database_refuses_to_change_what_is_recorded(
    recorder: Recorder, target: Target, statement: str
) -> None:
    await recorder.append([event("export-control/a", "a")])
    connection = await connect(target)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="never change"):
        await connection.execute(statement)
    await connection.close()
    assert await recorder.head() == 1


async def test_an_event_over_the_limit_never_reaches_the_database(recorder: Recorder) -> None:
    many = [clause(str(i), note="x" * 7000) for i in range(10)]
    with pytest.raises(TooLarge):
        await Commands(recorder).record("export-control/big", announced(*many))
    assert await recorder.head() == 0


async def test_a_lost_database_is_reported_as_an_unknown_outcome(
    recorder: Recorder, target: Target
) -> None:
    await recorder.head()
    async with absent_database(target):
        with pytest.raises(Unavailable, match="counts once"):
            await recorder.append([event("export-control/a", "a")])


async def test_a_full_disk_is_reported_as_such_and_nothing_is_recorded(
    recorder: Recorder, target: Target
) -> None:
    connection = await connect(target)
    await connection.execute("""
        CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE disk_full; END';
        CREATE TRIGGER full_disk AFTER INSERT ON log.events EXECUTE FUNCTION fill()""")
    with pytest.raises(DiskFull, match="nothing was recorded"):
        await recorder.append([event("export-control/a", "a")])
    await connection.execute("DROP TRIGGER full_disk ON log.events")
    await connection.close()
    assert await recorder.head() == 0
    assert (await recorder.append([event("export-control/a", "a")])).positions == range(1, 2)


async def test_a_lost_database_is_not_a_stranger_to_commands_and_imports(
    recorder: Recorder, target: Target
) -> None:
    await recorder.head()
    async with absent_database(target):
        with pytest.raises(Unavailable, match="nothing was recorded"):
            await Commands(recorder).record("export-control/a", announced())


async def test_a_decision_that_others_overtake_is_made_anew(recorder: Recorder) -> None:
    commands = Commands(recorder)
    await commands.record("export-control/a", announced(clause("1"), clause("2")))
    suspensions = [suspended("1", start=f"2025-11-{day:02}") for day in range(1, 5)]
    await asyncio.gather(*(commands.record("export-control/a", s) for s in suspensions))
    assert [e.version for e in await recorder.read()] == [1, 2, 3, 4, 5]


async def test_an_expected_version_that_is_wrong_is_refused(recorder: Recorder) -> None:
    commands = Commands(recorder)
    await commands.record("export-control/a", announced(), expected_version=0)
    with pytest.raises(VersionConflict, match="expected 5, it is at 1"):
        await commands.record("export-control/a", suspended("1"), expected_version=5)
    await commands.record("export-control/a", suspended("1"), expected_version=1)
    assert await recorder.head() == 2


async def test_a_moment_in_time_is_a_position(services: Services) -> None:
    await services.commands.record("export-control/a", announced())
    [first] = await services.recorder.read()
    await services.commands.record("export-control/b", announced())
    just_before = first.recorded_at - timedelta(microseconds=1)
    assert await services.recorder.position_at(just_before) == 0
    assert await services.recorder.position_at(first.recorded_at) == 1
    assert await services.recorder.position_at(clock.now()) == 2


@each_case(
    ("after", "before", "count"),
    [
        (0, 3, 2),
        (1, 10, 4),
        (3, 6, 2),
        (4, 6, 1),
        (4, 5, 0),
        (0, 5, 4),
        (5, 9, 0),
        (3, 3, 0),
        (4, 2, 0),
    ],
)
async def test_events_between_two_positions_are_counted_without_both(
    recorder: Recorder, after: int, before: int, count: int
) -> None:
    await append_all(recorder, [event(f"export-control/{n}", str(n)) for n in range(5)])
    assert await recorder.count(after, before) == count


async def test_an_event_is_recorded_when_it_is_its_turn_not_when_it_began_to_wait(
    recorder: Recorder, target: Target
) -> None:
    other = await connect(target)
    async with other.transaction():
        await other.execute("SELECT pg_advisory_xact_lock(hashtextextended('log.append', 0))")
        appending = asyncio.create_task(recorder.append([gallium("a")]))
        async with asyncio.timeout(within(10)):
            while not await other.fetchval(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            ):
                await asyncio.sleep(0.01)
        turn = await other.fetchval("SELECT clock_timestamp()")
    await appending
    await other.close()
    [read] = await recorder.read()
    assert read.recorded_at > turn


async def test_every_append_is_answered_when_idle_connections_die(
    recorder: Recorder, target: Target
) -> None:
    admin = await connect({**target, "database": "tracker"})
    for round in range(30):
        with contextlib.suppress(*CONNECTION_ERRORS):
            await recorder.head()
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
            target["database"],
        )
        appending = recorder.append([gallium(f"e{round}", f"export-control/s{round}")])
        [outcome] = await asyncio.gather(
            asyncio.wait_for(appending, within(5)), return_exceptions=True
        )
        assert isinstance(outcome, AppendResult | Unavailable), outcome
    await admin.close()
