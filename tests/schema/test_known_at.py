"""Transaction time: the result of `knownAt` at, before and after the time of an event."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api, control, source, suspension
from tests.support.fact_builders import announced
from tests.support.log_events import append_all
from tracker import clock
from tracker.commands.commands import PlannedEvent
from tracker.commands.decisions import decide, rehydrate
from tracker.log.append import AppendResult, append
from tracker.log.entries import NewEvent
from tracker.log.recorder import PAGE_EVENTS, SQL, Recorder, read
from tracker.postgres.database import Target, connect

TICK = timedelta(microseconds=1)
"""The resolution of recording times."""


def event(number: int) -> NewEvent:
    """Return the first event of a separate entity."""
    stream = f"export-control/x{number}"
    return decide(rehydrate(stream, []), PlannedEvent(stream, announced(), f"e{number}"), ())


async def positions(recorder: Recorder, *moments: datetime) -> list[int]:
    """Return the positions recorded by some times."""
    return [await recorder.position_at(moment) for moment in moments]


async def stamps(recorder: Recorder) -> list[datetime]:
    """Return the recording times of events, in log order."""
    return [e.recorded_at async for e in recorder.read_all(await recorder.head())]


async def append_with_a_clock_off_by(minutes: int, target: Target, event: NewEvent) -> datetime:
    """Append an event as a server does whose clock is fast (or slow), and say when it was."""
    connection = await connect(target)
    await connection.execute(f"""
        CREATE SCHEMA clock{minutes};
        GRANT USAGE ON SCHEMA clock{minutes} TO tracker_owner;
        CREATE FUNCTION clock{minutes}.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
            $$ SELECT pg_catalog.clock_timestamp() + make_interval(mins => {minutes}) $$;
        ALTER FUNCTION log.append SET search_path = clock{minutes}, pg_catalog""")
    [outcome] = await append(connection, [[event]])
    await connection.execute("ALTER FUNCTION log.append SET search_path = pg_catalog")
    assert isinstance(outcome, AppendResult)
    [recorded] = await read(connection, outcome.positions[0] - 1, limit=1)
    await connection.close()
    return recorded.recorded_at


async def test_an_event_is_known_from_its_very_moment_on(services: Services) -> None:
    api = Api(services)

    async def known(moment: Any) -> tuple[str, Any]:
        data = await api.ask(
            "query ($at: DateTime) { asOf(knownAt: $at) { position knownAt } }",
            at=moment.isoformat(),
        )
        return data["asOf"]["position"], data["asOf"]["knownAt"]

    await api.do("announceExportControl", control())
    await api.do("suspendExportControl", suspension())
    first, second = await stamps(services.recorder)
    assert await known(first - TICK) == ("0", None)
    shown = [stamp.isoformat().replace("+00:00", "Z") for stamp in (first, second)]
    assert await known(first) == await known(second - TICK) == ("1", shown[0])
    assert await known(second) == await known(clock.now()) == ("2", shown[1])


async def test_a_moment_in_another_zone_is_the_same_moment(services: Services) -> None:
    api = Api(services)
    await api.do("announceExportControl", control())
    [stamp] = await stamps(services.recorder)
    for hours in (-11, 0, 14):
        there = (stamp + timedelta(hours=hours)).replace(tzinfo=None).isoformat()
        offset = f"{'-' if hours < 0 else '+'}{abs(hours):02}:00"
        data = await api.ask(
            "query ($at: DateTime) { asOf(knownAt: $at) { position } }", at=there + offset
        )
        assert data["asOf"]["position"] == "1"


async def test_commands_that_went_in_one_transaction_are_known_all_or_none(
    recorder: Recorder,
) -> None:
    await asyncio.gather(*(recorder.append([event(n)]) for n in range(20)))
    told = await stamps(recorder)
    assert len(set(told)) < 20
    for stamp in set(told):
        before, at = await positions(recorder, stamp - TICK, stamp)
        assert told[before:at] == [stamp] * told.count(stamp)


async def test_a_correction_is_never_known_by_half(services: Services) -> None:
    api = Api(services)
    await api.do("announceExportControl", control(), key="wrong")
    await api.do(
        "correctEvent",
        {
            "eventId": "wrong",
            "reason": "misread",
            "source": source(),
            "replacement": {"announceExportControl": control(title="Right")},
        },
    )
    _, retraction, replacement = await stamps(services.recorder)
    assert retraction == replacement
    assert await positions(services.recorder, retraction - TICK, retraction) == [1, 3]


async def test_an_import_of_many_pages_is_known_at_once(recorder: Recorder) -> None:
    await recorder.append([event(0)])
    await append_all(recorder, [event(n) for n in range(1, PAGE_EVENTS + 10)])
    first, *imported = await stamps(recorder)
    assert {*imported} == {imported[0]}
    assert first < imported[0]
    assert await positions(recorder, imported[0] - TICK, imported[0]) == [1, PAGE_EVENTS + 10]


async def test_an_old_moment_is_found_without_reading_what_came_after(
    recorder: Recorder, target: Target
) -> None:
    for page in range(5):
        await append_all(recorder, [event(n) for n in range(page * 500, page * 500 + 500)])
    first, *_ = await stamps(recorder)
    connection = await connect(target)
    await connection.execute("ANALYZE log.events")
    plan = await connection.fetch("EXPLAIN (ANALYZE, BUFFERS) " + SQL.position_at, first)
    await connection.close()
    told = "\n".join(row[0] for row in plan)
    assert "Index Only Scan Backward using events_recorded_at" in told
    assert "Rows Removed" not in told
    assert await positions(recorder, first) == [500]


async def test_an_answer_at_the_moment_of_an_event_stays_though_the_clock_goes_back(
    recorder: Recorder, target: Target
) -> None:
    await recorder.append([event(0)])
    ahead = await append_with_a_clock_off_by(60, target, event(1))
    assert ahead > clock.now() + timedelta(minutes=59)
    assert await positions(recorder, ahead - TICK, ahead) == [1, 2]
    for number in range(2, 5):
        await recorder.append([event(number)])
    told = await stamps(recorder)
    assert told[1:] == [ahead + n * TICK for n in range(4)]
    assert await positions(recorder, clock.now(), ahead - TICK, *told[1:]) == [1, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999",
        "9999-12-31T23:59:59-12:00",
    ],
)
async def test_moments_at_the_ends_of_the_calendar_have_an_answer(
    services: Services, moment: str
) -> None:
    await services.commands.record("export-control/x", announced())
    await services.projector.reach(1)
    answer = await Api(services).post(
        "query ($at: DateTime) { asOf(knownAt: $at) { position } }", at=moment
    )
    if "errors" in answer:
        assert answer["errors"][0]["extensions"] == {"code": "INVALID_DATE", "path": ["knownAt"]}
    else:
        assert answer["data"]["asOf"]["position"] == ("1" if moment > "2" else "0")
