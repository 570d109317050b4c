"""A relay to a real NATS server: complete and in order, after any failure."""

import asyncio
import json
import signal
from contextlib import AsyncExitStack
from itertools import pairwise

import pytest

from deploy.bootstrap import running_tracker
from tests.support.api import Api
from tests.support.fact_builders import announced, clause
from tests.support.nats_server import NatsServer
from tests.support.relays import append, headers, kept, reached, record, running, until, until_kept
from tracker.delivery.endpoint import EndpointFilter
from tracker.delivery.relay import relay as loop
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the wait for a returning broker."""
    monkeypatch.setattr(loop, "MAX_PAUSE_SECONDS", 0.2)


async def test_a_message_is_the_entry_byte_for_byte_with_its_place_in_the_headers(
    target: Target, recorder: Recorder, broker: NatsServer
) -> None:
    await append(recorder, "a", 3)
    async with running(target, broker.url):
        await reached(broker, 3)
    first, _, last = await broker.messages()
    [entry] = [event.entry for event in await recorder.read(2)]
    assert last.data == entry
    assert last.subject == "minerals.ExportControl.Announced"
    assert last.headers["Content-Type"] == "application/cloudevents+json"
    assert last.headers["Nats-Msg-Id"] == json.loads(entry)["id"]
    assert (last.headers["Tracker-Position"], last.headers["Tracker-Previous-Position"]) == (
        "3",
        "2",
    )
    assert first.headers["Tracker-Previous-Position"] == "0"
    assert last.headers["Tracker-Relay"] == "r"


async def test_events_are_published_during_and_after_a_pause_of_the_relay(
    target: Target, recorder: Recorder, broker: NatsServer
) -> None:
    async with running(target, broker.url):
        await append(recorder, "a", 50)
        await reached(broker, 50)
    await append(recorder, "b", 50)
    async with running(target, broker.url) as relay:
        assert await reached(broker, 100) == [*range(1, 101)]
        await until_kept(target, 100)
        assert relay.report.events == 50


async def test_none_is_missed_and_the_order_kept_while_the_broker_is_killed_under_writers(
    target: Target, recorder: Recorder, broker: NatsServer
) -> None:
    async with running(target, broker.url):
        for round in range(4):
            writing = asyncio.create_task(append(recorder, f"w{round}", 300))
            await asyncio.sleep(0.05)
            broker.kill()
            await writing
            broker.start()
        assert await reached(broker, 1200) == [*range(1, 1201)]


async def test_a_broker_that_is_set_back_is_filled_again_from_what_it_still_has(
    target: Target, recorder: Recorder, broker: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(target, broker.url) as relay:
        await append(recorder, "a", 30)
        await reached(broker, 30)
        broker.back_up()
        await append(recorder, "b", 30)
        await reached(broker, 60)
        await until_kept(target, 60)
        broker.restore()
        assert await reached(broker, 60) == [*range(1, 61)]
        await until_kept(target, 60)
        assert relay.report.refills == 1
    assert "has lost what it acknowledged: all after position 30, up to 60" in caplog.text
    chain = [headers(m) for m in await broker.messages()]
    assert all(before[0] == after[1] for before, after in pairwise(chain))
    assert await kept(target) == (60, 1)
    async with running_tracker(target) as tracker:
        told = (await Api(tracker).request("GET", "/metrics")).text
    assert 'tracker_relay_refills{relay="r"} 1.0' in told
    assert 'tracker_relay_lag_events{relay="r"} 0.0' in told


async def test_a_broker_set_back_while_no_relay_runs_is_noticed_by_the_next(
    target: Target, recorder: Recorder, broker: NatsServer
) -> None:
    await append(recorder, "a", 20)
    async with running(target, broker.url):
        await reached(broker, 20)
        await until_kept(target, 20)
    broker.back_up()
    await append(recorder, "b", 20)
    async with running(target, broker.url):
        await reached(broker, 40)
        await until_kept(target, 40)  # which is later than when the broker has it
    broker.restore()
    async with running(target, broker.url) as relay:
        assert await reached(broker, 40) == [*range(1, 41)]
        assert relay.report.refills == 1


async def test_a_stream_that_somebody_removes_is_made_and_filled_again_though_nothing_new_comes(
    target: Target, recorder: Recorder, broker: NatsServer
) -> None:
    await append(recorder, "a", 20)
    async with running(target, broker.url) as relay:
        await reached(broker, 20)
        await until_kept(target, 20)
        async with broker.jetstream() as jetstream:
            await jetstream.delete_stream("MINERALS")
        assert await reached(broker, 20) == [*range(1, 21)]
        assert relay.report.refills == 1


async def test_a_stream_that_lets_events_go_by_its_limits_has_lost_nothing(
    target: Target, recorder: Recorder, broker: NatsServer
) -> None:
    async with broker.jetstream() as jetstream:
        await jetstream.add_stream(name="MINERALS", subjects=["minerals.>"], max_msgs=5)
        await append(recorder, "a", 20)
        async with running(target, broker.url):
            assert await reached(broker, 20) == [16, 17, 18, 19, 20]
        await jetstream.purge_stream("MINERALS")
        async with running(target, broker.url) as relay:
            await append(recorder, "b", 2)
            assert await reached(broker, 22) == [21, 22]
            assert relay.report.refills == 0


async def test_a_hole_in_the_middle_is_reported_and_seen_by_consumers(
    target: Target, recorder: Recorder, broker: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with broker.jetstream() as jetstream:
        await jetstream.add_stream(name="MINERALS", subjects=["minerals.>"])
        await append(recorder, "a", 9)
        async with running(target, broker.url) as relay:
            await reached(broker, 9)
            await jetstream.delete_msg("MINERALS", 5)
            await until(lambda: "has lost 1 messages between its first" in caplog.text)
            assert relay.report.refills == 0
    chain = [headers(m) for m in await broker.messages()]
    assert [b for a, b in pairwise(chain) if a[0] != b[1]] == [(6, 5)]


async def test_a_relay_waits_for_a_broker_that_is_not_there_or_does_not_answer(
    target: Target, recorder: Recorder, broker: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.delivery.relay.jetstream.ANSWER_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr("tracker.delivery.relay.nats_connection.CONNECT_TIMEOUT_SECONDS", 0.5)
    broker.kill()
    async with running(target, broker.url):
        await append(recorder, "a", 5)
        await asyncio.sleep(0.3)
        broker.start()
        await reached(broker, 5)
        broker.send(signal.SIGSTOP)
        await append(recorder, "b", 5)
        await asyncio.sleep(0.8)
        broker.send(signal.SIGCONT)
        assert await reached(broker, 10) == [*range(1, 11)]


async def test_of_two_relays_of_one_name_one_publishes_and_the_other_takes_over(
    target: Target, recorder: Recorder, broker: NatsServer
) -> None:
    async with running(target, broker.url) as second_to_go, AsyncExitStack() as stack:
        first = await stack.enter_async_context(running(target, broker.url))
        await append(recorder, "a", 10)
        await reached(broker, 10)
        await until_kept(target, 10)
        counts = sorted((first.report.events, second_to_go.report.events))
        assert counts == [0, 10]
        await stack.aclose()
        await append(recorder, "b", 10)
        assert await reached(broker, 20) == [*range(1, 21)]
        await until_kept(target, 20)
        assert first.report.events + second_to_go.report.events == 20


async def test_with_filters_the_previous_position_is_that_of_the_event_before_it_of_the_filter(
    target: Target, recorder: Recorder, broker: NatsServer
) -> None:
    gallium, tin = clause("1"), clause("1", commodities=["tin"])
    for number, about in enumerate([tin, gallium, tin, tin, gallium, tin]):
        await record(recorder, f"c{number}", announced(about))
    filter = EndpointFilter(commodities=("gallium",))
    async with running(target, broker.url, after=1, filter=filter):
        await reached(broker, 5)
        await until_kept(target, 6)
    assert [headers(m) for m in await broker.messages()] == [(2, 1), (5, 2)]
