"""Lists of notices in HTML, in any language: ministries, gazettes, regulators.

The source's settings have CSS selectors for items, titles and days, and the format and language of days. The
effect of a notice is not evaluated, so each is a lead with its original title. If `read_notices` is set, its
page is stored as a snapshot.
"""

import re
from collections.abc import Generator, Iterable
from datetime import date, timedelta
from functools import cache

from msgspec import Struct

from tracker.errors import InvalidInput
from tracker.review.finding import Finding, Lead, LeadCode, Origin
from tracker.watch import adapter
from tracker.watch.days import day_format
from tracker.watch.listing import (
    GONE,
    Entry,
    KnownEntries,
    Layout,
    MaxPages,
    check_selector,
    fetch,
    gap_in,
    item_of,
    walk,
    withdrawal,
)
from tracker.watch.terms import Term, terms_in

MAX_WITHDRAWAL_CHECKS = 10
FIRST_POLL_DAYS = 90
"""Days before the first poll from which notices are read by default."""
MAX_READ = 40
"""Maximum number of notices read in one poll; the others wait for the next."""


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Description of a list of notices; see `Layout`.

    A notice is reported if its title has one of the `terms` (default: all), and none of `without`. `number`
    is a pattern whose group is its number in the title.
    """

    language: str
    item: str
    days: str
    since: date | None = None
    link: str = "a[href]"
    title: str | None = None
    day: str | None = None
    day_attribute: str | None = None
    next: str | None = None
    page_parameter: str | None = None
    terms: tuple[Term, ...] = ()
    without: tuple[Term, ...] = ()
    number: str | None = None
    read_notices: bool = False
    max_pages: MaxPages = 10

    def __post_init__(self) -> None:
        day_format(self.days, self.language)
        for selector in (self.item, self.link, self.title, self.day, self.next):
            check_selector(selector)
        _number_pattern(self.number or "()")

    def layout(self) -> Layout:
        """Return the layout of the list."""
        return Layout(
            item=self.item,
            day_form=self.days,
            language=self.language,
            link=self.link,
            title=self.title,
            day=self.day,
            day_attribute=self.day_attribute,
            next=self.next,
            page_parameter=self.page_parameter,
        )


def poll(
    settings: adapter.SourceSettings, cursor: adapter.Cursor, today: date
) -> adapter.PollSteps:
    """Read a list from the newest notice to the known ones."""
    options: Options = settings.options
    known = KnownEntries(cursor, options.since or today - timedelta(days=FIRST_POLL_DAYS))
    listing = yield from walk(settings.address, options.layout(), known, options.max_pages)
    warnings = []
    if not listing.joins:
        gap = gap_in(listing, settings.address, options.language)
        warnings.append(gap.reason)
        yield gap
    yield from _report_missing(known.missing_in(listing), known, options)
    new = sorted((e for e in listing.entries if e not in known), key=lambda e: (e.day, e.url))
    selected = [entry for entry in new if _matches_terms(entry, options)]
    now = selected[:MAX_READ] if options.read_notices else selected
    for entry in now:
        yield (yield from _notice(entry, options))
    left = selected[len(now) :]
    for entry in new:
        if entry not in left:
            known.add(entry, entry.title if entry in now else "")
    if left:
        warnings.append(f"{len(left)} notices are left for the next poll")
    covers_until = (left[0].day if left else today) - timedelta(days=1)
    return adapter.PollResult(
        known.cursor(), covers_until if listing.joins else None, tuple(warnings)
    )


def _matches_terms(entry: Entry, options: Options) -> bool:
    matches = not options.terms or terms_in(entry.title, options.terms)
    return bool(matches) and not terms_in(entry.title, options.without)


def _notice(
    entry: Entry, options: Options
) -> Generator[adapter.Request | Finding, adapter.Response | None, Lead]:
    sha256, url, place = entry.sha256, entry.listed_at, entry.place
    reason, code = "It was announced; its content has not been read yet", LeadCode.ANNOUNCED
    if options.read_notices:
        try:
            response = yield from fetch(adapter.Request(entry.url))
            sha256, url, place = response.sha256, response.url, ""
        except adapter.FetchFailed as failure:
            reason, code = f"Its page could not be read: {failure.message}", LeadCode.NOT_READ
    number = _number_pattern(options.number).search(entry.title) if options.number else None
    origin = Origin(
        item=item_of(entry.url),
        title=entry.title,
        sha256=sha256,
        url=url if options.read_notices and code is LeadCode.ANNOUNCED else entry.url,
        place=place,
        language=options.language,
        published_on=entry.day,
        number=number[1] if number else None,
    )
    return Lead(origin, reason, code)


def _report_missing(
    missing: Iterable[str], known: KnownEntries, options: Options
) -> Generator[adapter.Request | Finding, adapter.Response | None, None]:
    """Request notices that have left the list, and forget those that are deleted or merely not listed.

    If the result is uncertain, the next poll repeats the request.
    """
    for url in list(missing)[:MAX_WITHDRAWAL_CHECKS]:
        day, title = known.entries[url]
        if not title:
            del known.entries[url]
            continue
        try:
            yield from fetch(adapter.Request(url))
        except adapter.FetchFailed as failure:
            if failure.status not in GONE:
                continue
            yield withdrawal(url, day, title, options.language, failure)
        del known.entries[url]


@cache
def _number_pattern(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise InvalidInput(f"expected a pattern, got {pattern!r}: {error}") from None
    if compiled.groups != 1:
        raise InvalidInput(f"expected a pattern with one group, got {pattern!r}")
    return compiled


ADAPTER = adapter.Adapter(
    name="notices", title="Lists of notices in HTML, by CSS selectors", Options=Options, poll=poll
)
