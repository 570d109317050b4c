"""Lists of notices in HTML: parsed by CSS selectors, read from the newest page to the known entries.

Pure, like adapters. A list without items, or an item without a link or a day, means that the layout has
changed. Then the poll fails, so that nothing is missed silently.
"""

import json
from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Any, TypeAlias
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from cssselect import SelectorError
from lxml.html import HtmlElement, document_fromstring
from msgspec import Meta, Struct

from tracker.domain.basics.text_rules import usable_address
from tracker.errors import InvalidInput
from tracker.review.finding import Finding, Lead, LeadCode, Origin
from tracker.watch.adapter import Cursor, FetchFailed, NotUnderstood, Request, Response
from tracker.watch.days import day_format
from tracker.watch.html_process import read_apart
from tracker.watch.markup import MAX_HTML_BYTES, parse_html, text_of

MaxPages: TypeAlias = Annotated[int, Meta(ge=1, le=200)]
"""Maximum number of pages of a list read in one poll."""
MAX_TITLE_CHARACTERS = 500
MAX_REMEMBERED_CHARACTERS = 100
MAX_KNOWN = 400
"""Maximum number of remembered entries of a list."""
EMPTY = document_fromstring("<p>")
GONE = (404, 410)
"""Statuses of a deleted address."""
JSON_HTML = ("data", "html")
"""JSON fields that contain the HTML of list pages served as JSON."""


class Layout(Struct, frozen=True):
    """Layout of a list, as CSS selectors: `link`, `title` and `day` are searched within an `item`.

    The default title is the text of the link, the default day is searched in the whole item. `next` selects
    the link to the next page; otherwise `page_parameter` is the parameter with the page number.
    """

    item: str
    day_form: str
    language: str
    link: str = "a[href]"
    title: str | None = None
    day: str | None = None
    day_attribute: str | None = None
    next: str | None = None
    page_parameter: str | None = None


class Entry(Struct, frozen=True):
    """An item of a list, with its place there and the snapshot of the page."""

    url: str
    title: str
    day: date
    sha256: str
    listed_at: str
    place: str


class Walk(Struct, frozen=True):
    """The read part of a list. `reaches_back_to` is the oldest day on the pages.

    `joins` is true if the pages overlap with known entries, so that nothing in between is missing.
    """

    entries: tuple[Entry, ...]
    reaches_back_to: date
    joins: bool = True


class KnownEntries:
    """Known entries of a list: addresses with day and title, and the day before which everything listed
    counts as known.

    That day is `since` at the first poll, and later polls keep it.
    """

    def __init__(self, cursor: Cursor, since: date):
        self.entries: dict[str, tuple[date, str]] = {
            url: (date.fromisoformat(day), title)
            for url, (day, title) in cursor.get("known", {}).items()
        }
        self.floor = date.fromisoformat(cursor["floor"]) if "floor" in cursor else since

    def __contains__(self, entry: Entry) -> bool:
        return entry.day < self.floor or entry.url in self.entries

    def add(self, entry: Entry, title: str) -> None:
        """Remember an entry; `title` is empty for an irrelevant one."""
        self.entries[entry.url] = (entry.day, title[:MAX_REMEMBERED_CHARACTERS])

    def missing_in(self, walk: Walk) -> list[str]:
        """Return the known addresses that are missing, although the list was read beyond their day."""
        listed = {entry.url for entry in walk.entries}
        return sorted(
            url
            for url, (day, _) in self.entries.items()
            if url not in listed and day >= self.floor and day > walk.reaches_back_to
        )

    def cursor(self) -> dict[str, Any]:
        """Return the part to remember: the newest MAX_KNOWN entries."""
        newest = sorted(self.entries.items(), key=lambda each: (each[1][0], each[0]), reverse=True)
        if len(newest) > MAX_KNOWN:
            self.floor = max(self.floor, newest[MAX_KNOWN][1][0] + timedelta(days=1))
            newest = [each for each in newest if each[1][0] >= self.floor]
        return {
            "known": {url: [day.isoformat(), title] for url, (day, title) in newest},
            "floor": self.floor.isoformat(),
        }


class ListPage(Struct, frozen=True):
    """A page of a list, in its order, and the address of the next one."""

    entries: tuple[Entry, ...]
    next_url: str | None


Fetching: TypeAlias = Generator[Request | Finding, Response | None, Response]


def fetch(request: Request) -> Fetching:
    """Fetch an address within a poll."""
    response = yield request
    assert response is not None, "the answer to a request"
    return response


def walk(
    first: str, layout: Layout, known: KnownEntries, max_pages: int
) -> Generator[Request | Finding, Response | None, Walk]:
    """Read the pages of a list, newest first, until a page has only known or older entries.

    A page that repeats earlier entries also ends the list: after the last page some lists repeat one, and
    some are empty. Nothing is missed if fewer entries are added during the poll than are on a page.

    Raises NotUnderstood; as `INCOMPLETE` if it takes more than `max_pages`.
    """
    entries: dict[str, Entry] = {}
    url: str | None = first
    oldest = date.max
    for _ in range(max_pages):
        assert url is not None
        response = yield from fetch(
            Request(url, "text/html, application/json;q=0.9", max_bytes=MAX_HTML_BYTES)
        )
        page = read_apart(read_page, response, layout, may_be_empty=bool(entries))
        if entries and _starts_over(page, entries):
            raise NotUnderstood(f"{first}: the list changed while it was read", code="INCOMPLETE")
        reached = all(entry in known or entry.url in entries for entry in page.entries)
        for entry in page.entries:
            entries.setdefault(entry.url, entry)
            oldest = min(oldest, entry.day)
        url = page.next_url
        if reached or url is None:
            joins = not known.entries or any(entry in known for entry in entries.values())
            return Walk(tuple(e for e in entries.values() if e.day >= known.floor), oldest, joins)
    raise NotUnderstood(
        f"{first}: {max_pages} pages reach back to {oldest} only, not to {known.floor} or to what was seen"
        " before: raise max_pages, or since",
        code="INCOMPLETE",
    )


