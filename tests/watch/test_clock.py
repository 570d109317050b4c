"""A corrected clock costs a poll, without a loss."""

from datetime import datetime, timedelta

from deploy.bootstrap import open_connection
from tests.support.publishers.server import playing
from tests.support.time_limits import within
from tests.support.watching import Gazette, options, source
from tests.watch.test_watcher import facts, items, poll, row, until, watching
from tracker import clock
from tracker.clock import Clock, use_clock
from tracker.domain.evidence.watched_source_facts import Looked
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target

YEARS = timedelta(days=3 * 365)


async def move(target: Target, by: timedelta) -> None:
    """Move the time of the source's last poll, as by another clock."""
    async with open_connection(target) as connection:
        await connection.execute(
            "UPDATE watch.sources SET looked_at = looked_at + $1, ended_at = ended_at + $1,"
            " next_look_at = next_look_at + $1",
            by,
        )


async def test_a_source_that_was_looked_at_in_the_future_is_read_from_its_beginning_at_once(
    target: Target,
) -> None:
    publisher = Gazette(3)
    async with playing(publisher) as server:
        watched = options(source(server.url))
        await poll(target, watched)
        await move(target, YEARS)
        publisher.add()
        publisher.requests.clear()
        async with watching(target, watched) as reports:
            await until(lambda: reports, within(15))
    [report] = reports
    assert (report.complete, report.candidates) == (True, 1)
    [warning] = report.warnings
    assert "the clock went back" in warning
    assert publisher.count("/act/*") == 4  # as if nothing of it were known
    assert await items(target) == ["a1", "a2", "a3", "a4"]
    kept = await row(target)
    assert kept["looked_at"] < kept["next_look_at"] < clock.now() + timedelta(days=2)
    [again] = await poll(target, watched)
    assert again.warnings == ()


async def test_a_clock_that_goes_back_by_hours_changes_nothing(target: Target) -> None:
    publisher = Gazette(3)
    async with playing(publisher) as server:
        watched = options(source(server.url))
        await poll(target, watched)
        await move(target, timedelta(hours=5))
        publisher.requests.clear()
        [report] = await poll(target, watched)
    assert (report.warnings, publisher.count("/act/*")) == ((), 0)


async def test_a_look_during_which_the_clock_goes_back_is_on_record(
    target: Target, recorder: Recorder
) -> None:
    class GoingBack(Clock):
        """A clock whose instants are each earlier than the one before."""

        calls = 0

        def now(self) -> datetime:
            self.calls += 1
            return super().now() - self.calls * timedelta(minutes=10)

    async with playing(Gazette(3)) as server:
        with use_clock(GoingBack()):
            [report] = await poll(target, options(source(server.url)))
    assert report.complete
    assert report.started_at == report.ended_at
    assert isinstance((await facts(recorder))[-1], Looked)
