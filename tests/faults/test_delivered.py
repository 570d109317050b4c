"""Tests of the delivery check: it detects broken guarantees."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.faults.delivered import Accepted, Came, NotAsPromised, check_delivered
from tests.faults.deliveries import Receiver
from tests.support.fact_builders import announced
from tracker.commands.handler import Commands
from tracker.delivery.message import batch_message, event_message
from tracker.log.entries import RecordedEvent
from tracker.log.recorder import Recorder

Log = list[RecordedEvent]
Deliveries = list[Accepted]


@pytest.fixture
async def log(recorder: Recorder) -> Log:
    """Create six events."""
    commands = Commands(recorder)
    for name in "abcdef":
        await commands.record(f"export-control/{name}", announced(), idempotency_key=name)
    return await recorder.read()


def one_by_one(log: Log) -> Deliveries:
    """Return one delivery per event."""
    before = [0, *(event.position for event in log)]
    messages = [event_message(event, before[at]) for at, event in enumerate(log)]
    return [Accepted(message.id, message.body) for message in messages]


def in_batches(log: Log, *sizes: int) -> Deliveries:
    """Return deliveries of the given sizes."""
    pairs, came = [(event, event.position - 1) for event in log], []
    for size in sizes:
        message = batch_message(pairs[:size])
        came.append(Accepted(message.id, message.body))
        pairs = pairs[size:]
    return came


async def test_events_that_come_in_order_again_and_in_batches_are_as_promised(log: Log) -> None:
    single = one_by_one(log)
    assert check_delivered(single, log) == Came(6, 0)
    assert check_delivered([*single[:4], *single[2:]], log) == Came(8, 2)
    proven = event_message(log[0], 0, 'a "proof"\n of another time')
    again = Accepted(proven.id, proven.body)
    assert check_delivered([single[0], again, *single[1:]], log) == Came(7, 1)
    assert check_delivered(in_batches(log, 2, 4), log) == Came(6, 0)
    crash = [*in_batches(log, 2, 2), *in_batches(log, 2, 1, 3)[1:]]
    assert check_delivered(crash, log) == Came(8, 2)


def renamed(delivery: Accepted) -> Accepted:
    return delivery._replace(id="another")


def changed(delivery: Accepted, pattern: bytes, by: bytes) -> Accepted:
    found, count = re.subn(pattern, by, delivery.body)
    assert count
    return delivery._replace(body=found)


HARMS: dict[str, Callable[[Deliveries], Deliveries]] = {
    "lost in the midst": lambda came: came[:2] + came[3:],
    "lost at the end": lambda came: came[:-1],
    "out of order": lambda came: [came[1], came[0], *came[2:]],
    "one that nobody recorded": lambda came: [
        *came,
        Accepted("g", came[-1].body.replace(b'"position":"6"', b'"position":"7"')),
    ],
    "another id": lambda came: [renamed(came[0]), *came[1:]],
    "another id the second time": lambda came: [came[0], renamed(came[0]), *came[1:]],
    "another body the second time": lambda came: [
        came[0],
        changed(came[0], b'"previousposition":"0"', b'"previousposition":"5"'),
        *came[1:],
    ],
    "another body": lambda came: [changed(came[0], b'"version":1', b'"version":2'), *came[1:]],
    "a chain with a hole": lambda came: [
        *came[:5],
        changed(came[5], b'"previousposition":"5"', b'"previousposition":"4"'),
    ],
    "a chain that is not there": lambda came: [
        changed(came[0], b',"previousposition":"0"', b""),
        *came[1:],
    ],
}


@pytest.mark.parametrize("harm", HARMS)
async def test_deliveries_that_break_a_promise_are_noticed(log: Log, harm: str) -> None:
    with pytest.raises(NotAsPromised):
        check_delivered(HARMS[harm](one_by_one(log)), log)


async def test_a_batch_with_a_hole_or_another_id_is_noticed(log: Log) -> None:
    first, second = in_batches(log, 3, 3)
    with pytest.raises(NotAsPromised):
        check_delivered([second], log)
    with pytest.raises(NotAsPromised):
        check_delivered([renamed(first), second], log)


async def test_a_receiver_has_what_it_accepted_also_when_it_is_killed(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path / "kept")
    await receiver.start()
    try:
        async with httpx2.AsyncClient() as http:
            for id in ("a", "b"):
                answer = await http.post(
                    receiver.url, content=f'"{id}"', headers={"webhook-id": id}
                )
                assert answer.status_code == 204
        assert receiver.process
        os.kill(receiver.process.pid, signal.SIGKILL)
        with receiver.file.open("ab") as file:
            file.write(b"c\ttorn")
        await receiver.stop()
        port = receiver.port
        await receiver.start()
        assert receiver.port == port
        async with httpx2.AsyncClient() as http:
            await http.post(receiver.url, content=b'"d"', headers={"webhook-id": "d"})
        assert receiver.accepted() == [Accepted(id, b'"%s"' % id.encode()) for id in "abd"]
    finally:
        await receiver.stop()
