"""`worldChanged`: a new result when a relevant event is recorded, and never without the last one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from deploy.bootstrap import open_connection
from projections.query import change_feed
from projections.query.change_feed import affects
from projections.runner.tables import SQL
from schema.base.context import Context
from schema.execution.execute import stream
from schema.root.subscription import event_filter_for
from schema.services import Access, Services
from schema.types.change import EntityKind
from tests.support.cases import each_case
from tests.support.fact_builders import announced, claimed, clause, ordered, suspended
from tests.support.time_limits import within
from tracker import clock
from tracker.commands.commands import RecordFact
from tracker.domain.entities.fact import Fact
from tracker.postgres.database import PROJECTOR, Connection, Target

CONTROLS = """subscription ($commodities: [String!], $places: [String!], $validAt: Day) {
  worldChanged(commodities: $commodities, places: $places, validAt: $validAt) {
    position exportControls(first: 200) { totalCount nodes { clauses { status } } } } }"""


async def record(services: Services, *names: str) -> int:
    """Record a control of each name; the position of the last."""
    facts = [RecordFact(f"export-control/{name}", announced()) for name in names]
    return (await services.commands.record_all(facts)).positions[-1]


def asking(
    services: Services, query: str = CONTROLS, **variables: Any
) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the results of a live query."""
    return stream(Context(services, Access(), Access().anyone()), query, variables)


async def coming(answers: AsyncGenerator[dict[str, Any], None]) -> dict[str, Any]:
    """Return the next result."""
    async with asyncio.timeout(within(10)):
        answer = await anext(answers)
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]["worldChanged"]
    return found


async def test_a_live_query_answers_at_once_and_after_each_relevant_event(
    services: Services,
) -> None:
    await record(services, "a")
    await services.projector.reach(1)
    async with aclosing(asking(services, commodities=["gallium"], places=["CN"])) as answers:
        first = await coming(answers)
        assert (first["position"], first["exportControls"]["totalCount"]) == ("1", 1)
        await services.commands.record("export-control/a", suspended("1"))
        assert (await coming(answers))["position"] == "2"
        await record(services, "b")
        assert (await coming(answers))["exportControls"]["totalCount"] == 2


async def test_an_answer_is_of_its_day(services: Services) -> None:
    await record(services, "a")
    await services.commands.record("export-control/a", suspended("1"))
    await services.projector.reach(2)
    for day, expected in (("2025-11-09", "SUSPENDED"), ("2025-11-08", "IN_FORCE")):
        async with aclosing(asking(services, validAt=day)) as answers:
            [control] = (await coming(answers))["exportControls"]["nodes"]
            assert control["clauses"] == [{"status": expected}]


FIGURES, CONTROL, CHINA = [EntityKind.FIGURE], [EntityKind.EXPORT_CONTROL], ["CN"]
DYSPROSIUM = announced(clause(commodities=["dysprosium"]))


@pytest.mark.parametrize(
    ("kinds", "commodities", "places", "fact", "touched"),
    [
        (None, None, None, announced(), True),
        (CONTROL, ["gallium"], CHINA, announced(), True),
        (FIGURES, None, None, announced(), False),
        (None, ["lithium"], None, announced(), False),
        (None, None, ["US"], announced(), False),
        (None, ["rare_earths"], None, DYSPROSIUM, True),
        (None, ["dysprosium"], None, announced(clause(commodities=["rare_earths"])), True),
        (None, ["neodymium"], None, DYSPROSIUM, False),
        (FIGURES, ["rare_earths"], CHINA, claimed(1), True),
        (FIGURES, ["rare_earths"], ["US"], claimed(1), False),
        (FIGURES, ["rare_earths"], CHINA, ordered("usgs"), True),
        (CONTROL, None, None, ordered("usgs"), False),
    ],
)
async def test_events_touch_what_they_may_change(
    services: Services,
    kinds: list[EntityKind] | None,
    commodities: list[str] | None,
    places: list[str] | None,
    fact: Fact,
    touched: bool,
) -> None:
    stream = getattr(fact, "stream", None) or (
        fact.series.stream if hasattr(fact, "series") else "export-control/x"
    )
    await services.commands.record(stream, fact)
    selection = event_filter_for(kinds, commodities, places)
    events = await services.recorder.read(types=selection.types)
    assert await affects(services.recorder, events, selection) is touched


async def test_an_event_touches_what_its_entity_is_about_and_a_retraction_what_it_takes_back(
    services: Services,
) -> None:
    await record(services, "a")
    await services.commands.record("export-control/a", suspended("1"))
    [event] = await services.recorder.read(1)
    await services.commands.retract(event.event_id, "misread", announced().source)
    for after in (1, 2):
        [*events] = await services.recorder.read(after)
        for commodity, touched in (("gallium", True), ("lithium", False)):
            selection = event_filter_for(None, [commodity], None)
            assert await affects(services.recorder, events, selection) is touched


