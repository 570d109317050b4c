"""Any Atom or RSS feed: entries that are new, changed or removed.

A feed has only the newest entries. If it contains no entry of the last poll, entries in between may be
missing. That is a lead and a warning, because nothing can recover them.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Any
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from tracker.review.finding import Finding, Lead, LeadCode, Origin
from tracker.watch import adapter
from tracker.watch.adapters.day_ranges import DAY, PartialPoll
from tracker.watch.adapters.feed_entries import Feed, FeedEntry, item_name, read_feed
from tracker.watch.adapters.known_documents import MAX_TITLE_CHARACTERS, fingerprint
from tracker.watch.terms import Term, terms_in

ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.8"
MAX_FEED_BYTES = 8_000_000
MAX_KNOWN_ENTRIES = 2_000
"""Maximum number of entries of a feed; all are remembered."""


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Selection of entries: those with one of the `terms` (default: all), and none of `without`, in title
    or text.

    A first poll takes entries since `since` (default: 30 days ago), and entries without a day. `language`
    (BCP 47) applies to a feed that does not declare one. Up to `max_pages` of a paged feed are read, while
    they have new entries.
    """

    terms: tuple[Term, ...] = ()
    without: tuple[Term, ...] = ()
    since: date | None = None
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*\Z")] | None = None
    max_pages: Annotated[int, Meta(ge=1, le=20)] = 3


class KnownEntry(Struct, frozen=True):
    """Remembered part of an entry: a fingerprint, its day, and its title (empty if it was not a lead)."""

    fingerprint: str
    day: date | None
    title: str


class ReadEntry(Struct, frozen=True):
    """An entry, with the snapshot that contains it."""

    entry: FeedEntry
    sha256: str
    page: str

    @property
    def fingerprint(self) -> str:
        """Return a hash of the content without the dates."""
        return fingerprint([self.entry.title, self.entry.text, self.entry.url])

    def origin(self, options: Options) -> Origin:
        """Return the origin of the entry."""
        return Origin(
            item=item_name(self.entry.id),
            title=self.entry.title,
            sha256=self.sha256,
            url=self.entry.url,
            place=f"{self.page}{self.entry.place}",
            language=self.entry.language or options.language,
            published_on=self.entry.published_on,
        )


def poll(
    settings: adapter.SourceSettings, cursor: adapter.Cursor, today: date
) -> adapter.PollSteps:
    """Poll a feed."""
    options: Options = settings.options
    known = _known_entries(cursor)
    feed, seen = yield from _read_pages(settings.address, known, options)
    since = options.since or today - timedelta(days=30)
    selected = {name: each for name, each in seen.items() if _matches_terms(each.entry, options)}
    for name, each in selected.items():
        first = not cursor and each.entry.day is not None and each.entry.day < since
        if not first:
            yield from _findings(name, each, known, options)
    for name, entry in _withdrawn(known, seen).items():
        yield _withdrawal(name, entry, settings)
    warnings = []
    if known and not known.keys() & seen.keys():
        warning, lead = _gap(settings, feed, cursor)
        warnings.append(warning)
        yield lead
    # Only the feed determines from which day an entry is in it, so entries of today may appear later.
    covers = None if warnings else today - DAY
    remembered = {name: _known_entry(each, name in selected) for name, each in seen.items()}
    return adapter.PollResult(_cursor(remembered or known, today), covers, tuple(warnings))


def _read_pages(
    address: str, known: Mapping[str, KnownEntry], options: Options
) -> PartialPoll[tuple[Feed, dict[str, ReadEntry]]]:
    """Read the first page of a feed, and further pages until one has a known entry."""
    url, seen, first = address, dict[str, ReadEntry](), None
    for number in range(1, options.max_pages + 1):
        response = yield adapter.Request(url, accept=ACCEPT, max_bytes=MAX_FEED_BYTES)
        assert response is not None
        feed = read_feed(response)
        first = first or feed
        page = "" if number == 1 else f"page {number}: "
        for entry in feed.entries:
            read = ReadEntry(entry, response.sha256, page)
            before = seen.setdefault(item_name(entry.id), read)
            if before.page == page and before.fingerprint != read.fingerprint:
                raise adapter.NotUnderstood(
                    f"{response.url}: {before.entry.place} and {entry.place} are not the same and have"
                    f" one id, {item_name(entry.id)}: new entries cannot be recognised"
                )
        if len(seen) > MAX_KNOWN_ENTRIES:
            raise adapter.NotUnderstood(
                f"{response.url}: expected at most {MAX_KNOWN_ENTRIES:,} entries"
            )
        url = _on_same_host(feed.next_url, response.url)
        if not url or not known or known.keys() & seen.keys():
            break
    assert first is not None
    return first, seen


