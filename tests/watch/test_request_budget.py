"""A day of watching costs all publishers together less than 200 requests, news and robots.txt included."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import msgspec

from tests.support.publishers.bgs import Bgs, figures
from tests.support.publishers.cellar import Act, Cellar
from tests.support.publishers.federal_register import FederalRegister, document
from tests.support.publishers.feeds import Item, LegislationGovUk, LogItem, rss
from tests.support.publishers.mofcom import Mofcom, act
from tests.support.publishers.publisher import Page, Publisher, driven_by
from tests.support.publishers.usgs import WORLD_2025, CatalogueItem, ScienceBase
from tests.watch.adapters.drive import drive
from tracker.watch.adapter import Cursor, SourceSettings
from tracker.watch.adapters.bgs_ogc import Options as BgsOptions
from tracker.watch.registry import ADAPTERS, adapter_named
from tracker.watch.settings import load_sources

MAX_REQUESTS_A_DAY = 200
TODAY = date(2026, 3, 2)
DAYS = [TODAY - timedelta(days=n) for n in range(40, -1, -1)]
"""Days on which publishers have published; the last is the day that is counted."""

Played = tuple[Publisher, Callable[[], None]]
"""A publisher in yesterday's state, and a function that adds the news of a busy day."""


def federal_register(settings: SourceSettings) -> Played:
    def documents(day: date) -> list[dict[str, object]]:
        bis = [{"slug": "industry-and-security-bureau", "name": "BIS"}]
        return [document(f"{day:%Y-%m%d}{n}", f"{day}", agencies=bis) for n in range(8)]

    publisher = FederalRegister([each for day in DAYS[:-1] for each in documents(day)])
    return publisher, lambda: publisher.add(*documents(TODAY))


def cellar(settings: SourceSettings) -> Played:
    def acts(day: date) -> list[Act]:
        title = {"ENG": "Regulation on critical raw materials"}
        return [Act(f"3{day:%Y%m%d}{n}", title, f"{day}") for n in range(4)]

    publisher = Cellar(*(each for day in DAYS[:-1] for each in acts(day)))
    return publisher, lambda: publisher.acts.extend(acts(TODAY))


def legislation(settings: SourceSettings) -> Played:
    def events(day: date) -> list[LogItem]:
        at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        return [
            LogItem(
                f"uksi/{day.year}/{day:%m%d}{n // 3}",
                "A regulation",
                (at + timedelta(0, n)).isoformat(),
            )
            for n in range(30)
        ]

    newest_first = [each for day in DAYS[:-1] for each in events(day)][::-1]
    publisher = LegislationGovUk(*newest_first)
    return publisher, lambda: publisher.items.__setitem__(slice(0, 0), events(TODAY)[::-1])


def feed(settings: SourceSettings) -> Played:
    path = urlsplit(settings.address).path
    old = [Item(f"https://x.example/{n}", f"Gallium {n}", f"{DAYS[n]}") for n in range(20, 40)]
    publisher = Publisher({path: rss(old[::-1])})
    new = [Item(f"https://x.example/new{n}", f"Lithium {n}", f"{TODAY}") for n in range(5)]

    def news() -> None:
        publisher.pages[path] = rss([*new, *old[:4:-1]])

    return publisher, news


def page(settings: SourceSettings) -> Played:
    path = urlsplit(settings.address).path
    publisher = Publisher({path: Page(b"<p>one", charset="utf-8")})
    return publisher, lambda: publisher.pages.update({path: Page(b"<p>two", charset="utf-8")})


def mofcom(settings: SourceSettings) -> Played:
    ministry = Mofcom()
    for n, day in enumerate(DAYS[:-1]):
        ministry.add(act(2 * n + 1, f"{day}", "关于稀土的公告", 2026))
        ministry.add(act(2 * n + 2, f"{day}", "关于反倾销的公告", 2026))

    def news() -> None:
        for n in range(6):
            ministry.add(act(2 * len(DAYS) - 1 + n, f"{TODAY}", "关于锗出口管制的公告", 2026))

    return ministry, news


def sciencebase(settings: SourceSettings) -> Played:
    def release(year: int) -> CatalogueItem:
        children = [
            CatalogueItem(f"{year}{n}", f"Tables {n}", {f"MCS{year}_{n}.csv": WORLD_2025})
            for n in range(6)
        ]
        title = f"Mineral Commodity Summaries {year} Data Release"
        return CatalogueItem(f"r{year}", title, {}, children)

    catalogue = ScienceBase(releases=[release(2025)])
    return catalogue, lambda: catalogue.releases.append(release(2026))


def bgs(settings: SourceSettings) -> Played:
    assert isinstance(settings.options, BgsOptions)
    count = settings.options.page_size * 14 // 5  # 1,400 of 500 a page
    rows = [row for name in settings.options.commodities for row in figures(name, count)]
    api = Bgs(*rows)
    return api, lambda: api.figures[0].update(quantity=1)


PLAYED: dict[str, Callable[[SourceSettings], Played]] = {
    "federal-register": federal_register,
    "eu-cellar": cellar,
    "uk-legislation": legislation,
    "feed": feed,
    "page": page,
    "mofcom": mofcom,
    "usgs-sciencebase": sciencebase,
    "bgs-ogc": bgs,
}
"""Publishers of shipped sources; `notices` has none."""


def requests_of_a_day(settings: SourceSettings) -> int:
    """Return the number of a source's requests on a busy day: robots.txt once, then each poll."""
    adapter = adapter_named(settings.adapter)
    if isinstance(settings.options, BgsOptions):  # as many pages of fewer figures
        options = msgspec.structs.replace(
            settings.options, page_size=settings.options.page_size // 25
        )
        settings = msgspec.structs.replace(settings, options=options)
    publisher, news = PLAYED[settings.adapter](settings)
    cursor: Cursor = {}
    for _ in range(10):  # a first poll may need several
        found = drive(
            adapter, settings, driven_by(publisher), cursor=cursor, today=TODAY - timedelta(days=1)
        )
        cursor = found.cursor
        if found.result is not None and not found.result.warnings:
            break
    news()
    before = publisher.count()
    for _ in range(max(1, math.ceil(24 / settings.every_hours))):
        found = drive(adapter, settings, driven_by(publisher), cursor=cursor, today=TODAY)
        cursor = found.cursor
    return publisher.count() - before + 1


def test_a_busy_day_of_all_sources_costs_less_than_200_requests() -> None:
    cost = {source.key: requests_of_a_day(source) for source in load_sources(None, adapter_named)}
    assert sum(cost.values()) < MAX_REQUESTS_A_DAY, cost
    assert all(count >= 2 for count in cost.values()), cost


def test_every_adapter_is_counted() -> None:
    assert {adapter.name for adapter in ADAPTERS} == {*PLAYED, "notices"}
