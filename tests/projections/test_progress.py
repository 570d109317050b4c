"""Progress of the projection, known without a query."""

import asyncio
from collections.abc import Callable

import pytest

from deploy.bootstrap import open_connection, running_tracker
from projections.query.moment import Moment
from projections.runner.progress import Progress, ProgressTracker
from projections.runner.projector import Projector
from projections.runner.rebuild import rebuild
from projections.runner.tables import SQL
from projections.versions.projection import Versions
from schema.services import Services
from tests.support.api import Api, control
from tests.support.fact_builders import announced, fact
from tests.support.time_limits import within
from tracker.domain.actors.alliance import Founded
from tracker.errors import InvalidInput
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import PROJECTOR, Target

OWN_FOLD = "SELECT fold FROM progress WHERE projection = 'versions'"


async def until(true: Callable[[], bool]) -> None:
    """Wait for an asynchronous event."""
    async with asyncio.timeout(within(20)):
        while not true():
            await asyncio.sleep(0.01)


async def come_to(services: Services, position: int) -> None:
    """Wait until a process knows that the projection is at a position."""
    tracked = services.projector.progress
    await until(lambda: tracked.known == Progress(position))


async def recorded(services: Services, name: str) -> int:
    """Record an event and return its position, once projected."""
    done = await Api(services).do("announceExportControl", control(name))
    return int(done["positions"][-1] if "positions" in done else done["position"])


async def test_every_process_knows_what_any_of_them_has_projected(target: Target) -> None:
    async with running_tracker(target) as one, running_tracker(target) as other:
        for number, (writer, reader) in enumerate([(one, other), (other, one)], 1):
            for services in (one, other):
                await come_to(services, number - 1)
            assert await recorded(writer, f"x{number}") == number
            assert writer.projector.progress.known == Progress(number)
            await come_to(reader, number)


async def test_a_position_that_another_process_has_reached_is_not_ahead(
    services: Services, target: Target
) -> None:
    await services.projector.progress.query()
    async with open_connection(target, role=PROJECTOR) as other, other.transaction():
        async with asyncio.timeout(within(10)):
            while not await other.fetchval(SQL.take_turn, "versions", "60s"):
                await asyncio.sleep(0.01)
        for number in range(7):
            await services.commands.record(f"export-control/{number}", announced())
        assert await services.projector.position() == 0
        await other.execute(
            "UPDATE progress SET position = 7 WHERE projection = 'versions'"
        )  # without a notification
    assert (await services.as_of.resolve(position=7)).position == 7
    with pytest.raises(InvalidInput, match="from 0 to 7"):
        await services.as_of.resolve(position=8)


async def test_a_database_that_came_back_with_less_begins_another_epoch(
    recorder: Recorder, target: Target
) -> None:
    follower = Follower(recorder, target)
    tracked = ProgressTracker(recorder._pool, follower, Versions())
    async with follower, open_connection(target) as connection:
        await until(lambda: follower.listening)
        for position, epoch in ((3, 0), (5, 0), (2, 1), (4, 1)):
            await connection.execute(
                "UPDATE progress SET position = $1 WHERE projection = 'versions'", position
            )
            assert await tracked.query() == position
            assert tracked.known == Progress(position, epoch)


async def test_a_listener_that_cannot_be_notified_is_refused(
    recorder: Recorder, target: Target
) -> None:
    async with Follower(recorder, target) as follower:
        await until(lambda: follower.listening)
        with pytest.raises(RuntimeError, match="listens already"):
            ProgressTracker(recorder._pool, follower, Versions())


async def test_rows_that_other_code_has_made_begin_another_epoch(
    services: Services, target: Target
) -> None:
    tracked = services.projector.progress
    await recorded(services, "x")
    await rebuild(target, Versions())
    await tracked.query()
    assert tracked.known == Progress(1)  # the same code makes the same rows
    async with open_connection(target, role=PROJECTOR) as connection:
        own = await connection.fetchval(
            "UPDATE progress SET fold = fold WHERE projection = 'versions' RETURNING fold"
        )
        for fold in ("other", own):
            await connection.execute(
                "UPDATE progress SET fold = $1 WHERE projection = 'versions'", fold
            )
            await connection.execute("SELECT pg_notify('projected_versions', '')")
            await until(lambda fold=fold: (tracked.known is None) == (fold == "other"))
    assert tracked.known == Progress(1, 2)


