"""legislation.gov.uk: new and withdrawn files in its publication log.

Source: the publication log (legislation.github.io/data-documentation/api/publication-log.html), Atom with 20
events per page, Open Government Licence. The address of a source is one of its feeds, such as
https://www.legislation.gov.uk/update/legislation/secondary/data.feed. Events are requested from the newest
back to known ones. An event is about a file (XML or PDF) of an act; only the first file of a new act is
reported. The log has publications, not their effects, so all findings are leads.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from lxml import etree
from msgspec import Meta, Struct

from tracker.review.finding import Finding, Lead, LeadCode, Origin
from tracker.watch import adapter
from tracker.watch.adapters.day_ranges import DAY, PartialPoll
from tracker.watch.adapters.feed_entries import ATOM, DC, Feed, FeedEntry, item_name, read_feed
from tracker.watch.adapters.known_documents import fingerprint
from tracker.watch.terms import Term, terms_in

LOG = "{http://www.legislation.gov.uk/namespaces/publication-log}"
METADATA = "{http://www.legislation.gov.uk/namespaces/metadata}"
MORE_PAGES = "{http://www.legislation.gov.uk/namespaces/legislation}morePages"
OVERLAP_DAYS = 2
COLD_START_DAYS = 7
MAX_PAGE_BYTES = 4_000_000
ACT = re.compile(r"https?://[a-z.]+/id/(?P<type>[a-z]+)/[!-~]{1,150}")
"""Pattern of the address of an act, such as http://www.legislation.gov.uk/id/uksi/2026/12."""
CITATIONS = {
    "asp": "{year} asp {number}",
    "nisr": "SR {year}/{number}",
    "ssi": "SSI {year}/{number}",
    "ukpga": "{year} c. {number}",
    "uksi": "SI {year}/{number}",
    "wsi": "WSI {year}/{number}",
}
"""Citation formats by type of act."""

