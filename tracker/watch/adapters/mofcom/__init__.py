"""Announcements of China's Ministry of Commerce (商务部公告), from its lists in Chinese and English.

Source: www.mofcom.gov.cn and its further sites. One act may be at several addresses. The first one is
proposed, others only if their text differs. The ministry numbers its announcements per year; a missing number
between others is a lead. English pages are declared translations for reference, so they are leads under the
number of their act.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from msgspec import Struct

from tracker.review.finding import Finding, Lead, LeadCode, Origin
from tracker.watch import adapter
from tracker.watch.adapters.mofcom.acts import Act, act_request, read_act
from tracker.watch.adapters.mofcom.controls import propose_control
from tracker.watch.adapters.mofcom.journal import Journal
from tracker.watch.adapters.mofcom.numbers import ActNumber, number_in
from tracker.watch.html_process import read_apart
from tracker.watch.listing import (
    GONE,
    MAX_REMEMBERED_CHARACTERS,
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

FIRST_POLL_DAYS = 90
"""Days before the first poll from which acts are read by default."""
MAX_READ = 60
"""Maximum number of acts read in one poll; the others wait for the next."""
MAX_TRIES = 6
"""Number of polls in which an unavailable act is requested."""
MAX_WITHDRAWAL_CHECKS = 5
SETTLED_AFTER_DAYS = 3
"""Days for which a number may be missing before it is reported as a gap."""
READ_AGAIN_DAYS = 3
"""Days after its publication during which an act is read again every day."""
TERMS = (
    *("出口管制", "管制清单", "两用物项", "稀土", "不可靠实体", "出口许可", "禁止出口", "限制出口"),
    *("镓", "锗", "锑", "石墨", "钨", "碲", "铋", "钼", "铟", "锂", "超硬材料"),
    *("export control", "dual-use", "rare earth", "unreliable entit", "export ban", "export licen"),
)


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Further lists of the ministry, and the layout of its pages.

    `since` is the first day that is read (default: 90 days before the first poll). `terms` are searched in
    titles and texts: acts without one are counted, but not reported.
    """

    since: date | None = None
    lists: tuple[str, ...] = ()
    english_lists: tuple[str, ...] = ()
    item: str = 'li:has(a[href*="/art"])'
    body: str = "div.art-con"
    next: str | None = None
    page_parameter: str | None = None
    terms: tuple[Term, ...] = TERMS
    max_pages: MaxPages = 20

    def __post_init__(self) -> None:
        for selector in (self.item, self.body, self.next):
            check_selector(selector)

    def layout(self, language: str) -> Layout:
        """Return the layout of the lists in a language."""
        return Layout(
            item=self.item,
            day_form="%Y-%m-%d",
            language=language,
            next=self.next,
            page_parameter=self.page_parameter,
        )


@dataclass(frozen=True, slots=True)
class UnreadAct:
    """An act that was listed but not read yet, and the number of attempts."""

    entry: Entry
    language: str
    known: KnownEntries
    address: str
    tries: int = 0

    def to_cursor(self) -> list[Any]:
        """Return the act's part of the cursor; see `look`."""
        entry = self.entry
        return [
            *(self.address, self.language, entry.url, entry.title[:MAX_REMEMBERED_CHARACTERS]),
            *(entry.day.isoformat(), self.tries),
        ]


def entry_of(url: str, title: str, day: str) -> Entry:
    """Return an entry from the cursor, without the place where it was listed."""
    return Entry(url, title, date.fromisoformat(day), "", url, "")


Part = Generator[adapter.Request | Finding, adapter.Response | None, None]