async def test_a_slow_subscriber_gets_the_last_state_only(services: Services) -> None:
    async with aclosing(asking(services)) as answers:
        assert (await coming(answers))["position"] == "0"
        for n in range(20):
            last = await record(services, f"n{n}")
        await services.projector.reach(last)
        assert (await coming(answers))["exportControls"]["totalCount"] == 20
        await record(services, "last")
        assert (await coming(answers))["exportControls"]["totalCount"] == 21


async def test_the_last_state_is_never_missed_while_events_come(services: Services) -> None:
    async def write() -> None:
        for n in range(40):
            await record(services, *(f"n{n}-{m}" for m in range(5)))

    async with aclosing(asking(services)) as answers:
        writing, seen = asyncio.create_task(write()), [await coming(answers)]
        while seen[-1]["exportControls"]["totalCount"] < 200:
            seen.append(await coming(answers))
        await writing
    positions = [int(answer["position"]) for answer in seen]
    assert positions == sorted(set(positions))
    assert [answer["exportControls"]["totalCount"] for answer in seen] == positions


async def test_an_event_is_told_when_the_projection_has_it_or_else_an_error(
    services: Services, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        aclosing(asking(services)) as answers,
        open_connection(target, role=PROJECTOR) as holder,
    ):
        await coming(answers)
        async with holder.transaction():
            await take_turn(holder)
            coming_next = asyncio.ensure_future(coming(answers))
            await record(services, "a")
            assert await services.projector.position() == 0
        assert (await coming_next)["position"] == "1"
        monkeypatch.setattr(change_feed, "PROJECTION_TIMEOUT_SECONDS", 0.1)
        async with holder.transaction():
            await take_turn(holder)
            await record(services, "b")
            [error] = (await anext(answers))["errors"]
            assert error["extensions"]["code"] == "UNAVAILABLE"


async def take_turn(holder: Connection) -> None:
    """Take the projection lock: no other process projects until the transaction ends."""
    async with asyncio.timeout(within(10)):
        while not await holder.fetchval(SQL.take_turn, "versions", "60s"):
            await asyncio.sleep(0.01)


class OneSecondBeforeMidnight(clock.Clock):
    """A clock that is one second before midnight when it is made."""

    def __init__(self) -> None:
        instant = super().now()
        midnight = datetime.combine(instant.date() + timedelta(days=1), time(), UTC)
        self._ahead = midnight - timedelta(seconds=1) - instant

    def now(self) -> datetime:
        return super().now() + self._ahead


async def test_a_query_about_today_is_answered_again_after_midnight(services: Services) -> None:
    query = "subscription { worldChanged { validAt } }"
    with clock.use_clock(OneSecondBeforeMidnight()):
        first_day = clock.today()
        async with aclosing(asking(services, query)) as answers:
            days = [(await coming(answers))["validAt"] for _ in range(2)]
    assert days == [str(first_day), str(first_day + timedelta(days=1))]


def test_the_day_after_a_day_begins_at_midnight_utc() -> None:
    today = clock.today()
    assert 0 < clock.seconds_until_day_after(today) <= 86_400
    assert 86_400 < clock.seconds_until_day_after(today + timedelta(days=1)) <= 2 * 86_400
    assert clock.seconds_until_day_after(today - timedelta(days=1)) == 0


@each_case(
    ("variables", "code", "path"),
    [
        ({"commodities": ["gallium", "cheese"]}, "UNKNOWN_COMMODITY", ["commodities", 1]),
        ({"places": ["XX"]}, "UNKNOWN_PLACE", ["places", 0]),
        ({"validAt": "soon"}, "INVALID_DATE", ["validAt"]),
    ],
)
async def test_invalid_subscriptions_are_refused(
    services: Services, variables: dict[str, Any], code: str, path: list[str | int]
) -> None:
    [answer] = [answer async for answer in asking(services, **variables)]
    [error] = answer["errors"]
    assert error["extensions"] == {"code": code, "path": path}


async def test_nothing_follows_the_log_while_an_answer_waits_to_be_taken(
    services: Services,
) -> None:
    answers = asking(services)
    await coming(answers)
    assert services.follower.followers == 0
    next_ = asyncio.ensure_future(coming(answers))
    async with asyncio.timeout(within(5)):
        while not services.follower.followers:
            await asyncio.sleep(0.01)
    await record(services, "a")
    await next_
    assert services.follower.followers == 0
    await answers.aclose()
