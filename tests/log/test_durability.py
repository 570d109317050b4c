"""With synchronous standbys, no event that a failover may lose is shown."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.bootstrap import open_pool
from schema.services import Services
from tests.support.api import Api
from tests.support.fact_builders import announced
from tests.support.published_log import publisher
from tests.support.standbys import CANCEL, cut_short, once_confirmed, wait_for_nobody
from tests.support.time_limits import within
from tracker.audit.sign.keystore import KeyStore
from tracker.errors import Unavailable
from tracker.log.recorder import Recorder
from tracker.postgres.batching import UnconfirmedCommit
from tracker.postgres.database import API, PUBLISHER, Target


async def record_without_standby(services: Services, admin: Any, id: str) -> None:
    """Record a visible event that no standby has, by cancelling the wait."""
    recording = asyncio.ensure_future(services.commands.record(f"export-control/{id}", announced()))
    await cut_short(admin, CANCEL, recording)
    with pytest.raises(Unavailable):
        await recording


@pytest.fixture
async def unconfirmed(
    services: Services, target: Target, admin: Any, standby: Callable[[str], None]
) -> Callable[[], Awaitable[None]]:
    """Make event 1 durable, and event 2 visible but on no standby, until this is called."""
    await services.commands.record("export-control/a", announced())
    await services.projector.reach(1)
    await wait_for_nobody(target, standby, admin)
    assert await services.recorder.head() == 1
    await record_without_standby(services, admin, "b")
    assert await admin.fetchval("SELECT max(position) FROM log.events") == 2

    async def confirm() -> None:
        await asyncio.to_thread(standby, "")

    return confirm


EVENTS = '{ events(first: 9) { nodes { position } } event(position: "2") { position } head }'


async def test_questions_and_followers_see_only_what_standbys_have(
    services: Services, unconfirmed: Callable[[], Awaitable[None]]
) -> None:
    api = Api(services)
    assert await services.recorder.head() == 1
    assert [event.position for event in await services.recorder.read()] == [1]
    answer = await api.ask(EVENTS)
    assert answer["head"] == "1"
    assert answer["event"] is None
    assert [event["position"] for event in answer["events"]["nodes"]] == ["1"]
    assert (await api.request("GET", "/log/entries/2")).status_code == 404
    assert (await api.request("GET", "/events?after=2&follow=false")).status_code == 400
    following = aiter(services.follower.follow(1))
    coming = asyncio.ensure_future(anext(following))
    done, _ = await asyncio.wait([coming], timeout=2.5)  # longer than a follower's poll interval
    assert not done
    await unconfirmed()
    assert (await asyncio.wait_for(coming, within(10))).position == 2
    assert (await api.ask(EVENTS))["event"] == {"position": "2"}


async def test_states_follow_when_standbys_have_what_they_are_made_of(
    services: Services, unconfirmed: Callable[[], Awaitable[None]], admin: Any
) -> None:
    question = '{ asOf { position exportControl(id: "b") { id } } }'
    api = Api(services)
    answer = await api.ask(question)
    assert answer == {"asOf": {"position": "1", "exportControl": None}}
    projected = "SELECT position FROM projection.progress WHERE projection = 'versions'"
    assert await admin.fetchval(projected) == 1  # a replica shows the same, and cannot check
    await unconfirmed()
    await services.projector.reach(2)
    answer = await api.ask(question)
    assert answer["asOf"]["position"] == "2"
    assert answer["asOf"]["exportControl"] is not None


async def test_a_process_that_has_seen_nothing_confirmed_yet_says_so(
    target: Target, unconfirmed: Callable[[], Awaitable[None]]
) -> None:
    async with open_pool(target, role=API) as pool:
        fresh = Recorder(pool)
        with pytest.raises(UnconfirmedCommit):
            await fresh.head()
        await unconfirmed()
        assert await once_confirmed(fresh.head) == 2


async def test_nothing_is_signed_that_a_failover_may_take_back(
    target: Target, unconfirmed: Callable[[], Awaitable[None]], admin: Any, tmp_path: Path
) -> None:
    keystore = KeyStore(tmp_path / "audit")
    keystore.load_or_create()
    async with open_pool(target, role=PUBLISHER, size=3) as pool:
        publishing = publisher(pool, target, keystore)
        with pytest.raises(UnconfirmedCommit):
            await publishing.catch_up()
        assert keystore.head() is None
        await unconfirmed()
        await once_confirmed(publishing.catch_up)
        assert (head := keystore.head()) is not None
        assert head.size == 2


async def test_without_synchronous_standbys_nothing_is_asked(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse() -> None:
        raise AssertionError("nothing is to be confirmed")

    monkeypatch.setattr(services.recorder.durability, "confirm", refuse)
    await services.commands.record("export-control/a", announced())
    await services.projector.reach(1)
    assert await services.recorder.head() == 1
    assert [event.position for event in await services.recorder.read()] == [1]
