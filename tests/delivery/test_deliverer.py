"""Delivery of events in order and completely; operators' decisions take effect at once."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import asyncpg
import pytest
from aiohttp import web

from deploy.bootstrap import open_connection, running_tracker
from tests.support.deliveries import ADMIN, PATIENT, QUICK, DeliveryFixture, delivering
from tests.support.event_receiver import Delivered, accept
from tests.support.fact_builders import announced, clause, suspended
from tests.support.time_limits import within
from tests.support.writers import new
from tracker.delivery.deliverer import SQL
from tracker.delivery.endpoint import EndpointFilter, EndpointState
from tracker.errors import Unavailable
from tracker.log.durability import Durability
from tracker.log.entries import RecordedEvent
from tracker.log.recorder import Recorder
from tracker.postgres.database import DELIVERER, Target

SECONDS = 30


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a write of the deliverer."""
    async with asyncio.timeout(SECONDS):
        while not await true():
            await asyncio.sleep(0.02)


async def failing(deliveries: DeliveryFixture, name: str = "a") -> None:
    """Wait until an endpoint is known to fail."""

    async def fails() -> bool:
        return (await deliveries.get(name)).failures > 0

    await until(fails)


async def written(deliveries: DeliveryFixture, position: int, name: str = "a") -> None:
    """Wait until a cursor is written."""

    async def reached() -> bool:
        return (await deliveries.get(name)).position >= position

    await until(reached)


async def nothing_parked(deliveries: DeliveryFixture, name: str = "a") -> bool:
    """Whether no event is set aside."""
    return not await deliveries.endpoints.parked(name, ADMIN)


async def known(deliveries: DeliveryFixture, name: str) -> None:
    """Wait until the deliverer knows all that was done, by another endpoint for which there is an
    event already."""
    await deliveries.add(name, after=0)
    await deliveries.receiver.wait_until(name, 1)


def refusing(*positions: int, status: int = 500) -> Callable[[Delivered], Awaitable[int]]:
    """Return a receiver that refuses events at some positions."""

    async def behave(one: Delivered) -> int:
        return status if set(positions) & set(one.positions) else 204

    return behave


async def test_every_event_comes_in_order_and_tells_which_one_was_before(target: Target) -> None:
    async with delivering(target) as deliveries:
        await deliveries.append(30, "past")
        await deliveries.add(after=0)
        await deliveries.receiver.wait_until("a", 30)
        await deliveries.append(30, "new")
        await deliveries.receiver.wait_until("a", 60)
        assert deliveries.receiver.links("a") == [(n - 1, n) for n in range(1, 61)]
        assert all(one.id == one.events[0]["id"] for one in deliveries.receiver.got)
        await written(deliveries, 60)
        attempts = await deliveries.endpoints.attempts("a", ADMIN, 100)
        assert [each.first_position for each in attempts] == list(range(60, 0, -1))
        assert all(each.status == 204 and each.error is None for each in attempts)


