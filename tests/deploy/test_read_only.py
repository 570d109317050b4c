"""A read-only tracker on a standby."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.bootstrap import open_pool, running_tracker
from deploy.replica import running_read_only
from projections.runner import replica
from schema.services import Services
from tests.support.api import Api
from tests.support.fact_builders import announced
from tests.support.replication import Pair
from tests.support.snapshots import keep, redact
from tests.support.time_limits import within
from tracker.commands.handler import Commands
from tracker.errors import ReadOnly
from tracker.log.recorder import Recorder
from tracker.postgres.roles import NotMigrated

SOON_SECONDS = within(10)


@pytest.fixture
async def writing(pair: Pair) -> AsyncIterator[Services]:
    """Run a tracker on the primary."""
    async with running_tracker(pair.primary.target) as services:
        yield services


@pytest.fixture
async def reading(pair: Pair) -> AsyncIterator[Services]:
    """Run a tracker on the standby."""
    async with running_tracker(pair.standby.target) as services:
        yield services


async def record(services: Services, id: str) -> int:
    """Record an event; its position."""
    done = await services.commands.record(f"export-control/{id}", announced())
    await services.projector.reach(done.positions[-1])
    return done.positions[-1]


async def ready(services: Services) -> tuple[int, dict[str, object]]:
    """Return `/readyz`."""
    response = await Api(services).request("GET", "/readyz")
    return response.status_code, response.json()


async def until_ready(services: Services, wanted: int = 200) -> dict[str, object]:
    """Return `/readyz` once it has a status."""
    async with asyncio.timeout(SOON_SECONDS):
        while (found := await ready(services))[0] != wanted:
            await asyncio.sleep(0.02)
    return found[1]


async def test_a_standby_shows_what_its_primary_records(
    writing: Services, reading: Services
) -> None:
    before = await reading.recorder.head()
    following = aiter(reading.follower.follow(before))
    coming = asyncio.ensure_future(anext(following))
    position = await record(writing, "shown")
    assert (await asyncio.wait_for(coming, SOON_SECONDS)).position == position
    asked = '{ asOf(minPosition: "%d") { position exportControl(id: "shown") { key } } }'
    answer = await Api(reading).ask(asked % position)
    assert answer["asOf"] == {"position": str(position), "exportControl": {"key": "shown"}}
    told = await until_ready(reading)
    assert told["readOnly"] is True
    assert told["reasons"] == [] == told["warnings"]


async def test_a_standby_gives_out_what_publishers_sent_until_it_is_redacted(
    pair: Pair, reading: Services
) -> None:
    sha256 = await keep(pair.primary.target, b"a page", "text/html")
    await asyncio.to_thread(pair.standby.wait_replayed, pair.primary)
    found = await Api(reading).request("GET", f"/snapshots/{sha256}")
    assert (found.status_code, found.content) == (200, b"a page")
    await redact(pair.primary.target, sha256)
    await asyncio.to_thread(pair.standby.wait_replayed, pair.primary)
    gone = await Api(reading).request("GET", f"/snapshots/{sha256}")
    assert gone.status_code == 410


async def test_every_write_on_a_standby_answers_read_only(reading: Services) -> None:
    api = Api(reading)
    for document in (
        'mutation { pauseEndpoint(input: {name: "a", reason: "b"}) { endpoint { name } } }',
        "mutation { record(commands: []) { position } }",
        "{ preview(commands: []) { position } }",
    ):
        [error] = (await api.post(document))["errors"]
        assert error["extensions"]["code"] == "READ_ONLY"
        assert "nothing was recorded" in error["message"]
    with pytest.raises(ReadOnly):
        await reading.commands.record("export-control/refused", announced())
    for method, path in (
        ("GET", "/record"),
        ("POST", "/record/recordFigure"),
        ("POST", "/endpoints"),
        ("POST", "/review/1"),
    ):
        page = await api.request(method, path, headers={"Accept": "text/html"})
        assert page.status_code == 503
        assert "This server is read-only" in page.text
    shown = await api.request("GET", "/", headers={"Accept": "text/html"})
    assert shown.status_code == 200
    assert 'href="/record"' not in shown.text


async def test_a_standby_that_does_not_replay_is_not_ready_and_shows_the_state_before(
    pair: Pair, writing: Services, reading: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "MAX_LAG_SECONDS", 0.3)
    before = await record(writing, "before")
    await reading.projector.reach(before)
    pair.standby.pause_replay()
    try:
        after = await record(writing, "after")
        told = await until_ready(reading, 503)
        assert "behind its primary" in str(told["reasons"])
        assert told["head"] == before
        assert (await Api(reading).ask("{ asOf { position } }"))["asOf"]["position"] == str(before)
        behind = asyncio.ensure_future(
            Api(reading).request("GET", f"/events?after={after}&follow=false")
        )
        done, _ = await asyncio.wait([behind], timeout=0.5)
        assert not done  # it waits for the client's position
    finally:
        pair.standby.resume_replay()
    assert (await asyncio.wait_for(behind, SOON_SECONDS)).status_code == 200
    answer = await Api(reading).ask(f'{{ asOf(minPosition: "{after}") {{ position }} }}')
    assert answer["asOf"]["position"] == str(after)
    await until_ready(reading)


async def test_a_standby_shows_nothing_that_its_primary_has_not_projected(
    pair: Pair, reading: Services
) -> None:
    """Projected events survive a failover; a standby cannot know this of others."""
    before = await reading.recorder.head()
    async with open_pool(pair.primary.target) as pool:
        done = await Commands(Recorder(pool)).record("export-control/late", announced())
    await asyncio.to_thread(pair.standby.wait_replayed, pair.primary)
    assert done.positions[-1] == before + 1
    assert await reading.recorder.head() == before
    assert await reading.recorder.read(before) == []
    assert await reading.recorder.lookup.by_position([before + 1]) == {}
    async with running_tracker(pair.primary.target):
        await reading.projector.reach(before + 1)
    assert await reading.recorder.head() == before + 1


async def test_a_question_that_the_replay_interrupts_is_asked_again(
    pair: Pair, reading: Services
) -> None:
    pair.primary.sql("CREATE TABLE conflict AS SELECT 1 AS a")
    pair.primary.sql("GRANT SELECT ON conflict TO tracker_api")
    pair.standby.sql("ALTER SYSTEM SET max_standby_streaming_delay = 0")
    pair.standby.sql("SELECT pg_reload_conf()")
    pair.standby.wait_replayed(pair.primary)
    question = "SELECT a, pg_sleep(CASE a WHEN 1 THEN 60 ELSE 0 END) FROM conflict"
    asking = asyncio.ensure_future(reading.proofs._pool.fetchval(question))
    seen = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    async with asyncio.timeout(SOON_SECONDS):
        while await asyncio.to_thread(pair.standby.sql, seen) == "0":
            await asyncio.sleep(0.01)
    await asyncio.to_thread(pair.primary.sql, "UPDATE conflict SET a = 2")
    await asyncio.to_thread(pair.primary.sql, "VACUUM conflict")
    assert await asyncio.wait_for(asking, SOON_SECONDS) == 2
    assert "due to conflict with recovery" in pair.standby.log


async def test_a_standby_of_another_version_is_refused(pair: Pair) -> None:
    fold = pair.primary.sql("SELECT fold FROM projection.progress WHERE projection = 'versions'")
    change = "UPDATE projection.progress SET fold = '%s' WHERE projection = 'versions'"
    pair.primary.sql(change % "another")
    pair.standby.wait_replayed(pair.primary)
    try:
        with pytest.raises(NotMigrated, match="not of this version"):
            async with running_read_only(pair.standby.target):
                raise AssertionError
    finally:
        pair.primary.sql(change % fold)
        pair.standby.wait_replayed(pair.primary)


async def test_a_running_server_on_a_standby_leaves_rows_that_another_release_took_over(
    pair: Pair, reading: Services
) -> None:
    fold = pair.primary.sql("SELECT fold FROM projection.progress WHERE projection = 'versions'")
    change = "UPDATE projection.progress SET fold = '%s' WHERE projection = 'versions'"
    await until_ready(reading)
    pair.primary.sql(change % "another")
    try:
        while "does not answer" in str((told := await until_ready(reading, 503))["reasons"]):
            await asyncio.sleep(0.1)  # a busy machine
        assert "not of this version" in str(told["reasons"]) or "another release" in str(told)
        answer = await Api(reading).post("{ asOf { position digest } }")
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAVAILABLE"]
    finally:
        pair.primary.sql(change % fold)
    await until_ready(reading)
    assert "errors" not in await Api(reading).post("{ asOf { position digest } }")


async def test_a_standby_that_comes_back_is_read_from_again_and_stays_read_only_when_promoted(
    pair: Pair,
) -> None:
    standby = pair.standby
    async with running_tracker(standby.target) as services:
        await until_ready(services)
        await asyncio.to_thread(standby.kill)
        await until_ready(services, 503)
        await asyncio.to_thread(standby.start)
        await until_ready(services)
        await asyncio.to_thread(standby.promote)
        async with asyncio.timeout(SOON_SECONDS):
            while "is a primary now" not in str((await ready(services))[1]["warnings"]):
                await asyncio.sleep(0.05)
        assert (await ready(services))[1]["readOnly"] is True
        [error] = (await Api(services).post("mutation { record(commands: []) { position } }"))[
            "errors"
        ]
        assert error["extensions"]["code"] == "READ_ONLY"
