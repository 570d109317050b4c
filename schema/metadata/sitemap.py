"""Lists of the addresses of pages for search engines, with the time of the last event of each.

They follow the protocol of sitemaps.org: an index, and parts of limited size. Parts are by kind of page.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote

from markupsafe import escape
from msgspec import Struct

from projections.query.last_events import LastEvents
from tracker.domain.catalogue.commodities import commodities, descendants
from tracker.domain.catalogue.places import places
from tracker.errors import NotFound

PART_SIZE = 10_000
"""Pages in a part; the protocol allows 50,000 and 50 MB."""
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
PAGES = "pages"
PART = re.compile(r"([a-z]+)-(\d{1,4})\.xml")
Entry = tuple[str, datetime | None]
"""A path, and the time of its last change."""


class PagePaths(Struct, frozen=True):
    """The paths of pages, by the source of the words in them."""

    fixed: Sequence[str]
    """Paths without parameters, which show the newest of all."""
    by_commodity: Sequence[str]
    by_place: Sequence[str]
    by_entity: Mapping[str, str]
    """Paths of entities by kind: `export-control`: `/controls/{key}`."""


def sort_paths(paths: Iterable[str], sections: Mapping[str, str]) -> PagePaths:
    """Return the paths of pages by the source of their words; `sections` are those of kinds of entities."""
    every = list(paths)
    entities = {
        kind: path
        for kind, section in sections.items()
        for path in every
        if re.fullmatch(rf"/{section}/\{{[^/]*\}}", path)
    }
    return PagePaths(
        [path for path in every if "{" not in path],
        [path for path in every if path.startswith("/commodities/{key}")],
        [path for path in every if path.startswith("/places/{code}")],
        entities,
    )


class Sitemaps:
    """The index and the parts."""

    def __init__(self, last_events: LastEvents, paths: PagePaths):
        self._last_events = last_events
        self._paths = paths
        self._kinds = {path.split("/")[1]: kind for kind, path in paths.by_entity.items()}

    async def index(self, origin: str) -> str:
        """Return the index of all parts."""
        newest = await self._last_events.newest()
        parts: list[Entry] = [(f"/sitemaps/{PAGES}-1.xml", newest)]
        for section, kind in self._kinds.items():
            times = await self._last_events.parts(kind, PART_SIZE)
            parts += [
                (f"/sitemaps/{section}-{number}.xml", at) for number, at in enumerate(times, 1)
            ]
        return _document("sitemapindex", "sitemap", origin, parts)

    async def part(self, origin: str, name: str) -> str:
        """Return a part by its name, such as `controls-1.xml`. Raises NotFound."""
        match = PART.fullmatch(name)
        section, number = (match[1], int(match[2])) if match else ("", 0)
        if (section, number) == (PAGES, 1):
            return _document("urlset", "url", origin, await self._page_entries())
        if section in self._kinds and number:
            entries = await self._entity_entries(self._kinds[section], number - 1)
            if entries:
                return _document("urlset", "url", origin, entries)
        raise NotFound("expected a part of /sitemap.xml", path=("part",))

    async def _page_entries(self) -> list[Entry]:
        """Return the pages of fixed paths, commodities and places. Those without an event are left out."""
        newest = await self._last_events.newest()
        keys, codes = commodities(), [str(place) for place in places()]
        times = await self._last_events.about([*keys, *codes])
        of_keys = {str(key): _latest(times, map(str, descendants(key))) for key in keys}
        entries: list[Entry] = [(path, newest) for path in self._paths.fixed]
        entries += _entries(self._paths.by_commodity, of_keys)
        entries += _entries(
            self._paths.by_place, {code: times[code] for code in codes if code in times}
        )
        return entries

    async def _entity_entries(self, kind: str, part: int) -> list[Entry]:
        times = await self._last_events.of_entities(kind, PART_SIZE, part)
        path = self._paths.by_entity[kind]
        return [(_filled(path, name.partition("/")[2]), at) for name, at in times.items()]


def _entries(paths: Sequence[str], times: Mapping[str, datetime | None]) -> list[Entry]:
    return [(_filled(path, word), at) for path in paths for word, at in times.items() if at]


def _latest(times: Mapping[str, datetime], words: Iterable[str]) -> datetime | None:
    return max((times[word] for word in words if word in times), default=None)


def _filled(path: str, word: str) -> str:
    before, _, after = re.split(r"(\{[^/]*\})", path)
    return f"{before}{quote(word, safe='/')}{after}"


def _document(root: str, item: str, origin: str, entries: Iterable[Entry]) -> str:
    lines = [
        f"<{item}><loc>{escape(origin + path)}</loc>{_last_modified(at)}</{item}>"
        for path, at in entries
    ]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<{root} xmlns="{NAMESPACE}">',
            *lines,
            f"</{root}>",
            "",
        ]
    )


def _last_modified(at: datetime | None) -> str:
    return f"<lastmod>{at.isoformat(timespec='seconds')}</lastmod>" if at else ""
