"""Monitoring of sources: failures, delays, and missing watchers."""

from datetime import timedelta

from deploy.bootstrap import open_connection, running_tracker
from tests.support.api import Api
from tests.support.publishers.publisher import Status, unreachable
from tests.support.publishers.server import playing
from tests.support.waiting import until_it_says
from tests.support.watching import Gazette, options, source
from tracker import clock
from tracker.postgres.database import Target
from tracker.watch.summary import SourceStatus, WatchSummary
from tracker.watch.watcher import Watcher

LOOKED = 'tracker_looks_total{outcome="complete",source="gazette"} 1.0'


async def test_a_failure_is_seen_in_the_warnings_and_the_metrics_of_a_server_within_a_look(
    target: Target,
) -> None:
    publisher, other = Gazette(2), Gazette(1)
    other.fail("/list*", Status(404))
    async with playing(publisher) as server, playing(other) as second:
        watched = options(
            source(server.url), source(second.url.replace("127.0.0.1", "localhost"), "other")
        )
        async with running_tracker(target, watch=watched) as tracker:
            api = Api(tracker)
            await api.request("GET", "/metrics")
            assert tracker.watcher is not None

            async def read(path: str) -> str:
                return (await api.request("GET", path)).text

            await until_it_says(
                lambda: read("/readyz"),
                '"warnings":["sources that could not be read: other (HTTP_STATUS 1)"]',
            )
            await until_it_says(
                lambda: read("/metrics"),
                LOOKED,
                'tracker_looks_total{outcome="failed",source="other"} 1.0',
                'tracker_source_failing{source="gazette"} 0.0',
                'tracker_source_failing{source="other"} 1.0',
                'tracker_fetch_seconds_count{outcome="200"} 3.0',
                "tracker_found_candidates_total 2.0",
                "tracker_candidates_waiting 2.0",
                "tracker_watching 1.0",
                "tracker_sources_overdue 0.0",
            )
            ready = await api.request("GET", "/readyz")
            assert ready.status_code == 200
            await tracker.watcher.__aexit__()
            async with open_connection(target) as connection:
                await connection.execute(
                    "UPDATE watch.sources SET next_look_at = now() - interval '13 hours'"
                )
            warnings = (await api.request("GET", "/readyz")).json()["warnings"]
            assert "no process watches: gazette, other should have been polled" in warnings
            tracker.watcher.trouble = "the login may not"
            warnings = (await api.request("GET", "/readyz")).json()["warnings"]
            assert "this server can't watch: the login may not" in warnings
            await tracker.watcher.__aenter__()


async def test_without_a_network_it_is_said_and_since_when(target: Target) -> None:
    publisher = Gazette(1)
    publisher.fail("*", unreachable)
    async with playing(publisher) as server:
        await Watcher(target, options(source(server.url), source(server.url, "other"))).poll_once()
    async with running_tracker(target) as tracker:
        [warning] = (await Api(tracker).request("GET", "/readyz")).json()["warnings"]
    assert warning.startswith("no publisher can be reached: the network is missing")
    assert f"after {clock.now():%Y-%m-%d}" in warning


def source_status(key: str, **fields: object) -> SourceStatus:
    """Return the state of a healthy source."""
    now = clock.now()
    values = {
        "name": key,
        "looked_at": now,
        "watched_at": now,
        "failing_since": None,
        "failures": 0,
        "last_code": None,
        "last_error": None,
        "next_look_at": now + timedelta(hours=1),
        "overdue": False,
        "age_seconds": 0.0,
    }
    return SourceStatus(key, **(values | fields))  # type: ignore[arg-type]


def test_healthy_sources_are_not_warnings_and_many_are_counted() -> None:
    well = tuple(source_status(f"s{n}") for n in range(9))
    assert WatchSummary((), watching=False).warnings == []
    assert WatchSummary(well, watching=False).warnings == []
    late = tuple(source_status(each.key, overdue=True) for each in well)
    assert WatchSummary(late, watching=True).warnings == [
        "sources that are polled late: s0, s1, s2, s3, s4 and 4 more"
    ]