def _starts_over(page: ListPage, entries: Mapping[str, Entry]) -> bool:
    """Return whether a further page is a first page with new entries, which precede entries read before.

    On an actual next page the entries read before come first, moved there by new ones.
    """
    was_read = [entry.url in entries for entry in page.entries]
    return any(not before and after for before, after in pairwise(was_read))


def read_page(response: Response, layout: Layout, *, may_be_empty: bool = False) -> ListPage:
    """Return the items of a page of a list. Raises NotUnderstood."""
    root = parse_html(_html_within(response))
    items = select(root, layout.item)
    if not items and not may_be_empty:
        raise NotUnderstood(f"{response.url}: no {layout.item!r} is in the page")
    entries = tuple(_entry(item, n, response, layout) for n, item in enumerate(items, 1))
    return ListPage(entries, _next(root, response, layout))


def _entry(item: HtmlElement, number: int, response: Response, layout: Layout) -> Entry:
    place = f"{layout.item} [{number}]"
    link = next(iter(select(item, layout.link)), None)
    url = address_in(None if link is None else link.get("href"), response.url)
    if link is None or url is None:
        raise NotUnderstood(f"{response.url}: {place} has no link {layout.link!r}")
    named = next(iter(select(item, layout.title)), None) if layout.title else link
    title = "" if named is None else " ".join((named.get("title") or "").split()) or text_of(named)
    if not title:
        raise NotUnderstood(f"{response.url}: {place} has no title")
    day = _day(item, layout)
    if day is None:
        raise NotUnderstood(f"{response.url}: {place} has no day like {layout.day_form!r}")
    return Entry(url, cut(title), day, response.sha256, response.url, place)


def _day(item: HtmlElement, layout: Layout) -> date | None:
    node = next(iter(select(item, layout.day)), None) if layout.day else item
    if node is None:
        return None
    pieces = " ".join(map(str, node.itertext()))  # a number may precede it, in a separate cell
    text = node.get(layout.day_attribute) if layout.day_attribute else pieces
    return day_format(layout.day_form, layout.language).find(text or "")


def _next(root: HtmlElement, response: Response, layout: Layout) -> str | None:
    if layout.page_parameter:
        return _numbered_next(response.request.url, layout.page_parameter)
    if layout.next is None:
        return None
    link = next(iter(select(root, layout.next)), None)
    return None if link is None else address_in(link.get("href"), response.url)


def _numbered_next(url: str, parameter: str) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    query[parameter] = str(int(query.get(parameter) or 1) + 1)
    return parts._replace(query=urlencode(query)).geturl()


def _html_within(response: Response) -> Response:
    """Return the response, or the HTML inside its JSON. Raises NotUnderstood."""
    if not (response.media_type or "").endswith("json"):
        return response
    try:
        value = json.loads(response.text())
        for key in JSON_HTML:
            value = value[key]
        return replace(response, content=value.encode(), charset="utf-8", media_type="text/html")
    except (ValueError, LookupError, TypeError, AttributeError):
        raise NotUnderstood(
            f"{response.url}: expected JSON with HTML at {'.'.join(JSON_HTML)}"
        ) from None


def select(node: HtmlElement, selector: str) -> list[HtmlElement]:
    """Return the matches of a CSS selector below a node. Raises InvalidInput for an invalid selector."""
    try:
        return node.cssselect(selector)
    except SelectorError as error:
        raise InvalidInput(f"expected a CSS selector, got {selector!r}: {error}") from None


def check_selector(selector: str | None) -> None:
    """Reject an invalid CSS selector. Raises InvalidInput."""
    if selector is not None:
        select(EMPTY, selector)


def gap_in(walk: Walk, address: str, language: str) -> Lead:
    """Return the finding that entries of a list may have been missed."""
    reason = (
        f"The list reaches back to {walk.reaches_back_to} only, and has nothing of what was seen"
        " before: others may have come and gone in between"
    )
    origin = Origin(
        item=f"gap before {walk.reaches_back_to} in {address}"[:200],
        title=address,
        sha256=None,
        url=address,
        language=language,
    )
    return Lead(origin, reason, LeadCode.GAP)


def withdrawal(url: str, day: date, title: str, language: str, failure: FetchFailed) -> Lead:
    """Return the finding that an entry has been removed from its list and its address."""
    origin = Origin(
        item=item_of(url), title=title, sha256=None, url=url, language=language, published_on=day
    )
    reason = f"It is no longer in the list, and its address answers {failure.status}"
    return Lead(origin, reason, LeadCode.WITHDRAWN)


def item_of(url: str) -> str:
    """Return the item name of an entry: its address without the scheme, shortened to its end if long."""
    return url.partition("://")[2][-200:]


def address_in(href: str | None, base: str) -> str | None:
    """Return the address of a link without its fragment; None if it is not an address of a web page."""
    if not href or not href.strip():
        return None
    try:
        parts = urlsplit(urljoin(base, href.strip()))
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    address = parts._replace(fragment="").geturl()
    return address if usable_address(address) else None


def cut(title: str) -> str:
    """Shorten a title to the permitted length."""
    return title if len(title) <= MAX_TITLE_CHARACTERS else title[: MAX_TITLE_CHARACTERS - 1] + "…"