async def test_a_failure_while_the_deliverer_reads_what_people_changed_is_not_forgotten(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = asyncpg.Pool.fetch
    read, failed = asyncio.Event(), asyncio.Event()

    async def fetch_slowly(pool: asyncpg.Pool, query: str, *arguments: object) -> object:
        rows = await fetch(pool, query, *arguments)
        if query == SQL.endpoints and deliveries.receiver.got and not failed.is_set():
            read.set()
            await asyncio.wait_for(failed.wait(), SECONDS)
        return rows

    async def refuse_a(one: Delivered) -> int:
        if one.name != "a":
            return 204
        async with open_connection(target) as admin:  # an irrelevant change
            await admin.execute("SELECT pg_notify('delivery', id::text) FROM delivery.endpoints")
        await asyncio.wait_for(read.wait(), SECONDS)
        return 500

    async with delivering(target, PATIENT) as deliveries:
        monkeypatch.setattr(asyncpg.Pool, "fetch", fetch_slowly)
        deliveries.deliverer.observe = lambda *_: failed.set()
        deliveries.receiver.behave = refuse_a
        await deliveries.append(1)
        await deliveries.add(after=0)
        await asyncio.wait_for(failed.wait(), SECONDS)
        await known(deliveries, "b")
        assert [one.name for one in deliveries.receiver.got] == ["a", "b"]
        assert (await deliveries.get()).failures == 1


async def test_a_whole_tracker_delivers_where_it_is_to(target: Target) -> None:
    async with delivering(target, PATIENT) as deliveries:
        await deliveries.add()
        await deliveries.endpoints.pause("a", ADMIN, "for the other one")
    async with running_tracker(target) as services:
        assert services.deliverer is None
        await services.commands.record("export-control/a", announced())
    async with running_tracker(target, delivery=QUICK) as services:
        await services.endpoints.resume("a", ADMIN)
        await until(lambda: has_failed(services.endpoints.get("a", ADMIN)))


async def has_failed(getting: Awaitable[object]) -> bool:
    """Whether a request was made to a closed port."""
    return (await getting).failures > 0  # type: ignore[attr-defined]


async def test_a_batch_has_as_many_events_as_were_asked_for_and_no_event_waits_for_others(
    target: Target,
) -> None:
    async with delivering(target) as deliveries:
        await deliveries.append(25, "past")
        await deliveries.add(after=0, max_batch_events=10)
        await deliveries.receiver.wait_until("a", 25)
        assert [len(one.events) for one in deliveries.receiver.accepted["a"]] == [10, 10, 5]
        await deliveries.append(1, "new")
        await deliveries.receiver.wait_until("a", 26)
        assert deliveries.receiver.links("a") == [(n - 1, n) for n in range(1, 27)]


async def test_only_what_an_endpoint_is_for_comes_with_the_positions_before_of_its_filter(
    target: Target,
) -> None:
    filters = {
        "entity": EndpointFilter(entity="export-control/e-1"),
        "types": EndpointFilter(types=("ExportControl.Suspended",)),
        "goods": EndpointFilter(commodities=("graphite",)),
    }
    async with delivering(target) as deliveries:
        await deliveries.append(2)
        graphite = announced(clause(commodities=["graphite"]))
        await deliveries.commands.record("export-control/g", graphite)  # 3
        for name, filter in filters.items():
            await deliveries.add(name, after=0, filter=filter)
        await deliveries.commands.record("export-control/e-1", suspended("1"))  # 4
        await deliveries.commands.record("export-control/g", suspended("1"))  # 5
        await deliveries.append(3, "o")  # 6 to 8
        await deliveries.commands.record("export-control/o-0", suspended("1"))  # 9
        expected = {
            "entity": [(0, 2), (2, 4)],
            "types": [(0, 4), (4, 5), (5, 9)],
            "goods": [(0, 3), (3, 5)],
        }
        for name, links in expected.items():
            await deliveries.receiver.wait_until(name, links[-1][1])
            assert deliveries.receiver.links(name) == links
        await written(deliveries, 9, "entity")  # it also moves past unselected events


@pytest.mark.parametrize("batch", [1, 7])
async def test_whatever_a_receiver_does_it_gets_every_event_in_order_and_again_under_the_same_id(
    target: Target, batch: int
) -> None:
    draw, flying = random.Random(batch), Counter[str]()

    async def moody(one: Delivered) -> int | web.Response:
        flying[one.name] += 1
        assert flying[one.name] == 1, "two requests at a time"
        try:
            mood = draw.random()
            if mood < 0.1:
                return 500
            if mood < 0.15:
                return web.Response(status=503, headers={"Retry-After": "0"})
            if mood < 0.2:
                return web.Response(status=302, headers={"Location": "/elsewhere"})
            if mood < 0.25:
                raise ConnectionResetError  # the connection ends without a response
            if mood < 0.3:
                deliveries.receiver.accepted[one.name].append(
                    one
                )  # delivered, but not acknowledged
                return 500
            await asyncio.sleep(draw.random() / 500)
            return 204
        finally:
            flying[one.name] -= 1

    async with delivering(target) as deliveries:
        deliveries.receiver.behave = moody
        for number in range(3):
            await deliveries.add(f"{number}", after=0, max_batch_events=batch)
        await deliveries.append(60)
        for number in range(3):
            await deliveries.receiver.wait_until(f"{number}", 60)
            check_sequence(deliveries.receiver.accepted[f"{number}"], 60)
            await written(deliveries, 60, f"{number}")


def check_sequence(accepted: list[Delivered], last: int) -> None:
    """Check that all arrived in order, and that repeated events have the same predecessor."""
    seen, ids = 0, dict[tuple[int, ...], str]()
    for one in accepted:
        assert ids.setdefault(tuple(one.positions), one.id) == one.id
        for before, position in one.links:
            assert before == position - 1
            assert position <= seen + 1, "one was left out"
            seen = max(seen, position)
    assert seen == last


async def test_an_event_that_can_not_be_taken_is_found_in_its_batch(target: Target) -> None:
    async with delivering(target) as deliveries:
        deliveries.receiver.behave = refusing(6)
        await deliveries.append(12)
        await deliveries.add(after=0, max_batch_events=8)
        await deliveries.receiver.wait_for(
            lambda: [6] in [one.positions for one in deliveries.receiver.got]
        )
        assert deliveries.receiver.positions("a") == [1, 2, 3, 4, 5]
        await deliveries.endpoints.park("a", ADMIN, 6, "it breaks us")
        await deliveries.receiver.wait_until("a", 12)
        assert deliveries.receiver.positions("a") == [1, 2, 3, 4, 5, *range(7, 13)]
        assert (6, 7) in deliveries.receiver.links("a")


async def test_a_receiver_that_is_gone_for_good_is_disabled_and_that_is_on_record(
    target: Target,
) -> None:
    async with delivering(target) as deliveries:
        deliveries.receiver.behave = refusing(3, status=410)
        await deliveries.append(5)
        await deliveries.add(after=0)

        async def is_disabled() -> bool:
            return (await deliveries.get()).state is EndpointState.DISABLED

        await until(is_disabled)
        assert (await deliveries.get()).position == 2
        change, *_ = await deliveries.endpoints.changes("a", ADMIN, 5)
        assert (change.actor, change.action) == ("tracker", "disabled")
        assert (await deliveries.get()).next_attempt_at is None
        deliveries.receiver.behave = accept
        await deliveries.endpoints.resume("a", ADMIN, "it is back")
        await deliveries.receiver.wait_until("a", 5)
        assert deliveries.receiver.positions("a") == [1, 2, 3, 4, 5]


async def test_a_paused_endpoint_keeps_its_place_and_a_request_under_way_counts(
    target: Target,
) -> None:
    answer = asyncio.Event()

    async def slow(one: Delivered) -> int:
        if one.positions == [2]:
            await answer.wait()
        return 204

    async with delivering(target) as deliveries:
        deliveries.receiver.behave = slow
        await deliveries.add(after=0)
        await deliveries.append(4)
        await deliveries.receiver.wait_for(
            lambda: [2] in [one.positions for one in deliveries.receiver.got]
        )
        await deliveries.endpoints.pause("a", ADMIN, "maintenance")
        await known(deliveries, "b")
        answer.set()
        await written(deliveries, 2)
        await deliveries.receiver.wait_until("b", 4)
        assert deliveries.receiver.positions("a") == [1, 2]
        await deliveries.endpoints.resume("a", ADMIN)
        await deliveries.receiver.wait_until("a", 4)
        assert deliveries.receiver.positions("a") == [1, 2, 3, 4]


async def test_a_replay_goes_before_new_events_and_leaves_the_cursor_where_it_is(
    target: Target,
) -> None:
    async with delivering(target) as deliveries:
        await deliveries.append(6)
        await deliveries.add(after=0)
        await deliveries.receiver.wait_until("a", 6)
        await written(deliveries, 6)
        await deliveries.endpoints.replay("a", ADMIN, 2, 4, "we lost them")
        await deliveries.receiver.wait_for(lambda: len(deliveries.receiver.positions("a")) == 9)
        await deliveries.append(1, "new")
        await deliveries.receiver.wait_until("a", 7)
        assert deliveries.receiver.links("a")[6:] == [(1, 2), (2, 3), (3, 4), (6, 7)]

        async def is_done() -> bool:
            return (await deliveries.get()).replay is None

        await until(is_done)


async def test_parked_events_are_skipped_until_a_person_retries_them(target: Target) -> None:
    async with delivering(target, PATIENT) as deliveries:
        deliveries.receiver.behave = refusing(2)
        await deliveries.append(3)
        await deliveries.add(after=0)
        await failing(deliveries)
        await deliveries.endpoints.park("a", ADMIN, 2, "it breaks us")
        await deliveries.receiver.wait_until("a", 3)
        assert deliveries.receiver.links("a") == [(0, 1), (2, 3)]
        await written(deliveries, 3)
        [parked] = await deliveries.endpoints.parked("a", ADMIN)
        assert parked.previous_position == 1
        await deliveries.endpoints.retry("a", ADMIN, 2, "mended")

        async def has_failed_again() -> bool:
            [parked] = await deliveries.endpoints.parked("a", ADMIN)
            return parked.last_error == "answered 500" and parked.retry_at is None

        await until(has_failed_again)
        assert (await deliveries.get()).failures == 0
        deliveries.receiver.behave = accept
        await deliveries.endpoints.retry("a", ADMIN, 2, "mended indeed")
        await deliveries.receiver.wait_until("a", 2)
        assert deliveries.receiver.links("a") == [(0, 1), (2, 3), (1, 2)]

        await until(lambda: nothing_parked(deliveries))


async def test_a_parked_event_that_is_to_be_tried_before_its_turn_comes_in_its_turn(
    target: Target,
) -> None:
    async with delivering(target, PATIENT) as deliveries:
        deliveries.receiver.behave = refusing(1)
        await deliveries.append(4)
        await deliveries.add(after=0)
        await failing(deliveries)
        await deliveries.endpoints.park("a", ADMIN, 3, "not yet")
        await deliveries.endpoints.retry("a", ADMIN, 3, "or rather yes")
        deliveries.receiver.behave = accept
        await deliveries.endpoints.retry("a", ADMIN)
        await deliveries.receiver.wait_until("a", 4)
        assert deliveries.receiver.positions("a") == [1, 2, 3, 4]
        await until(lambda: nothing_parked(deliveries))


async def test_a_parked_event_that_is_wanted_while_a_batch_passes_it_is_not_lost(
    target: Target,
) -> None:
    answer = asyncio.Event()

    async def slow(one: Delivered) -> int:
        if one.positions == [2, 4]:
            await answer.wait()
        return 204

    async with delivering(target, PATIENT) as deliveries:
        deliveries.receiver.behave = slow
        await deliveries.append(1, "first")
        await deliveries.add(after=1, max_batch_events=3)
        await deliveries.endpoints.pause("a", ADMIN)
        await known(deliveries, "before")
        await deliveries.append(4)
        await deliveries.receiver.wait_until(
            "before", 5
        )  # so that the batch has all current events
        await deliveries.endpoints.park("a", ADMIN, 3, "not this one")
        await deliveries.endpoints.resume("a", ADMIN)
        await deliveries.receiver.wait_for(
            lambda: [2, 4] in [one.positions for one in deliveries.receiver.got]
        )
        await deliveries.endpoints.retry("a", ADMIN, 3, "this one too")
        await known(deliveries, "after")
        answer.set()
        await deliveries.receiver.wait_until("a", 5)
        await deliveries.receiver.wait_until("a", 3)
        assert sorted(deliveries.receiver.links("a")) == [(1, 2), (2, 3), (3, 4), (4, 5)]
        await until(lambda: nothing_parked(deliveries))


async def test_a_person_has_a_failed_delivery_tried_at_once(target: Target) -> None:
    async with delivering(target, PATIENT) as deliveries:
        deliveries.receiver.behave = refusing(1)
        await deliveries.append(1)
        await deliveries.add(after=0)
        await failing(deliveries)
        endpoint = await deliveries.get()
        assert endpoint.next_attempt_at is not None
        assert endpoint.failing_since is not None
        assert endpoint.next_attempt_at - endpoint.failing_since == timedelta(hours=1)
        assert (endpoint.last_error, endpoint.last_status) == ("answered 500", 500)
        deliveries.receiver.behave = accept
        await deliveries.endpoints.retry("a", ADMIN)
        await deliveries.receiver.wait_until("a", 1, seconds=within(2))
        await written(deliveries, 1)
        assert (await deliveries.get()).failing_since is None


async def test_new_keys_sign_from_the_next_delivery_on_beside_the_old_ones(target: Target) -> None:
    async with delivering(target) as deliveries:
        await deliveries.add()
        await deliveries.append(1)
        await deliveries.receiver.wait_until("a", 1)
        await deliveries.endpoints.rotate("a", ADMIN, 24, "as every year")
        await known(deliveries, "b")
        await deliveries.append(1, "next")
        await deliveries.receiver.wait_until("a", 2)
        counts = [one.signatures for one in deliveries.receiver.accepted["a"]]
        assert counts == [["v1a"], ["v1a", "v1a"]]


async def test_a_receiver_is_asked_before_its_first_delivery_and_its_limit_is_kept(
    target: Target,
) -> None:
    def agree() -> web.Response:
        rate = {"WebHook-Allowed-Rate": "600"} if len(deliveries.receiver.asked) > 1 else {}
        allowed = "tracker.example" if len(deliveries.receiver.asked) > 1 else "another.example"
        return web.Response(headers={"WebHook-Allowed-Origin": allowed, **rate})

    async with delivering(target, PATIENT) as deliveries:
        deliveries.receiver.agree = agree
        await deliveries.append(3)
        await deliveries.add(after=0)
        await failing(deliveries)
        assert "does not allow" in ((await deliveries.get()).last_error or "")
        assert not deliveries.receiver.got
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await deliveries.endpoints.retry("a", ADMIN, reason="now it does")
        await deliveries.receiver.wait_until("a", 3)
        assert loop.time() - begun >= 0.2, "600 a minute are one in 0.1 seconds"
        assert [each["webhook-request-origin"] for each in deliveries.receiver.asked] == [
            "tracker.example"
        ] * 2


async def test_a_removed_endpoint_is_sent_nothing_more(target: Target) -> None:
    async with delivering(target) as deliveries:
        await deliveries.add("a")
        await deliveries.add("b")
        await deliveries.append(1)
        await deliveries.receiver.wait_until("a", 1)
        await deliveries.endpoints.remove("a", ADMIN, "not needed")
        await known(deliveries, "c")
        await deliveries.append(1, "later")
        await deliveries.receiver.wait_until("c", 2)
        await deliveries.receiver.wait_until("b", 2)
        assert deliveries.receiver.positions("a") == [1]


async def test_hanging_endpoints_delay_no_others(target: Target) -> None:
    async def hanging(one: Delivered) -> int:
        if one.name.startswith("hang"):
            await asyncio.Event().wait()
        return 204

    async with delivering(target) as deliveries:
        deliveries.receiver.behave = hanging
        for number in range(20):
            await deliveries.add(f"hang-{number}", after=0)
        await deliveries.add("a", after=0)
        for number in range(10):
            await deliveries.recorder.append([new(f"e{number}")])
            await deliveries.receiver.wait_until("a", number + 1, seconds=within(2))
        await deliveries.receiver.wait_for(
            lambda: len({one.name for one in deliveries.receiver.got}) == 21
        )
        assert Counter(one.name for one in deliveries.receiver.got)["hang-3"] == 1


async def test_the_loss_of_every_connection_to_the_database_loses_no_event(target: Target) -> None:
    async with (
        delivering(target) as deliveries,
        open_connection({**target, "database": "tracker"}) as db,
    ):
        await deliveries.add(after=0, max_batch_events=3)
        for number in range(40):
            while True:
                with suppress(Unavailable):
                    await deliveries.recorder.append([new(f"e{number}")])
                    break
            if number % 10 == 5:
                await db.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
                    target["database"],
                )
        await deliveries.receiver.wait_until("a", 40)
        check_sequence(deliveries.receiver.accepted["a"], 40)
        await written(deliveries, 40)


