"""Feeds of pages: their filters and their queries. Pure.

A feed is in the order of the log, so that a returning reader misses nothing, also facts with old dates. Its
newest part has an address without an end. Older parts are archives (RFC 5005), which always begin and end
at the same events.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any, NamedTuple

from msgspec import Struct

from schema.inputs.arguments import parse_commodities
from schema.pages.site.address import PAGE_PARAMETERS, Address, Made
from schema.pages.site.citation import PRODUCT
from schema.pages.site.fragments import with_fragments
from schema.pages.site.name_fields import name_of
from tracker.domain.events.registry import FACTS
from tracker.errors import InvalidInput

FEED_TYPES = {
    "atom": "application/atom+xml; charset=utf-8",
    "jsonfeed": "application/feed+json; charset=utf-8",
    "ics": "text/calendar; charset=utf-8",
}
"""Media types by the endings of addresses of feeds."""
ARCHIVE_EVENTS = 50
"""Number of events in an archive; the newest part has as many, and the events after the last full
archive."""


class _Narrowing(NamedTuple):
    """The filters of a feed; `code` is a code of goods, `hsCode`."""

    kinds: Sequence[str]
    commodities: list[str]
    places: list[str]
    types: list[str]
    search: str | None
    code: str | None


class FeedOfPage(Struct, frozen=True):
    """The filters of the feeds of a page.

    A parameter of the page that is not listed here is refused, so that a feed never has more than its page.
    """

    kinds: tuple[str, ...] = ()
    """Only entities of these kinds, as in the API: `EXPORT_CONTROL`. Upcoming dates are those of the
    first."""
    kind: str | None = None
    """Name of the parameter with a kind, or with several kinds and commas."""
    commodity: str | None = None
    """Name of the parameter with a commodity."""
    place: str | None = None
    """Name of the parameter with a place."""
    types: str | None = None
    """Name of the parameter with types of events; not together with kinds."""
    search: str | None = None
    """Name of the parameter with search words."""
    entity: Made | None = None
    """Function from the address to the only entity."""
    hs_code: bool = False
    """Whether `hsCode` is a code of commodities."""
    calendar: bool = False
    """Whether there is a calendar of upcoming dates."""
    calendar_filters: frozenset[str] = frozenset()
    """Parameters that filter only the calendar, with their names there."""
    ignored: frozenset[str] = frozenset({"key"})
    """Parameters that select no entities, or from which `entity` is made. Those that select a part of a
    list are ignored on all pages."""

    @property
    def endings(self) -> tuple[str, ...]:
        """Return the endings of the feeds of the page."""
        return ("atom", "jsonfeed", "ics") if self.calendar else ("atom", "jsonfeed")

    @property
    def filters(self) -> list[str]:
        """Return the names of the parameters that select its events, A to Z."""
        of_code, of_entity = {"hsCode"} if self.hs_code else set(), {"entity"} & self.ignored
        names = {self.kind, self.commodity, self.place, self.types, self.search}
        return sorted(name for name in names | of_code | of_entity if name)

    def variables(self, ending: str, address: Address) -> dict[str, Any]:
        """Return the variables of the query of a feed. Raises InvalidInput."""
        if ending != "ics" and address.valid is not None:
            raise InvalidInput(
                "a feed contains new events of the log, for all dates: leave valid out, or give"
                " position for the feed up to it",
                path=("valid",),
            )
        parameters = {k: v for k, v in address.parameters.items() if k not in PAGE_PARAMETERS}
        narrowed = self._take_from(parameters)
        if ending == "ics":
            chosen = self._calendar_variables(narrowed, parameters)
        else:
            chosen = {**_archive_variables(narrowed), **archive_range(address)}
        for name in parameters:
            if name not in self.ignored:
                raise _refused(name)
        chosen["entity"] = self.entity(address) if self.entity else None
        return {name: value for name, value in chosen.items() if value}

    def _take_from(self, parameters: dict[str, str]) -> _Narrowing:
        """Return the filters of a feed, and remove them from the given parameters."""
        return _Narrowing(
            self.kinds or _words(parameters.pop(self.kind or "", None)),
            _words(parameters.pop(self.commodity or "", None)),
            _words(parameters.pop(self.place or "", None)),
            _words(parameters.pop(self.types or "", None)),
            parameters.pop(self.search or "", None),
            parameters.pop("hsCode", None) if self.hs_code else None,
        )

    def _calendar_variables(
        self, narrowed: _Narrowing, parameters: dict[str, str]
    ) -> dict[str, Any]:
        """Return the variables of the calendar, which has its own filters among the given ones."""
        if narrowed.types or narrowed.search:
            raise _refused((narrowed.types and self.types) or self.search or "")
        return {
            "kind": _one(narrowed.kinds[:1] if self.kinds else narrowed.kinds, self.kind),
            "commodity": _one(narrowed.commodities, self.commodity),
            "hsCode": narrowed.code,
            "place": _one(narrowed.places, self.place),
            **{name: parameters.pop(name) for name in self.calendar_filters if name in parameters},
        }

    def addresses(self, page: Address) -> list[tuple[str, str]]:
        """Return the addresses of the feeds of a filtered page, by ending.

        They are of the present, from the newest event on, for every part and moment of the page.
        """
        newest = newest_part(Address(page.path, None, None, None, page.parameters, page.path_names))
        addresses = []
        for ending in self.endings:
            try:
                self.variables(ending, newest)
            except InvalidInput:
                continue
            addresses.append((ending, newest.as_form(ending)))
        return addresses


def newest_part(address: Address) -> Address:
    """Return the address of the newest part of a feed, which clients poll."""
    parameters = address.parameters
    return replace(
        address, parameters={k: v for k, v in parameters.items() if k not in PAGE_PARAMETERS}
    )


def feed_title(address: Address) -> str:
    """Return the name of a feed: that of the place or commodity of its page, or else its address."""
    [key] = [address.parameters[name] for name in address.path_names] or [""]
    name = name_of(key) if str(address) == address.path else key
    return PRODUCT if str(address) == "/" else f"{PRODUCT}: {address if name == key else name}"


def archive_range(address: Address) -> dict[str, Any]:
    """Return the variables of an archive; none for the newest part."""
    before = address.parameters.get("before")
    return {"before": before, "last": ARCHIVE_EVENTS} if before else {}


def event_types(kind: str) -> list[str]:
    """Return the types of the events of a kind of entity. Raises InvalidInput for a kind without events."""
    prefix = "".join(word.capitalize() for word in kind.split("_"))
    if types := [type_ for type_ in FACTS if type_.startswith(f"{prefix}.")]:
        return types
    raise InvalidInput(f"{kind[:50]!r}: expected a kind, such as EXPORT_CONTROL", path=("kind",))


def feed_document(ending: str) -> str:
    """Return the query of a feed."""
    name = "calendar" if ending == "ics" else "feed"
    return with_fragments(files("schema.pages.site").joinpath(f"{name}.graphql").read_text("utf-8"))


def feed_name(ending: str) -> str:
    """Return the name of its operation."""
    return "Calendar" if ending == "ics" else "Feed"


class FeedPart(Struct, frozen=True):
    """A part of a feed: the newest, or an archive."""

    events: list[Mapping[str, Any]]
    """Events, the newest first."""
    archive: bool
    older: str | None
    """Position before which the next archive ends; None if there are no older events."""

    @property
    def updated(self) -> str:
        """Return the time at which the newest of its events was recorded."""
        return self.events[0]["recordedAt"] if self.events else "1970-01-01T00:00:00Z"


def feed_part(page: Mapping[str, Any], archive: bool) -> FeedPart:
    """Return a part of a feed.

    Archives begin at every fiftieth event of the feed, counted from the first. So the bounds of a full
    archive never change.
    """
    count = page["totalCount"]
    most = (
        ARCHIVE_EVENTS
        if archive or count < ARCHIVE_EVENTS
        else ARCHIVE_EVENTS + count % ARCHIVE_EVENTS
    )
    nodes = page["nodes"][-most:]
    more = len(nodes) < len(page["nodes"]) or page["pageInfo"]["hasPreviousPage"]
    return FeedPart(nodes[::-1], archive, nodes[0]["position"] if nodes and more else None)


def _archive_variables(narrowed: _Narrowing) -> dict[str, Any]:
    """Return the variables of new events of the log."""
    commodities, code = narrowed.commodities, narrowed.code
    return {
        "types": [one for kind in narrowed.kinds for one in event_types(kind)] or narrowed.types,
        "search": narrowed.search,
        "commodities": _with_code(commodities, code) if code else commodities,
        "places": narrowed.places,
    }


def _with_code(commodities: Sequence[str], code: str) -> list[str]:
    """Return the commodities with a code, limited to the given ones and those below them."""
    if commodity := parse_commodities(_one(commodities, "commodity"), code):
        return commodity
    raise InvalidInput(f"no commodity here has the code {code}", path=("hsCode",))


def _words(text: str | None) -> list[str]:
    return text.split(",") if text else []


def _one(words: Sequence[str], name: str | None) -> str | None:
    if len(words) > 1:
        raise InvalidInput("a calendar is narrowed by one at a time", path=(name or "",))
    return words[0] if words else None


def _refused(name: str) -> InvalidInput:
    return InvalidInput(f"a feed cannot be narrowed by {name[:50]!r}", path=(name[:50],))