async def test_rows_that_other_code_has_made_are_neither_read_nor_written(
    services: Services, target: Target
) -> None:
    api, tracked = Api(services), services.projector.progress
    question = '{ asOf(validAt: "2025-01-01", position: 1) { digest } }'
    await recorded(services, "x")
    answered = await api.ask(question)
    async with open_connection(target, role=PROJECTOR) as connection:
        own = await connection.fetchval(
            "UPDATE progress SET fold = fold WHERE projection = 'versions' RETURNING fold"
        )
        async with connection.transaction():  # between two turns of the projector, as a rebuild
            await connection.execute(SQL.wait_turn, "versions")
            await connection.execute(
                "UPDATE progress SET fold = 'other', release = '99.0' WHERE projection = 'versions'"
            )
        appended = await services.commands.record(
            "alliance/quad", fact(Founded, "2025-01-01", name="Quad", members=["US", "JP"])
        )
        await until(lambda: tracked.known is None)
        for document in (question, "{ asOf { exportControls { nodes { key } } } }"):
            [error] = (await api.post(document))["errors"]
            assert error["extensions"]["code"] == "UNAVAILABLE"
            assert "another release maintains the rows" in error["message"]
        assert await api.fails("announceExportControl", control("y")) == ("UNAVAILABLE", None)
        page = await api.request("GET", "/", headers={"Accept": "text/html"})
        table = await api.request("GET", "/tables/clauses.csv")
        ready = await api.request("GET", "/readyz")
        assert (page.status_code, table.status_code, ready.status_code) == (503, 503, 503)
        assert [reason[:7] for reason in ready.json()["reasons"]] == ["another"]
        assert (
            await connection.fetchval("SELECT position FROM progress WHERE projection = 'versions'")
            == 1
        )
        await connection.execute("UPDATE progress SET fold = $1 WHERE projection = 'versions'", own)
    await services.projector.reach(appended.positions[-1], seconds=within(20))
    assert await api.ask(question) == answered


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE versions SET state = replace(state, '\"title\"', '\"name\"')",
        "ALTER TABLE versions DROP COLUMN state",
        "DROP TABLE versions",
    ],
)
async def test_rows_of_another_form_are_not_the_fault_of_the_client(
    services: Services, target: Target, change: str
) -> None:
    """This happens while another release replaces the tables, before this process is notified."""
    await recorded(services, "x")
    async with open_connection(target, role=PROJECTOR) as connection:
        await connection.execute(change)
    for question in ('exportControl(id: "x") { title }', "exportControls { nodes { title } }"):
        answer = await Api(services).post(f'{{ asOf(validAt: "2025-01-01") {{ {question} }} }}')
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAVAILABLE"]


async def test_a_reader_without_notifications_polls(services: Services, target: Target) -> None:
    pool = services.recorder._pool
    deaf = Projector(pool, Follower(Recorder(pool), target), Versions())
    assert await deaf.progress.position() == 0
    position = await recorded(services, "x")
    assert deaf.progress.known is None
    assert await deaf.progress.position() == position


async def test_answers_never_go_back_in_position(services: Services) -> None:
    tracked = services.projector.progress
    seen = [Moment((await services.as_of.resolve()).valid_at, 0)]
    for number in range(20):
        writing = asyncio.create_task(recorded(services, f"x{number}"))
        while not writing.done():
            seen.append(await services.as_of.resolve())
            await tracked.query()
        seen.append(await services.as_of.resolve())
        assert seen[-1].position == await writing
    positions = [moment.position for moment in seen]
    assert positions == sorted(positions)


async def test_a_page_that_is_recorded_late_takes_nothing_back(services: Services) -> None:
    reached = await recorded(services, "x")
    services.projector.progress.advance(reached - 1)
    assert await services.projector.progress.position() == reached