async def test_an_endpoint_that_is_beyond_the_log_fails_and_does_not_wait_to_leave_something_out(
    target: Target,
) -> None:
    async with delivering(target, PATIENT) as deliveries:
        await deliveries.append(7)
        await deliveries.add()
        await written(deliveries, 7)
    async with open_connection(target, role=DELIVERER) as connection:
        await connection.execute(
            "UPDATE delivery.endpoints SET position = 9, previous_position = 9, handshake_at = now()"
        )
    async with delivering(target, PATIENT) as deliveries:
        await failing(deliveries)
        assert "the log was set back" in ((await deliveries.get()).last_error or "")


async def test_old_attempts_make_room(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.delivery.progress.MAX_ATTEMPTS", 5)
    monkeypatch.setattr("tracker.delivery.deliverer.PRUNING_INTERVAL_SECONDS", 0)
    monkeypatch.setattr("tracker.delivery.deliverer.IDLE_INTERVAL_SECONDS", 0.05)
    async with delivering(target) as deliveries:
        await deliveries.add(after=0)
        await deliveries.append(20)
        await deliveries.receiver.wait_until("a", 20)

        async def is_pruned() -> bool:
            kept = await deliveries.endpoints.attempts("a", ADMIN, 100)
            return [each.first_position for each in kept] == [20, 19, 18, 17, 16]

        await until(is_pruned)


async def test_an_endpoint_that_this_version_can_not_read_holds_up_no_other_one(
    target: Target,
) -> None:
    async with delivering(target) as deliveries:
        await deliveries.append(1, "first")
        await deliveries.add("newer", after=1)
        async with open_connection(target) as admin:
            await admin.execute("UPDATE delivery.endpoints SET commodities = '{unobtainium}'")
            await admin.execute("NOTIFY delivery")
        await known(deliveries, "a")
        await deliveries.append(1)
        await deliveries.receiver.wait_until("a", 2)
        assert not deliveries.receiver.positions("newer")


async def test_responses_of_a_receiver_are_stored_up_to_a_limit(target: Target) -> None:
    async with delivering(target, PATIENT) as deliveries:

        async def odd(_: Delivered) -> web.Response:
            return web.Response(status=500, body=b"\0\xff\xfe" + b"wrong" * 5000)

        deliveries.receiver.behave = odd
        await deliveries.append(1)
        await deliveries.add(after=0)
        await failing(deliveries)
        [attempt] = await deliveries.endpoints.attempts("a", ADMIN, 5)
        assert "wrong" in (attempt.response or "")
        assert len(attempt.response or "") <= 1000


async def test_nothing_is_delivered_that_a_failover_may_take_back_and_nothing_is_left_out(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable, head = 3, Recorder.head

    async def released(_: Durability, events: list[RecordedEvent]) -> list[RecordedEvent]:
        return [event for event in events if event.position <= durable]

    async def released_head(recorder: Recorder) -> int:
        return min(await head(recorder), durable)

    monkeypatch.setattr(Durability, "release_events", released)
    monkeypatch.setattr(Recorder, "head", released_head)
    stream = "export-control/e"
    filters = {
        "all": EndpointFilter(),
        "types": EndpointFilter(types=("ExportControl.Announced", "ExportControl.Suspended")),
        "entity": EndpointFilter(entity=stream),
        "goods": EndpointFilter(commodities=("gallium",)),
    }
    async with delivering(target) as deliveries:
        await deliveries.recorder.append([new("e")])
        for name, filter in filters.items():
            await deliveries.add(name, after=0, filter=filter)
            await deliveries.receiver.wait_until(name, 1)
        for day in "1234":
            await deliveries.commands.record(stream, suspended("1", on=f"2025-01-0{day}"))
        for late, filter in list(filters.items()):
            await deliveries.receiver.wait_until(late, 3)
            filters[f"{late}-later"] = filter
            await deliveries.add(f"{late}-later", after=0, filter=filter)
            await deliveries.receiver.wait_until(f"{late}-later", 3)
        assert max(one.positions[-1] for one in deliveries.receiver.got) == 3
        durable = 5
        for name in filters:
            await deliveries.receiver.wait_until(name, 5)
            assert deliveries.receiver.links(name) == [(n - 1, n) for n in range(1, 6)]