def _on_same_host(url: str | None, base: str) -> str:
    """Return the next page's address with the scheme of this one; empty if it is on another host."""
    here, there = urlsplit(base), urlsplit(url or "")
    if not url or url == base or there.hostname != here.hostname:
        return ""
    return there._replace(scheme=here.scheme, netloc=here.netloc).geturl()


def _matches_terms(entry: FeedEntry, options: Options) -> bool:
    text = f"{entry.title} {entry.text}"
    matches = not options.terms or bool(terms_in(text, options.terms))
    return matches and not terms_in(text, options.without)


def _findings(
    name: str, seen: ReadEntry, known: Mapping[str, KnownEntry], options: Options
) -> Iterator[Finding]:
    before = known.get(name)
    if before is None or not before.title:
        terms = terms_in(f"{seen.entry.title} {seen.entry.text}", options.terms)
        reason = "A new entry of the feed" + (f", with {', '.join(terms)}" if terms else "")
        yield Lead(seen.origin(options), reason, LeadCode.ANNOUNCED)
    elif before.fingerprint != seen.fingerprint:
        reason = "The entry differs from the last poll; " + (
            f"its title was: {before.title}"
            if before.title != seen.entry.title[:MAX_TITLE_CHARACTERS]
            else "its title is the same"
        )
        yield Lead(seen.origin(options), reason, LeadCode.ANOTHER_BODY)


def _withdrawn(
    known: Mapping[str, KnownEntry], seen: Mapping[str, ReadEntry]
) -> dict[str, KnownEntry]:
    """Return the leads that should still be in a feed, but are missing.

    The feed must be in order, and still have older entries. Some feeds change the id of an entry with each
    edit; such entries are recognised by title.
    """
    days = [each.entry.day for each in seen.values()]
    in_order = [day for day in days if day]
    if not days or len(in_order) < len(days) or any(a < b for a, b in pairwise(in_order)):
        return {}
    titles = {each.entry.title[:MAX_TITLE_CHARACTERS] for each in seen.values()}
    order = list(known)
    last = max((place for place, name in enumerate(order) if name in seen), default=0)
    missing = {
        name: known[name]
        for name in order[:last]
        if name not in seen and known[name].title not in titles | {""}
    }
    return {name: each for name, each in missing.items() if each.day and each.day > in_order[-1]}


def _withdrawal(name: str, known: KnownEntry, settings: adapter.SourceSettings) -> Lead:
    options: Options = settings.options
    origin = Origin(
        item=name,
        title=known.title,
        sha256=None,
        url=settings.address,
        language=options.language,
        published_on=known.day,
    )
    reason = "The entry was in the feed, and is not any more, though older ones are"
    return Lead(origin, reason, LeadCode.WITHDRAWN)


def _gap(settings: adapter.SourceSettings, feed: Feed, cursor: adapter.Cursor) -> tuple[str, Lead]:
    last = cursor["through"]
    reason = (
        f"None of the entries of {last} is in the feed any more:"
        " others may have come and gone since then"
    )
    origin = Origin(
        item=f"gap since {last}",
        title=feed.title,
        sha256=None,
        url=settings.address,
        language=settings.options.language,
    )
    return reason, Lead(origin, reason, LeadCode.GAP)


def _known_entry(seen: ReadEntry, selected: bool) -> KnownEntry:
    title = seen.entry.title[:MAX_TITLE_CHARACTERS] if selected else ""
    return KnownEntry(seen.fingerprint, seen.entry.day, title)


def _known_entries(cursor: adapter.Cursor) -> dict[str, KnownEntry]:
    entries: Sequence[Sequence[Any]] = cursor.get("entries", ())
    return {
        name: KnownEntry(digits, date.fromisoformat(day) if day else None, title)
        for name, digits, day, title in entries
    }


def _cursor(entries: Mapping[str, KnownEntry], today: date) -> adapter.Cursor:
    return {
        "through": today.isoformat(),
        "entries": [
            [name, each.fingerprint, each.day and each.day.isoformat(), each.title]
            for name, each in entries.items()
        ],
    }


ADAPTER = adapter.Adapter(
    name="feed", title="Any feed, Atom or RSS: its entries, as leads", Options=Options, poll=poll
)
