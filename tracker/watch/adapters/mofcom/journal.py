"""Memory of the ministry's acts: days, texts by address, and missing numbers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import Struct

from tracker.watch.adapters.mofcom.acts import Act
from tracker.watch.listing import MAX_REMEMBERED_CHARACTERS

MAX_GAPS = 200
"""Maximum number of gaps reported at once; more indicate a misread number."""


def find_gaps(seen: Mapping[int, date], first: int, until: date) -> list[int]:
    """Return the missing numbers from `first` up to the highest number published by a day.

    Publishers do not list acts in the order of numbers, so higher numbers are ignored until their neighbours
    had time to appear. At most MAX_GAPS are returned, lowest first.
    """
    settled = [number for number, day in seen.items() if day <= until]
    if not settled:
        return []
    missing = (number for number in range(first, max(settled)) if number not in seen)
    return [number for number, _ in zip(missing, range(MAX_GAPS), strict=False)]


PREFIX = "announcement-"


class KnownText(Struct, frozen=True):
    """The text of an act at an address."""

    item: str
    day: date
    title: str
    url: str
    digest: str


class Journal:
    """The acts by item (`announcement-2025-18`), each with its day, its title and the digests of its texts
    by address; and the reported gaps."""

    def __init__(self, acts: Mapping[str, Any], gaps: Sequence[str]):
        self._acts: dict[str, tuple[date, str, dict[str, str]]] = {
            item: (date.fromisoformat(day), title, dict(bodies))
            for item, (day, title, bodies) in acts.items()
        }
        self.gaps = list(gaps)

    def note(self, act: Act, item: str) -> list[str]:
        """Remember the text of an act at an address; return the digests at its other addresses."""
        day, title, bodies = self._acts.get(item, (act.day, act.title, {}))
        others = [known for at, known in bodies.items() if at != act.url]
        self._acts[item] = (min(day, act.day), title, {**bodies, act.url: act.digest})
        return others

    def has(self, act: Act, item: str) -> bool:
        """Whether this text of an act is known at this address."""
        return item in self._acts and self._acts[item][2].get(act.url) == act.digest

    def drop(self, item: str, url: str) -> None:
        """Forget an address of an act; its number remains counted."""
        self._acts[item][2].pop(url, None)

    def urls(self, item: str, url: str) -> list[str]:
        """Return the addresses of an act except one."""
        return [at for at in self._acts[item][2] if at != url]

    def since(self, day: date) -> Iterator[KnownText]:
        """Return the texts of acts since a day, each with its address."""
        for item, (on, title, bodies) in sorted(self._acts.items()):
            if on >= day:
                for url, digest in list(bodies.items()):
                    yield KnownText(item, on, title, url, digest)

    def new_gaps(self, since: date, settled: date) -> Iterator[tuple[int, int]]:
        """Return the year and number of unreported gaps, and mark them as reported.

        In the year of the first poll, numbers are expected from the lowest known one, unless the poll starts
        with the year.
        """
        by_year: dict[int, dict[int, date]] = {}
        for item, (day, _, _) in self._acts.items():
            year, serial = map(int, item.removeprefix(PREFIX).split("-"))
            by_year.setdefault(year, {})[serial] = day
        for year, seen in sorted(by_year.items()):
            first = min(seen) if date(year, 1, 1) < since else 1
            for serial in find_gaps(seen, first, settled):
                if (name := f"{year}-{serial}") not in self.gaps:
                    self.gaps.append(name)
                    yield year, serial

    def acts_since(self, year: int) -> dict[str, Any]:
        """Return the part to remember: the acts since the beginning of a year."""
        self.gaps = [name for name in self.gaps if int(name.split("-")[0]) >= year]
        return {
            item: [day.isoformat(), title[:MAX_REMEMBERED_CHARACTERS], bodies]
            for item, (day, title, bodies) in self._acts.items()
            if int(item.removeprefix(PREFIX).split("-")[0]) >= year
        }
