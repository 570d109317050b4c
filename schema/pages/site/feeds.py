"""Feeds of pages: what they are narrowed by, and what is asked for them. Pure.

A feed is in the order of the log, so that a reader who comes back misses nothing, however far back
lies the day of a fact. Its newest part has an address without an end; those before it are archives
(RFC 5005) that begin and end at the same events for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, NamedTuple

from schema.inputs.arguments import parse_commodities
from schema.pages.site.address import PAGE_PARAMETERS, Address, Made
from schema.pages.site.citation import PRODUCT
from schema.pages.site.fragments import with_fragments
from tracker.domain.registry import FACTS
from tracker.errors import InvalidInput

FEED_TYPES = {
    "atom": "application/atom+xml; charset=utf-8",
    "jsonfeed": "application/feed+json; charset=utf-8",
    "ics": "text/calendar; charset=utf-8",
}
"""By the endings of addresses at which pages have feeds."""
ARCHIVE_EVENTS = 50
"""Events of an archive; the newest part has so many, and those that fill no archive yet."""


class _Narrowing(NamedTuple):
    """What a feed is narrowed by; `code` is one of goods, `hsCode`."""

    kinds: Sequence[str]
    commodities: list[str]
    places: list[str]
    types: list[str]
    search: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class FeedOfPage:
    """What the feeds of a page are narrowed by. A parameter of the page that is not named here cannot
    narrow them, and is refused: else a feed would tell more than its page."""

    kinds: tuple[str, ...] = ()
    """Only entities of these kinds, as the API names them: `EXPORT_CONTROL`. Days to come are those of the
    first."""
    kind: str | None = None
    """The name of the parameter that is a kind, or several with commas."""
    commodity: str | None = None
    """The name of the parameter that is a commodity."""
    place: str | None = None
    """That which is a place."""
    types: str | None = None
    """That which is types of events; not beside kinds."""
    search: str | None = None
    """That which is words to search for."""
    entity: Made | None = None
    """From the address to the only entity."""
    hs_code: bool = False
    """Whether `hsCode` is a code of commodities."""
    calendar: bool = False
    """Whether there are days to come."""
    calendar_filters: frozenset[str] = frozenset()
    """Parameters that narrow the days to come alone, under the names that they have there."""
    ignored: frozenset[str] = frozenset({"key"})
    """Parameters that choose no entities, or from which `entity` is made. Those that say which part of
    a list is shown are passed over on all pages."""

    @property
    def endings(self) -> tuple[str, ...]:
        """The endings at which the page has feeds."""
        return ("atom", "jsonfeed", "ics") if self.calendar else ("atom", "jsonfeed")

    def variables(self, ending: str, address: Address) -> dict[str, Any]:
        """The variables of the question of a feed. Raises InvalidInput."""
        if ending != "ics" and address.valid is not None:
            raise InvalidInput(
                "a feed tells what is new in the log, whatever its day: leave valid out, or give"
                " position for the feed as it was there",
                path=("valid",),
            )
        given = {k: v for k, v in address.parameters.items() if k not in PAGE_PARAMETERS}
        narrowed = self._take_from(given)
        if ending == "ics":
            chosen = self._calendar_variables(narrowed, given)
        else:
            chosen = {**_archive_variables(narrowed), **archive_range(address)}
        for name in given:
            if name not in self.ignored:
                raise _refused(name)
        chosen["entity"] = self.entity(address) if self.entity else None
        return {name: value for name, value in chosen.items() if value}

    def _take_from(self, given: dict[str, str]) -> _Narrowing:
        """What parameters narrow a feed by; they are taken out of those that are given."""
        return _Narrowing(
            self.kinds or _words(given.pop(self.kind or "", None)),
            _words(given.pop(self.commodity or "", None)),
            _words(given.pop(self.place or "", None)),
            _words(given.pop(self.types or "", None)),
            given.pop(self.search or "", None),
            given.pop("hsCode", None) if self.hs_code else None,
        )

    def _calendar_variables(self, narrowed: _Narrowing, given: dict[str, str]) -> dict[str, Any]:
        """The variables of the days to come, which have filters of their own among those given."""
        if narrowed.types or narrowed.search:
            raise _refused((narrowed.types and self.types) or self.search or "")
        return {
            "kind": _one(narrowed.kinds[:1] if self.kinds else narrowed.kinds, self.kind),
            "commodity": _one(narrowed.commodities, self.commodity),
            "hsCode": narrowed.code,
            "place": _one(narrowed.places, self.place),
            **{name: given.pop(name) for name in self.calendar_filters if name in given},
        }

    def addresses(self, page: Address) -> list[tuple[str, str]]:
        """By their endings the addresses of the feeds that a page has as it is narrowed: of now, and
        from the newest event on, whatever part of which moment the page shows."""
        newest = newest_part(Address(page.path, None, None, None, page.parameters, page.path_names))
        found = []
        for ending in self.endings:
            try:
                self.variables(ending, newest)
            except InvalidInput:
                continue
            found.append((ending, newest.as_form(ending)))
        return found


def newest_part(address: Address) -> Address:
    """The address of the newest part of a feed, which is the one to come back to."""
    given = address.parameters
    return replace(address, parameters={k: v for k, v in given.items() if k not in PAGE_PARAMETERS})


def feed_title(address: Address) -> str:
    """The name of a feed, by the page that it is of."""
    return PRODUCT if str(address) == "/" else f"{PRODUCT}: {address}"


def archive_range(address: Address) -> dict[str, Any]:
    """The variables of an archive; none of the newest part."""
    before = address.parameters.get("before")
    return {"before": before, "last": ARCHIVE_EVENTS} if before else {}


def event_types(kind: str) -> list[str]:
    """The types of the events of a kind of entity. Raises InvalidInput for one that has none."""
    prefix = "".join(word.capitalize() for word in kind.split("_"))
    if found := [type_ for type_ in FACTS if type_.startswith(f"{prefix}.")]:
        return found
    raise InvalidInput(f"{kind[:50]!r}: expected a kind, such as EXPORT_CONTROL", path=("kind",))


def feed_document(ending: str) -> str:
    """The question of a feed."""
    name = "calendar" if ending == "ics" else "feed"
    return with_fragments(files("schema.pages.site").joinpath(f"{name}.graphql").read_text("utf-8"))


def feed_name(ending: str) -> str:
    """The name of its operation."""
    return "Calendar" if ending == "ics" else "Feed"


@dataclass(frozen=True, slots=True)
class FeedPart:
    """A part of a feed: the newest, or an archive."""

    events: list[Mapping[str, Any]]
    """The newest first."""
    archive: bool
    older: str | None
    """The position before which the next archive ends; None where there is nothing older."""

    @property
    def updated(self) -> str:
        """When the newest of its events was recorded."""
        return self.events[0]["recordedAt"] if self.events else "1970-01-01T00:00:00Z"


def feed_part(found: Mapping[str, Any], archive: bool) -> FeedPart:
    """What a part of a feed has. Archives begin at every fiftieth event of the feed, counted from the
    first: so one that is full never changes its bounds, whatever is recorded later."""
    count = found["totalCount"]
    most = (
        ARCHIVE_EVENTS
        if archive or count < ARCHIVE_EVENTS
        else ARCHIVE_EVENTS + count % ARCHIVE_EVENTS
    )
    nodes = found["nodes"][-most:]
    more = len(nodes) < len(found["nodes"]) or found["pageInfo"]["hasPreviousPage"]
    return FeedPart(nodes[::-1], archive, nodes[0]["position"] if nodes and more else None)


def _archive_variables(narrowed: _Narrowing) -> dict[str, Any]:
    """The variables of what is new in the log."""
    commodities, code = narrowed.commodities, narrowed.code
    return {
        "types": [one for kind in narrowed.kinds for one in event_types(kind)] or narrowed.types,
        "search": narrowed.search,
        "commodities": _with_code(commodities, code) if code else commodities,
        "places": narrowed.places,
    }


def _with_code(commodities: Sequence[str], code: str) -> list[str]:
    """The commodities with a code, and where one is given, below it."""
    if found := parse_commodities(_one(commodities, "commodity"), code):
        return found
    raise InvalidInput(f"no commodity here has the code {code}", path=("hsCode",))


def _words(given: str | None) -> list[str]:
    return given.split(",") if given else []


def _one(given: Sequence[str], name: str | None) -> str | None:
    if len(given) > 1:
        raise InvalidInput("a calendar is narrowed by one at a time", path=(name or "",))
    return given[0] if given else None


def _refused(name: str) -> InvalidInput:
    return InvalidInput(f"a feed cannot be narrowed by {name[:50]!r}", path=(name[:50],))
