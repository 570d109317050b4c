"""Publishers on a real socket, polled by the watcher.

Their faults are recorded, nothing is missed, and nothing is proposed twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import pytest

from deploy.bootstrap import open_connection
from tests.support.publishers.bgs import ITEMS as BGS_ITEMS
from tests.support.publishers.bgs import Bgs, figures
from tests.support.publishers.mofcom import LIST, Mofcom, act, rare_earths
from tests.support.publishers.publisher import (
    Declared,
    Fault,
    Moved,
    Page,
    Publisher,
    Status,
    cut_off,
    truncated,
    unreachable,
)
from tests.support.publishers.server import playing
from tests.support.publishers.usgs import FOLDER, WORLD_2025, CatalogueItem, ScienceBase
from tests.support.publishers.usgs import ITEMS as USGS_ITEMS
from tests.support.watching import options
from tracker.domain.evidence.watched_source_facts import Failed
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target
from tracker.watch.adapter import SourceSettings
from tracker.watch.journal import PollReport
from tracker.watch.registry import adapter_named
from tracker.watch.watcher import Watcher


@dataclass(frozen=True)
class Played:
    """A simulated publisher, its source settings, and its expected findings."""

    make: Callable[[], Publisher]
    adapter: str
    target: str
    options: Mapping[str, Any]
    items: frozenset[str]
    first: str
    """A pattern of the addresses without which nothing can be read."""

    def source(self, base: str) -> SourceSettings:
        """Return the settings of the source."""
        kind = adapter_named(self.adapter).Options
        return SourceSettings(
            key="played",
            adapter=self.adapter,
            name="Played here",
            publisher="mofcom",
            address=base + self.target,
            issuers=("CN",),
            pause_seconds=0,
            options=msgspec.convert(dict(self.options), kind),
        )


def ministry() -> Mofcom:
    """Create a ministry with a control, an act of another matter, and a missing number between."""
    played = Mofcom()
    for document in (act(16, "2025-04-01"), rare_earths()):
        played.add(document)
    played.lists[LIST][0].encoding = "gb18030"
    played.lists[LIST][0].declared = "gb2312"
    return played


def list_in_french() -> Publisher:
    """Create a ministry with two notices in Latin-1."""
    html = (
        "<meta charset=iso-8859-1><ul><li><a href=/a/2>Décret nº 2 : lithium</a> 2 août 2025"
        "<li><a href=/a/1>Arrêté nº 1 : cobalt</a> 1er août 2025</ul>"
    )
    return Publisher({"/liste": Page(html.encode("cp1252"))})


def catalogue() -> ScienceBase:
    """Create a release with a table and an archive."""
    files = {"MCS2025_World_Data.csv": WORLD_2025, "all.zip": b"PK"}
    title = "Mineral Commodity Summaries 2025 Data Release"
    return ScienceBase(releases=[CatalogueItem("a25", title, files)])


PUBLISHERS = {
    "mofcom": Played(
        ministry,
        "mofcom",
        LIST,
        {"since": date(2025, 1, 2)},
        frozenset({"announcement-2025-18", "gap-2025-17"}),
        f"{LIST}*",
    ),
    "notices": Played(
        list_in_french,
        "notices",
        "/liste",
        {"language": "fr", "item": "li", "days": "%d %B %Y", "since": date(2025, 1, 1)},
        frozenset({"/a/1", "/a/2"}),
        "/liste",
    ),
    "usgs": Played(
        catalogue,
        "usgs-sciencebase",
        f"{USGS_ITEMS}?parentId={FOLDER}&format=json",
        {"since_edition": 2025},
        frozenset({"a25/MCS2025_World_Data.csv", "a25/all.zip"}),
        "/catalog/items*",
    ),
    "bgs": Played(
        lambda: Bgs(*figures("cobalt, mine", 24)),
        "bgs-ogc",
        BGS_ITEMS,
        {"commodities": ["cobalt, mine"], "page_size": 10},
        frozenset(f"cobalt, mine, Production, page {n}" for n in (1, 2, 3)),
        "*offset=10*",
    ),
}
FAULTS: dict[str, tuple[Fault, str]] = {
    "429": (Status(429, retry_after="3600"), "RATE_LIMITED"),
    "503": (Status(503), "RATE_LIMITED"),
    "closed": (unreachable, "UNREACHABLE"),
    "cut off": (cut_off, "CUT_OFF"),
    "another layout": (lambda asked, page: Page(b"<p>New!", charset="utf-8"), "LAYOUT_CHANGED"),
    "in circles": (Moved(LIST), "REDIRECT"),
}
OF_SOME: dict[str, tuple[str, Fault, str]] = {
    "wrong charset of a list": ("notices", Declared(charset="utf-8"), "ENCODING"),
    "truncated json": ("bgs", truncated, "LAYOUT_CHANGED"),
    "truncated catalogue": ("usgs", truncated, "LAYOUT_CHANGED"),
}


async def poll(target: Target, source: SourceSettings) -> PollReport:
    """Poll a source once, now."""
    [report] = await Watcher(target, options(source, find_adapter=adapter_named)).poll_once()
    return report


async def items(target: Target, base: str) -> list[str]:
    """Return the items in the queue, without the simulated host."""
    async with open_connection(target) as connection:
        rows = await connection.fetch("SELECT item FROM review.candidates")
    host = base.removeprefix("http://")
    return [row["item"].removeprefix(host) for row in rows]


@pytest.mark.parametrize("name", PUBLISHERS)
async def test_existing_files_are_proposed_once(target: Target, name: str) -> None:
    played = PUBLISHERS[name]
    async with playing(played.make()) as server:
        for candidates in (len(played.items), 0):
            report = await poll(target, played.source(server.url))
            assert (report.failure, report.complete, report.candidates) == (None, True, candidates)
        assert sorted(await items(target, server.url)) == sorted(played.items)


@pytest.mark.parametrize(
    ("name", "fault", "code"),
    [
        *((name, *FAULTS[fault]) for name, fault in zip(PUBLISHERS, FAULTS, strict=False)),
        *(
            (name, *FAULTS[fault])
            for name, fault in zip(PUBLISHERS, list(FAULTS)[::-1], strict=False)
        ),
        *OF_SOME.values(),
    ],
)
async def test_a_fault_is_on_record_and_nothing_is_missed_or_proposed_twice_afterwards(
    target: Target, recorder: Recorder, name: str, fault: Fault, code: str
) -> None:
    played = PUBLISHERS[name]
    publisher = played.make()
    publisher.fail(played.first, fault)
    async with playing(publisher) as server:
        report = await poll(target, played.source(server.url))
        assert report.failure
        assert (report.complete, report.failure[0]) == (False, code)
        failures = [e.fact for e in await recorder.read() if isinstance(e.fact, Failed)]
        assert failures[-1].code.value == code
        publisher.mend()
        assert (await poll(target, played.source(server.url))).complete
        assert sorted(await items(target, server.url)) == sorted(played.items)