class State(Struct, frozen=True):
    """State of a poll."""

    options: Options
    journal: Journal
    lists: Mapping[str, tuple[str, KnownEntries]]
    """By address: the language of a list, and its known entries."""
    first_poll: date
    since: date
    today: date
    warnings: list[str]

    @classmethod
    def at(cls, settings: adapter.SourceSettings, cursor: adapter.Cursor, today: date) -> State:
        """Load the state from a cursor; it is empty before the first poll."""
        options: Options = settings.options
        first_poll = date.fromisoformat(cursor.get("first_look", today.isoformat()))
        since = options.since or first_poll - timedelta(days=FIRST_POLL_DAYS)
        languages = dict.fromkeys((settings.address, *options.lists), "zh")
        languages |= dict.fromkeys(options.english_lists, "en")
        known = cursor.get("lists", {})
        lists = {
            address: (language, KnownEntries(known.get(address, {}), since))
            for address, language in languages.items()
        }
        journal = Journal(cursor.get("acts", {}), cursor.get("gaps", []))
        return cls(options, journal, lists, first_poll, since, today, [])

    def cursor(self, unread: Sequence[UnreadAct]) -> adapter.Cursor:
        """Return the cursor of the next poll."""
        return {
            "first_look": self.first_poll.isoformat(),
            "lists": {address: known.cursor() for address, (_, known) in self.lists.items()},
            "acts": self.journal.acts_since(self.today.year - 1),
            "gaps": self.journal.gaps,
            "read_again_on": self.today.isoformat(),
            "unread": [each.to_cursor() for each in unread],
        }


def poll(
    settings: adapter.SourceSettings, cursor: adapter.Cursor, today: date
) -> adapter.PollSteps:
    """Read the lists, repeat recent acts, read new ones, then check the numbers for gaps."""
    state = State.at(settings, cursor, today)
    waiting = [
        UnreadAct(entry_of(url, title, day), language, state.lists[address][1], address, tries)
        for address, language, url, title, day, tries in cursor.get("unread", [])
        if address in state.lists
    ]
    new = waiting + (yield from _list_new_acts(state, {each.entry.url for each in waiting}))
    joined = not state.warnings
    new.sort(
        key=lambda each: each.entry.day
    )  # stable: acts of one day stay in the order of the lists
    yield from _read_again(state.journal, cursor.get("read_again_on"), today, state.options)
    unread = yield from _read_new(new[:MAX_READ], state.journal, state.options)
    left = new[MAX_READ:]
    unread += [each for each in left if each.tries]
    if left:
        state.warnings.append(f"{len(left)} acts are left for the next poll")
    if not left and not unread:
        settled = today - timedelta(days=SETTLED_AFTER_DAYS)
        for year, serial in state.journal.new_gaps(state.since, settled):
            yield _gap(year, serial, settings.address)
    first_left = min((each.entry.day for each in (*unread, *left)), default=today)
    covers_until = first_left - timedelta(days=1) if joined else None
    return adapter.PollResult(state.cursor(unread), covers_until, tuple(state.warnings[:20]))


def _list_new_acts(
    state: State, waiting: Collection[str]
) -> Generator[adapter.Request | Finding, adapter.Response | None, list[UnreadAct]]:
    """Read the lists; return their new acts, and yield findings about the lists themselves."""
    new = []
    for address, (language, known) in state.lists.items():
        layout = state.options.layout(language)
        listing = yield from walk(address, layout, known, state.options.max_pages)
        if not listing.joins:
            gap = gap_in(listing, address, language)
            state.warnings.append(gap.reason)
            yield gap
        yield from _report_missing(known.missing_in(listing), known, language)
        new += [
            UnreadAct(entry, language, known, address)
            for entry in listing.entries
            if entry not in known and entry.url not in waiting
        ]
    return new


def _read_new(
    new: list[UnreadAct], journal: Journal, options: Options
) -> Generator[adapter.Request | Finding, adapter.Response | None, list[UnreadAct]]:
    """Read new acts, and return those to request again because they were unavailable.

    Raises NotUnderstood if several were fetched and none could be parsed: then the layout has changed.
    """
    understood, refused, unread = 0, [], []
    for each in new:
        entry, language = each.entry, each.language
        each.known.add(entry, entry.title)
        try:
            response = yield from fetch(act_request(entry.url))
            act = read_apart(read_act, response, entry, options.body)
        except adapter.FetchFailed as failure:
            yield _not_read(entry, language, f"Its page was not fetched: {failure.message}", None)
            if failure.status not in GONE and each.tries + 1 < MAX_TRIES:
                unread.append(replace(each, tries=each.tries + 1))
            continue
        except adapter.NotUnderstood as error:
            refused.append(error)
            reason = f"Its page could not be read: {error.message}"
            yield _not_read(entry, language, reason, response.sha256)
            continue
        understood += 1
        finding = _of_act(act, language, journal, options)
        if finding is not None:
            yield finding
    if len(refused) > 1 and not understood:
        raise refused[0]
    return unread