EventName = Literal["published", "withdrawn"]


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Selection of acts: those with one of the `terms` in their title (default: all), and of one of the
    `types`, such as `uksi` (default: all).

    A first poll goes back to `since` (default: 7 days ago). Of each list, new and withdrawn files, at most
    `max_pages` of 20 events are read: a poll that needs more fails.
    """

    terms: tuple[Term, ...] = ()
    types: tuple[Annotated[str, Meta(pattern=r"^[a-z]{2,10}\Z")], ...] = ()
    since: date | None = None
    max_pages: Annotated[int, Meta(ge=1, le=500)] = 60


class LogEvent(Struct, frozen=True):
    """An event of the log: a file of an act was published or withdrawn."""

    entry: FeedEntry
    act: str
    file: str
    at: datetime
    format: str
    language: str | None
    sha256: str

    @property
    def type(self) -> str:
        """Return the type of the act, such as `uksi`."""
        match = ACT.fullmatch(self.act)
        assert match
        return match["type"]

    @property
    def number(self) -> str | None:
        """Return the citation of the act, if the format for its type is known."""
        form = CITATIONS.get(self.type)
        year, number = (_value(self.entry.element, name) for name in ("Year", "Number"))
        return form.format(year=year, number=number) if form and year and number else None

    @property
    def name(self) -> str:
        """Return the hash of the event in the cursor."""
        return fingerprint([self.entry.id, self.act])

    def origin(self, item: str, url: str) -> Origin:
        """Return the origin of the event."""
        return Origin(
            item=item_name(item),
            title=self.entry.title,
            sha256=self.sha256,
            url=url,
            place=self.entry.place,
            language=self.language,
            published_on=self.at.date(),
            number=self.number,
        )


def poll(
    settings: adapter.SourceSettings, cursor: adapter.Cursor, today: date
) -> adapter.PollSteps:
    """Poll the log: new acts, then withdrawn files."""
    options: Options = settings.options
    first = options.since or today - timedelta(days=COLD_START_DAYS)
    if cursor:
        first = date.fromisoformat(cursor["through"]) - timedelta(days=OVERLAP_DAYS)
    known, seen = frozenset(cursor.get("events", ())), list[str]()
    acts = set[str]()
    for event_name in ("published", "withdrawn"):
        events = yield from _read_events(settings.address, event_name, first, options)
        for event in reversed(events):
            seen += [event.name] if _is_selected(event, today) else []
            if event.name not in known and _matches_terms(event, options):
                yield from _findings(event, event_name, acts)
    next_cursor = {"through": today.isoformat(), "events": sorted(set(seen))}
    return adapter.PollResult(next_cursor, covers_until=today - DAY)


def _is_selected(event: LogEvent, today: date) -> bool:
    return event.at.date() >= today - timedelta(days=OVERLAP_DAYS)


def _matches_terms(event: LogEvent, options: Options) -> bool:
    return (not options.types or event.type in options.types) and (
        not options.terms or bool(terms_in(event.entry.title, options.terms))
    )


def _findings(event: LogEvent, event_name: EventName, acts: set[str]) -> Iterator[Finding]:
    """Return the lead of an event; a new act has only one, although each of its files is an event."""
    if event_name == "withdrawn":
        reason = (
            f"legislation.gov.uk withdrew the {event.format} of {event.number or event.act}:"
            f" {event.file} (a file may be withdrawn to be replaced)"
        )
        yield Lead(event.origin(event.entry.id, event.act), reason, LeadCode.WITHDRAWN)
    elif event.act not in acts:
        acts.add(event.act)
        reason = "New on legislation.gov.uk"
        yield Lead(event.origin(event.act, event.act), reason, LeadCode.ANNOUNCED)


def _read_events(
    address: str, event_name: EventName, first: date, options: Options
) -> PartialPoll[list[LogEvent]]:
    """Read the events since a day, newest first. Raises NotUnderstood."""
    query = {"event": event_name, "sort": "date", "sortorder": "descending"}
    if event_name == "published":
        query["new"] = "true"
    events: dict[str, LogEvent] = {}
    last: LogEvent | None = None
    for number in range(1, options.max_pages + 1):
        page = query | ({"page": str(number)} if number > 1 else {})
        url = f"{address}?{urlencode(page)}"
        response = yield adapter.Request(url, "application/atom+xml", max_bytes=MAX_PAGE_BYTES)
        assert response is not None
        feed = read_feed(response)
        for event in (_log_event(entry, event_name, response) for entry in feed.entries):
            if event.at.date() < first:
                return list(events.values())
            # New events move existing ones to the next page while pages are read.
            if event.name not in events:
                if last and event.at > last.at:
                    raise adapter.NotUnderstood(
                        f"{url}: {event.entry.place}: expected the newest first"
                    )
                events[event.name] = last = event
        if feed.next_url is None:
            _check_last_page(feed, url)
            return list(events.values())
    raise adapter.NotUnderstood(
        f"{address}: more than {options.max_pages} pages of {event_name} files since {first}:"
        " give more max_pages",
        code="INCOMPLETE",
    )


def _check_last_page(feed: Feed, url: str) -> None:
    """Reject a page that announces more pages without an address. Raises NotUnderstood."""
    if feed.element.findtext(MORE_PAGES, "0").strip() not in ("", "0"):
        raise adapter.NotUnderstood(
            f"{url}: there are more pages, and no link to the next one", code="INCOMPLETE"
        )


def _log_event(entry: FeedEntry, event_name: EventName, response: adapter.Response) -> LogEvent:
    """Parse and check an event. Raises NotUnderstood."""
    element = entry.element
    values = {
        "Event": _child(element, f"{LOG}Event"),
        "dc:identifier": _child(element, f"{DC}identifier"),
        "updated": _child(element, f"{ATOM}updated"),
        "file": _child(element, f"{LOG}Item_Published") or _child(element, f"{LOG}Item_Withdrawn"),
    }
    where = f"{response.url.partition('?')[0]}: {entry.place}"
    if missing := [name for name, value in values.items() if not value]:
        raise adapter.NotUnderstood(f"{where}: expected {', '.join(missing)}")
    is_new = event_name == "withdrawn" or _child(element, f"{LOG}New") == "true"
    if values["Event"] != event_name or not is_new:
        raise adapter.NotUnderstood(f"{where}: asked for {event_name} files, and got another")
    if not ACT.fullmatch(values["dc:identifier"]):
        raise adapter.NotUnderstood(
            f"{where}: {values['dc:identifier']!r} is not the address of an act"
        )
    try:
        at = datetime.fromisoformat(values["updated"])
    except ValueError:
        raise adapter.NotUnderstood(f"{where}: {values['updated']!r} is not a time") from None
    if at.tzinfo is None:
        raise adapter.NotUnderstood(f"{where}: {values['updated']!r} has no time zone")
    return LogEvent(
        entry=entry,
        act=values["dc:identifier"],
        file=values["file"],
        at=at,
        format=_child(element, f"{LOG}Format") or "file",
        language=_child(element, f"{DC}language") or None,
        sha256=response.sha256,
    )


def _child(element: etree._Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _value(element: etree._Element, name: str) -> str | None:
    child = element.find(f"{METADATA}{name}")
    return None if child is None else child.get("Value")


ADAPTER = adapter.Adapter(
    name="uk-legislation",
    title="legislation.gov.uk: new acts and withdrawn files (publication log, Atom)",
    Options=Options,
    poll=poll,
)
