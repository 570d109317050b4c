"""Every shipped source is polled by its adapter over real sockets, into the log and the queue."""

from datetime import timedelta
from urllib.parse import urlsplit

import msgspec
import pytest

from deploy.bootstrap import open_connection
from tests.support.publishers.publisher import MISSING, Asked, Page, Publisher
from tests.support.publishers.server import playing
from tests.support.watching import QUICK
from tests.watch import test_request_budget as budget
from tests.watch.test_request_budget import PLAYED, Played
from tracker import clock
from tracker.postgres.database import Target
from tracker.watch.adapter import SourceSettings
from tracker.watch.adapters.bgs_ogc import Options as BgsOptions
from tracker.watch.journal import PollReport
from tracker.watch.registry import adapter_named
from tracker.watch.settings import load_sources
from tracker.watch.watcher import Watcher, WatchOptions

FIND_NEWS = {
    "canada-gazette-2",
    "cn-mofcom",
    "eu-official-journal",
    "gb-bgs-wms",
    "japan-meti-export-controls",
    "uk-export-control-joint-unit",
    "us-federal-register",
    "us-usgs-mcs",
}
"""Sources with search words that occur here; others search for other words."""


class Several(Publisher):
    """Several publishers at one host, selected by content."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Publisher] = []

    def page(self, asked: Asked) -> Page:
        """Return the first existing page."""
        return next((page for each in self.all if (page := each.page(asked)) != MISSING), MISSING)


def without_pauses(settings: SourceSettings) -> SourceSettings:
    """Return a shipped source without TLS and pauses, and with small pages."""
    options = settings.options
    if isinstance(options, BgsOptions):
        options = msgspec.structs.replace(options, page_size=options.page_size // 25)
    address = settings.address.replace("https://", "http://", 1)
    return msgspec.structs.replace(settings, address=address, pause_seconds=0, options=options)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[tuple[SourceSettings, Played]]:
    """Return all sources, each with its publisher in yesterday's state."""
    today = clock.now().date()
    monkeypatch.setattr(budget, "TODAY", today)
    monkeypatch.setattr(budget, "DAYS", [today - timedelta(days=n) for n in range(40, -1, -1)])
    sources = [without_pauses(each) for each in load_sources(None, adapter_named)]
    return [(each, PLAYED[each.adapter](each)) for each in sources]


async def test_news_of_all_sources_become_candidates_once(
    target: Target, played: list[tuple[SourceSettings, Played]], monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts: dict[str, Several] = {}
    for settings, (publisher, _) in played:
        hosts.setdefault(urlsplit(settings.address).netloc, Several()).all.append(publisher)
    options = WatchOptions(tuple(each for each, _ in played), adapter_named, limits=QUICK)

    async def poll() -> dict[str, PollReport]:
        reports = await Watcher(target, options).poll_once()
        assert {each.source: each.failure for each in reports if each.failure} == {}
        return {each.source: each for each in reports}

    async with playing(hosts=hosts) as server:
        monkeypatch.setenv("http_proxy", server.url)
        await poll()
        await poll()
        for _, (_, news) in played:
            news()
        found = await poll()
        again = await poll()
    assert {key for key, each in found.items() if each.candidates} >= FIND_NEWS
    assert {key: each.candidates for key, each in again.items() if each.candidates} == {}
    anew = {key for key, each in again.items() if each.snapshots}
    assert anew == {"gb-bgs-wms"}  # their responses contain the time
    async with open_connection(target) as connection:
        counts = dict(
            await connection.fetch(
                "SELECT type, count(*) FROM log.events WHERE type LIKE 'Source.%' GROUP BY type"
            )
        )
        others = await connection.fetchval(
            "SELECT count(*) FROM log.events WHERE type NOT LIKE 'Source.%'"
        )
    assert counts["Source.Looked"] == 4 * len(played)
    assert "Source.Failed" not in counts
    assert others == 0  # a poll records no legal facts
