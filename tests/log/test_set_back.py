"""A reset log is detected by each process that has shown more of it, or another version."""

import asyncio
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from deploy.bootstrap import open_pool, prepare
from deploy.cli.process import Exit
from schema.services import Access, Services
from tests.support.cases import each_case
from tests.support.processes import Running
from tests.support.published_log import restored, superuser
from tests.support.replication import Pair, running_pair, several_hosts, url_of
from tests.support.time_limits import within
from tests.support.web_server import serving
from tests.support.writers import new
from tracker.errors import LogSetBack
from tracker.log.durability import Continuity, Durability, LogEnd, LogView, compare
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target

SHOWN = LogEnd(9, entry_at=8, entry_hash=b"h", appended_at=9, event_id="e", timeline=2)
HAS_ALL = LogView(9, False, 2, b"h", "e", b"i")


@each_case(
    ("view", "outcome"),
    [
        (HAS_ALL, Continuity.HOLDS),
        (HAS_ALL._replace(position=12, timeline=3), Continuity.HOLDS),
        (HAS_ALL._replace(position=7, entry_hash=None, event_id=None), Continuity.SET_BACK),
        (HAS_ALL._replace(position=12, entry_hash=b"other"), Continuity.SET_BACK),
        (HAS_ALL._replace(position=12, event_id="other"), Continuity.SET_BACK),
        (HAS_ALL._replace(position=7, entry_hash=None, timeline=1), Continuity.FORMER_PRIMARY),
        (HAS_ALL._replace(timeline=1), Continuity.HOLDS),
        (LogView(7, True, 0, None, None, None), Continuity.HOLDS),
        (LogView(9, True, 0, b"other", "e", b"i"), Continuity.SET_BACK),
    ],
)
def test_the_settings_of_a_connection_are_compared_with_the_displayed_ones(
    view: LogView, outcome: Continuity
) -> None:
    assert compare(SHOWN, view)[0] is outcome


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Run a primary, and a standby with its tables."""
    with running_pair() as pair:
        asyncio.run(prepare(pair.primary.target))
        pair.standby.wait_replayed(pair.primary)
        yield pair


def writable(pair: Pair) -> Target:
    """Return the writable server of the two."""
    return several_hosts(pair.primary, pair.standby) | {"target_session_attrs": "read-write"}


async def record(target: Target, *ids: str) -> None:
    """Record events by a process of its own."""
    async with open_pool(target, size=1) as pool:
        for id in ids:
            await Recorder(pool).append([new(id)])


async def reconnected(recorder: Recorder) -> int:
    """Return the head over a new connection, after the loss of old ones."""
    for _ in range(5):
        with suppress(OSError):
            return await recorder.head()
    raise TimeoutError


def fail_over(pair: Pair) -> None:
    """Make a primary of a standby that was stopped before."""
    pair.primary.kill()
    pair.standby.start()
    pair.standby.promote()


async def test_a_forced_failover_is_noticed_though_the_log_has_grown_past_what_was_shown(
    pair: Pair,
) -> None:
    durability = Durability()
    target = writable(pair)
    # No connection is opened automatically: it would see the log before it has grown.
    async with (
        open_pool(target, size=2, least=0, check=durability.check) as pool,
        open_pool(target, size=1, least=0, check=durability.check) as idle,
    ):
        recorder = Recorder(pool, durability=durability)
        await recorder.append([new("a")])
        await asyncio.to_thread(pair.standby.wait_replayed, pair.primary)
        await idle.fetchval("SELECT 1")
        await asyncio.to_thread(pair.standby.kill)
        await recorder.append([new("b")])
        assert len(await recorder.read()) == 2
        await asyncio.to_thread(fail_over, pair)
        await record(pair.standby.target, "c", "d", "e")
        with pytest.raises(LogSetBack, match="the entry at 2 is not the one that was shown"):
            await reconnected(recorder)
        for use in (recorder.head, recorder.read, lambda: recorder.append([new("f")])):
            with pytest.raises(LogSetBack):
                await use()


async def test_a_failover_that_lost_nothing_is_none_of_that(pair: Pair) -> None:
    durability = Durability()
    async with open_pool(writable(pair), size=2, check=durability.check) as pool:
        recorder = Recorder(pool, durability=durability)
        await recorder.append([new("a")])
        await recorder.read()
        await asyncio.to_thread(pair.standby.wait_replayed, pair.primary)
        await asyncio.to_thread(pair.standby.stop)
        await asyncio.to_thread(fail_over, pair)
        await record(pair.standby.target, "b")
        assert await reconnected(recorder) == 2
        assert [event.event_id for event in await recorder.read()] == ["a", "b"]


async def test_streams_end_with_an_error_and_the_server_is_not_ready(
    services: Services, target: Target
) -> None:
    await services.recorder.append([new("a")])
    await services.recorder.append([new("b")])
    await services.projector.reach(2)
    question = {"query": 'subscription { events(after: "0") { position } }'}
    state = {"query": "subscription { worldChanged { position } }"}
    async with (
        serving(services, Access(open=True)) as (address, _, _),
        httpx2.AsyncClient(base_url=f"http://{address}", timeout=within(10)) as client,
    ):
        shown = asyncio.Event()

        async def followed(method: str, path: str, body: object = None) -> str:
            accept, text = {"Accept": "text/event-stream"}, ""
            async with client.stream(method, path, json=body, headers=accept) as response:
                async for part in response.aiter_text():
                    text += part
                    if "id: 2" in text:
                        shown.set()
            return text

        following = [
            asyncio.create_task(followed("GET", "/events?after=0")),
            asyncio.create_task(followed("GET", "/events")),
            asyncio.create_task(followed("POST", "/graphql", question)),
            asyncio.create_task(followed("POST", "/graphql", state)),
        ]
        while services.follower.followers < 3:
            await asyncio.sleep(0.01)
        await shown.wait()
        await superuser(target, *restored(1))
        texts = await asyncio.wait_for(asyncio.gather(*following), within(10))
        assert "id: 2" in texts[0]
        for text in texts:
            assert '"code":"LOG_SET_BACK"' in text
            assert "it ends at 1, and 2 was shown" in text
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert "The log was set back" in ready.json()["reasons"][0]
        asked = await client.get("/events?follow=false")
        assert (asked.status_code, asked.json()["errors"][0]["extensions"]["code"]) == (
            503,
            "LOG_SET_BACK",
        )


def test_the_server_ends_with_a_sentence_and_serves_what_is_there_when_it_starts_again(
    pair: Pair, tmp_path: Path
) -> None:
    url = url_of(pair.primary, pair.standby, parameters="target_session_attrs=read-write")
    serve = {"data_dir": tmp_path, "TRACKER_DATABASE_URL": url}
    asyncio.run(record(writable(pair), "a"))
    pair.standby.wait_replayed(pair.primary)
    running = Running("serve", **serve)
    pair.standby.kill()
    asyncio.run(record(writable(pair), "b"))
    with urllib.request.urlopen(f"{running.url}/events?after=0", timeout=within(10)) as events:
        while not events.readline().startswith(b"id: 2"):
            pass
    fail_over(pair)
    assert running.ended() == Exit.UNAVAILABLE
    assert "The log was set back" in running.output
    again = Running("serve", **serve)
    assert again.ask("{ head }") == {"data": {"head": "1"}}
    again.stop(signal.SIGTERM)
