"""Monitoring of deliveries, and proofs for receivers that request them."""

import asyncio
import json
from pathlib import Path

import pytest

from deploy.bootstrap import running_tracker
from tests.delivery.test_deliverer import failing, refusing
from tests.support.api import Api
from tests.support.deliveries import ADMIN, HERE, PATIENT, QUICK, DeliveryFixture, delivering
from tests.support.event_receiver import receiving_events
from tests.support.merkle_proofs import check_inclusion
from tests.support.time_limits import within
from tests.support.waiting import until_it_says
from tracker.audit.format.checkpoint import Checkpoint, InclusionProof
from tracker.audit.format.signed_note import Note
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.delivery.endpoints import Endpoints
from tracker.log.entry_hash import leaf_hash
from tracker.postgres.database import Target


async def metrics(api: Api) -> str:
    """Return the metrics."""
    return (await api.request("GET", "/metrics")).text


async def test_operators_see_how_many_endpoints_fail_and_how_late_the_others_are(
    target: Target,
) -> None:
    async with receiving_events() as receiver, running_tracker(target, delivery=PATIENT) as tracker:
        assert tracker.deliverer is not None
        api = Api(tracker)
        endpoints = Endpoints(tracker.recorder._pool, tracker.recorder, HERE)
        deliveries = DeliveryFixture(
            tracker.recorder._pool, tracker.recorder, endpoints, receiver, tracker.deliverer
        )
        receiver.behave = refusing(1)
        await deliveries.append(2)
        await deliveries.add("fails", after=0)
        await failing(deliveries, "fails")
        await deliveries.add("works", after=1)
        await deliveries.add("paused")
        await endpoints.pause("paused", ADMIN)
        await receiver.wait_until("works", 2)
        await until_it_says(
            lambda: metrics(api),
            'tracker_endpoints{state="active"} 2.0',
            'tracker_endpoints{state="paused"} 1.0',
            'tracker_endpoints{state="disabled"} 0.0',
            "tracker_endpoints_failing 1.0",
            "tracker_delivering 1.0",
            'tracker_delivery_seconds_count{outcome="failed"} 1.0',
            'tracker_delivery_seconds_count{outcome="accepted"} 1.0',
            "tracker_delivered_events_total 1.0",
            "\ntracker_delivery_lag_seconds ",
        )
        ready = await api.request("GET", "/readyz")
        assert ready.json()["warnings"] == [
            "endpoints that are failing: 1 (`tracker endpoint list`)"
        ]


async def test_operators_see_that_no_server_delivers(target: Target) -> None:
    async with delivering(target) as deliveries:
        await deliveries.add()
    async with running_tracker(target, delivery=QUICK) as tracker:
        assert tracker.deliverer is not None
        await tracker.deliverer.__aexit__()
        tracker.deliverer.trouble = "the login may not"
        ready = (await Api(tracker).request("GET", "/readyz")).json()
        assert ready["warnings"] == ["this server can't deliver: the login may not"]
        tracker.deliverer.trouble = None
        # A lease that was being taken when it stopped lasts a while.
        async with asyncio.timeout(within(20)):
            while (await Api(tracker).request("GET", "/readyz")).json()["warnings"] != [
                "no server delivers: 1 endpoints wait"
            ]:
                await asyncio.sleep(0.1)
        await tracker.deliverer.__aenter__()


@pytest.mark.parametrize("batch", [1, 10])
async def test_a_proof_comes_with_each_event_of_those_who_want_it(
    target: Target, tmp_path: Path, batch: int
) -> None:
    keystore = KeyStore(tmp_path / "audit")
    async with (
        receiving_events() as receiver,
        running_tracker(
            target, SigningOptions(keystore, "example.com/log"), delivery=QUICK
        ) as tracker,
    ):
        assert tracker.deliverer is not None
        pool, recorder = tracker.recorder._pool, tracker.recorder
        deliveries = DeliveryFixture(
            pool, recorder, Endpoints(pool, recorder, HERE), receiver, tracker.deliverer
        )
        await deliveries.append(3)
        await deliveries.add(after=0, with_proof=True, max_batch_events=batch)
        await receiver.wait_until("a", 3)
        await deliveries.append(1, "new")
        await receiver.wait_until("a", 4)
        entries = {event.position: event.entry for event in await recorder.read(0)}
        keys = keystore.keys().all
        for one in receiver.accepted["a"]:
            for event in one.events:
                position = int(event["position"])
                proof = InclusionProof.parse(event["proof"])
                note = Note.parse(proof.checkpoint.encode())
                note.check(keys)
                head = Checkpoint.parse(note.text)
                leaf = leaf_hash(entries[position])
                check_inclusion(leaf, position - 1, head.size, proof.hashes, head.root)
                del event["proof"], event["previousposition"]
                assert event == json.loads(entries[position])


async def test_without_a_checkpoint_a_proof_is_not_sent_and_the_failure_says_why(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.delivery.waiting_proofs.WAIT_SECONDS", 0.05)
    async with delivering(target, PATIENT) as deliveries:
        await deliveries.append(1)
        await deliveries.add(after=0, with_proof=True)
        await failing(deliveries)
        endpoint = await deliveries.get()
        assert "the log is not signed" in (endpoint.last_error or "")
        assert endpoint.last_status is None
        assert not deliveries.receiver.got
        [attempt] = await deliveries.endpoints.attempts("a", ADMIN, 5)
        assert (attempt.first_position, attempt.events) == (1, 1)


async def test_a_login_that_may_not_deliver_says_so_and_all_else_works(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.delivery.deliverer.DELIVERER", "pg_signal_backend_of_nobody")
    async with running_tracker(target, delivery=QUICK) as tracker:
        assert tracker.deliverer is not None
        async with asyncio.timeout(within(20)):
            while tracker.deliverer.trouble is None:
                await asyncio.sleep(0.01)
            while not tracker.follower.listening:
                await asyncio.sleep(0.01)
        response = await Api(tracker).request("GET", "/readyz")
        assert response.status_code == 200
        assert "can't deliver" in response.json()["warnings"][0]