def _of_act(act: Act, language: str, journal: Journal, options: Options) -> Finding | None:
    """Return the finding for an act at an address; None for a known text or an irrelevant act."""
    others: list[str] = []
    if act.number and act.number.own and language == "zh":
        if journal.has(act, act.number.item):  # listed at another address that redirects here
            return None
        others = journal.note(act, act.number.item)
    if not terms_in(f"{act.title} {act.text}", options.terms):
        return None
    origin = _origin(act, language)
    if language != "zh":
        return Lead(origin, "The ministry's own translation of an act", LeadCode.ANNOUNCED)
    if others and act.digest not in others:
        other = replace(origin, item=f"{origin.item}@{act.digest}")
        reason = f"The act of this number has another text at {', '.join(journal.urls(origin.item, act.url))}"
        return Lead(other, reason, LeadCode.ANOTHER_BODY)
    if others:
        return None
    proposal = propose_control(act, origin)
    if isinstance(proposal, str):
        return Lead(origin, f"It was announced; {proposal}", LeadCode.ANNOUNCED)
    return proposal


def _read_again(journal: Journal, last: str | None, today: date, options: Options) -> Part:
    """Read recent acts again, once a day: the ministry changes texts without notice."""
    if last is None or last >= today.isoformat():
        return
    for known in list(journal.since(today - timedelta(days=READ_AGAIN_DAYS))):
        entry = entry_of(known.url, known.title, known.day.isoformat())
        try:
            response = yield from fetch(act_request(known.url))
            act = read_apart(read_act, response, entry, options.body)
        except adapter.FetchFailed as failure:
            if failure.status in GONE:
                journal.drop(known.item, known.url)
                yield withdrawal(known.url, known.day, known.title, "zh", failure)
            continue
        except adapter.NotUnderstood as error:
            yield _not_read(
                entry, "zh", f"It can't be read any more: {error.message}", response.sha256
            )
            continue
        if act.digest != known.digest:
            journal.note(act, known.item)
            origin = replace(_origin(act, "zh"), item=f"{known.item}@{act.digest}")
            yield Lead(origin, "Its text differs from before", LeadCode.ANOTHER_BODY)


def _report_missing(missing: list[str], known: KnownEntries, language: str) -> Part:
    for url in missing[:MAX_WITHDRAWAL_CHECKS]:
        day, title = known.entries[url]
        try:
            yield from fetch(act_request(url))
        except adapter.FetchFailed as failure:
            if failure.status not in GONE:
                continue
            yield withdrawal(url, day, title, language, failure)
        del known.entries[url]


def _origin(act: Act, language: str) -> Origin:
    return Origin(
        item=_item(act.number, act.url, language),
        title=act.title,
        sha256=act.sha256,
        url=act.url,
        place="",
        language=language,
        published_on=act.day,
        number=act.number.instrument if act.number else None,
    )


def _not_read(entry: Entry, language: str, reason: str, sha256: str | None) -> Lead:
    number = number_in(entry.title)
    origin = Origin(
        item=_item(number, entry.url, language),
        title=entry.title,
        sha256=sha256 or entry.sha256 or None,
        url=entry.url,
        place="" if sha256 else entry.place,
        language=language,
        published_on=entry.day,
        number=number.instrument if number else None,
    )
    return Lead(origin, reason, LeadCode.NOT_READ)


def _item(number: ActNumber | None, url: str, language: str) -> str:
    """Return the item name of an act: by its number, otherwise by its address."""
    if number is None or not number.own:
        return item_of(url)
    return number.item if language == "zh" else f"{number.item}-{language}"


def _gap(year: int, serial: int, url: str) -> Lead:
    number = f"MOFCOM Announcement {year} No. {serial}"
    origin = Origin(
        item=f"gap-{year}-{serial}",
        title=number,
        sha256=None,
        url=url,
        language="en",
        number=number,
    )
    return Lead(origin, "Its number is in none of the lists, though later ones are", LeadCode.GAP)


ADAPTER = adapter.Adapter(
    name="mofcom",
    title="Announcements of China's Ministry of Commerce (HTML, in Chinese)",
    Options=Options,
    poll=poll,
)
