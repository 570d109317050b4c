"""A tracker on a primary with query responses from a standby."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from deploy.bootstrap import prepare, running_tracker
from deploy.config import settings
from deploy.config.table import WrongSetting
from projections.runner import replica
from schema.services import Services
from tests.support.api import Api, source
from tests.support.fact_builders import announced
from tests.support.replication import Pair, running_pair, several_hosts
from tests.support.time_limits import within

SOON_SECONDS = within(10)


@pytest.fixture
async def services(pair: Pair) -> AsyncIterator[Services]:
    """Run a tracker that writes to the primary and reads from the standby."""
    async with running_tracker(pair.primary.target, reading=pair.standby.target) as made:
        await until_used(made, True)
        yield made


async def until_used(services: Services, wanted: bool) -> dict[str, object]:
    """Return `/readyz` once the replica is used, or unused."""
    async with asyncio.timeout(SOON_SECONDS):
        while True:
            response = await Api(services).request("GET", "/readyz")
            told: dict[str, object] = response.json()
            if response.json()["replica"]["used"] is wanted:
                assert response.status_code == 200
                return told
            await asyncio.sleep(0.02)


async def record(services: Services, id: str) -> int:
    """Record an event as a command line does; its position."""
    done = await services.commands.record(f"export-control/{id}", announced())
    assert services.primary is not None
    await services.primary.projector.reach(done.positions[-1])
    return done.positions[-1]


STATE = '{ asOf(minPosition: "%d") { position } }'


async def test_questions_go_to_the_replica_and_commands_to_the_primary(
    pair: Pair, services: Services
) -> None:
    position = await record(services, "a")
    answer = await Api(services).ask(STATE.replace("%d", str(position)))
    assert answer == {"asOf": {"position": str(position)}}
    for pool, server in ((services.as_of._pool, True), (services.recorder._pool, True)):
        assert await pool.fetchval("SELECT pg_is_in_recovery()") is server
    assert services.primary is not None
    assert await services.primary.as_of._pool.fetchval("SELECT pg_is_in_recovery()") is False
    told = await until_used(services, True)
    assert told["readOnly"] is False
    assert told["warnings"] == []
    figures = (await Api(services).request("GET", "/metrics")).text.splitlines()
    assert "tracker_replica_configured 1.0" in figures
    assert "tracker_replica_used 1.0" in figures
    assert pair.standby.sql("SELECT pg_is_in_recovery()") == "t"


async def test_a_replica_that_is_behind_is_waited_for_and_mutations_answer_all_the_same(
    pair: Pair, services: Services
) -> None:
    before = await record(services, "b")
    await services.projector.reach(before)
    pair.standby.pause_replay()
    try:
        after = await record(services, "c")
        api = Api(services)
        assert (await api.ask("{ asOf { position } head }")) == {
            "asOf": {"position": str(before)},
            "head": str(before),
        }
        assert services.primary is not None
        [event] = await services.primary.recorder.read(after - 1)
        given = {"eventId": event.event_id, "reason": "wrong", "source": source()}
        done = await api.do("retractEvent", given)
        assert done["position"] == str(after + 1)
        assert await services.recorder.head() == before
        asking = asyncio.ensure_future(api.ask(STATE.replace("%d", done["position"])))
        assert not (await asyncio.wait([asking], timeout=0.2))[0]
    finally:
        pair.standby.resume_replay()
    assert (await asyncio.wait_for(asking, SOON_SECONDS))["asOf"]["position"] == done["position"]


async def test_a_frozen_replica_holds_questions_up_for_seconds_only(
    pair: Pair, services: Services
) -> None:
    await asyncio.to_thread(pair.standby.freeze)
    try:
        async with asyncio.timeout(SOON_SECONDS):
            await Api(services).ask("{ asOf { digest } }")
        await until_used(services, False)
    finally:
        await asyncio.to_thread(pair.standby.thaw)
    await until_used(services, True)


async def test_without_a_replica_the_primary_is_read_from_and_positions_never_go_back(
    pair: Pair, services: Services
) -> None:
    api, following = Api(services), aiter(services.follower.follow(await services.recorder.head()))
    coming = asyncio.ensure_future(anext(following))
    await asyncio.to_thread(pair.standby.stop)
    position = await record(services, "d")
    assert (await asyncio.wait_for(coming, SOON_SECONDS)).position == position
    told = await until_used(services, False)
    assert "queries go to the primary" in str(told["warnings"])
    asked = await api.ask(STATE.replace("%d", str(position)))
    assert asked["asOf"]["position"] == str(position)
    pair.primary.sql("SELECT pg_switch_wal()")
    pair.standby.settings.append("recovery_min_apply_delay=1h")  # new events are not replayed
    await asyncio.to_thread(pair.standby.start)
    later = await record(services, "e")
    async with asyncio.timeout(SOON_SECONDS):
        while int((await api.ask("{ asOf { position } }"))["asOf"]["position"]) < position:
            await asyncio.sleep(0.02)
    assert int((await api.ask("{ head }"))["head"]) >= position
    async with asyncio.timeout(SOON_SECONDS):
        while "was shown before" not in str((await until_used(services, False))["warnings"]):
            await asyncio.sleep(0.05)
    asked = await api.ask(STATE.replace("%d", str(later)))
    assert asked["asOf"]["position"] == str(later)


@pytest.fixture
def fresh_pair() -> Iterator[Pair]:
    """Run a separate pair, whose standby may be killed."""
    with running_pair() as made:
        asyncio.run(prepare(made.primary.target))
        made.standby.wait_replayed(made.primary)
        yield made


async def test_a_primary_in_the_place_of_a_dead_standby_is_not_a_replica(fresh_pair: Pair) -> None:
    pair = fresh_pair
    prefer = several_hosts(pair.standby, pair.primary) | {"target_session_attrs": "prefer-standby"}
    async with running_tracker(pair.primary.target, reading=prefer) as services:
        await until_used(services, True)
        await asyncio.to_thread(pair.standby.kill)
        async with asyncio.timeout(SOON_SECONDS):
            while "the replica has become a primary" not in str(
                (await until_used(services, False))["warnings"]
            ):
                await asyncio.sleep(0.02)
        figures = (await Api(services).request("GET", "/metrics")).text.splitlines()
        assert "tracker_replica_configured 1.0" in figures
        assert "tracker_replica_used 0.0" in figures


@pytest.mark.parametrize("beside_primary", [False, True])
async def test_a_reader_that_prefers_standbys_leaves_a_promoted_one_for_another(
    fresh_pair: Pair, beside_primary: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "STANDBY_SEARCH_SECONDS", 0.2)
    first = fresh_pair.standby
    async with AsyncExitStack() as stack:
        second = stack.enter_context(fresh_pair.primary.standby("second"))
        second.wait_replayed(fresh_pair.primary)
        second.stop()
        prefer = several_hosts(first, second) | {"target_session_attrs": "prefer-standby"}
        running = (
            running_tracker(several_hosts(fresh_pair.primary, first), reading=prefer)
            if beside_primary
            else running_tracker(prefer)
        )
        services = await stack.enter_async_context(running)
        await until_used(services, True)
        await asyncio.to_thread(fresh_pair.primary.kill)
        await asyncio.to_thread(first.promote)
        async with asyncio.timeout(SOON_SECONDS):
            while await services.as_of._pool.fetchval("SELECT pg_is_in_recovery()"):
                await asyncio.sleep(0.02)
        await asyncio.to_thread(second.start)
        async with asyncio.timeout(SOON_SECONDS):
            while not await services.as_of._pool.fetchval("SELECT pg_is_in_recovery()"):
                assert "errors" not in await Api(services).post("{ asOf { position } }")
                await asyncio.sleep(0.02)
        async with asyncio.timeout(SOON_SECONDS):
            while not (
                services.replica and services.replica.state and services.replica.state.standby
            ):
                await asyncio.sleep(0.02)
        told = (await Api(services).request("GET", "/readyz")).json()
        assert "primary now" not in str(told["warnings"])


def test_the_address_of_standbys_is_checked_and_kept_secret() -> None:
    given = {"TRACKER_READ_DATABASE_URL": "postgresql://a:hidden@db/m"}
    assert settings.read_target(given)
    assert "hidden" in settings.secrets(given)
    with pytest.raises(WrongSetting, match=r"^TRACKER_READ_DATABASE_URL: "):
        settings.check({"TRACKER_READ_DATABASE_URL": "mysql://db"})
