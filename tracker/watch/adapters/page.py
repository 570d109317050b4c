"""Any page by its address: a change of its visible text is a lead.

For HTML, the text lines of the whole page or of the elements of a CSS selector are compared, without markup.
For any other file the bytes are compared. The cursor has a short hash of each line, so that the lead can list
new lines. Removed lines are in the snapshot of the last poll.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated

from cssselect import SelectorError
from lxml.cssselect import CSSSelector
from msgspec import Meta, Struct

from tracker.errors import InvalidInput
from tracker.review.finding import Lead, LeadCode, Origin
from tracker.watch import adapter
from tracker.watch.adapters.day_ranges import DAY
from tracker.watch.html_process import read_apart
from tracker.watch.markup import lines_of, parse_html, sent_on_to, text_of
from tracker.watch.terms import Term, terms_in

HTML = ("text/html", "application/xhtml+xml")
LINE_DIGITS = 8
MAX_LINES = 20_000
MAX_SHOWN_LINES, MAX_SHOWN_CHARACTERS = 20, 300


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Selected part of a page: the elements that match the CSS `selector`, at least one.

    Lines that match a regular expression in `ignore` are left out, such as a counter or today's date. With
    `terms`, a change is a lead only if a new line contains one of them. `language` (BCP 47) applies to a page
    that does not declare one.
    """

    selector: Annotated[str, Meta(max_length=500)] | None = None
    ignore: tuple[Annotated[str, Meta(min_length=1, max_length=300)], ...] = ()
    terms: tuple[Term, ...] = ()
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*\Z")] | None = None

    def __post_init__(self) -> None:
        try:
            CSSSelector(self.selector or "*")
        except SelectorError as error:
            raise InvalidInput(f"expected a CSS selector: {error}", path=("selector",)) from None
        for index, pattern in enumerate(self.ignore):
            try:
                re.compile(pattern)
            except re.error as error:
                raise InvalidInput(
                    f"expected a regular expression: {error}", path=("ignore", index)
                ) from None


class PageText(Struct, frozen=True):
    """Content of a page: its title, its language and its lines."""

    title: str
    language: str | None
    lines: list[str]


def poll(
    settings: adapter.SourceSettings, cursor: adapter.Cursor, today: date
) -> adapter.PollSteps:
    """Poll a page. The first poll only remembers its content."""
    options: Options = settings.options
    response = yield adapter.Request(settings.address)
    assert response is not None
    page = _read(response, settings)
    known: list[str] = cursor.get("lines", [])
    now = [_hash(line) for line in page.lines]
    if cursor and known != now:
        before, after = set(known), set(now)
        new = [line for line in page.lines if _hash(line) not in before]
        gone = sum(each not in after for each in known)
        if not options.terms or terms_in("\n".join(new), options.terms):
            yield _lead(settings, response, page, _reason(new, gone, cursor))
    next_cursor = {"lines": now, "sha256": response.sha256, "through": today.isoformat()}
    return adapter.PollResult(next_cursor, covers_until=today - DAY)


def _read(response: adapter.Response, settings: adapter.SourceSettings) -> PageText:
    """Return the content of a page. Raises NotUnderstood."""
    options: Options = settings.options
    if response.media_type not in HTML:
        return PageText(settings.name, options.language, [f"SHA-256 {response.sha256}"])
    return read_apart(read_page, response, options, settings.name)


def read_page(response: adapter.Response, options: Options, name: str) -> PageText:
    """Parse an HTML page; `name` is the title of a page without one. Raises NotUnderstood."""
    root = parse_html(response)
    if target := sent_on_to(root, response.url):
        raise adapter.NotUnderstood(
            f"{response.url}: the page sends its readers on to {target[:300]}"
        )
    parts = CSSSelector(options.selector)(root) if options.selector else [root]
    if not parts:
        raise adapter.NotUnderstood(
            f"{response.url}: nothing matches the selector {options.selector!r}"
        )
    patterns = [re.compile(pattern) for pattern in options.ignore]
    lines = [
        line
        for part in parts
        for line in lines_of(part)
        if not any(pattern.search(line) for pattern in patterns)
    ]
    if not lines:
        raise adapter.NotUnderstood(f"{response.url}: expected text, and there is none")
    if len(lines) > MAX_LINES:
        raise adapter.NotUnderstood(f"{response.url}: expected at most {MAX_LINES:,} lines")
    title = root.find(".//title")
    title_text = text_of(title) if title is not None else ""
    return PageText(title_text or name, root.get("lang") or options.language, lines)


def _hash(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()[:LINE_DIGITS]


def _reason(new: Sequence[str], gone: int, cursor: adapter.Cursor) -> str:
    """Describe the changes since the last poll."""
    shown = [line[:MAX_SHOWN_CHARACTERS] for line in new[:MAX_SHOWN_LINES]]
    more = len(new) - len(shown)
    parts = [
        f"The page differs from that of {cursor['through']} (snapshot {cursor['sha256']}):",
        f"{len(new)} lines are new, {gone} are gone" if new or gone else "its lines have moved",
        *(f"+ {line}" for line in shown),
        *([f"… and {more} more"] if more else []),
    ]
    return "\n".join(parts)


def _lead(
    settings: adapter.SourceSettings, response: adapter.Response, page: PageText, reason: str
) -> Lead:
    origin = Origin(
        item=hashlib.sha256(settings.address.encode()).hexdigest(),
        title=page.title,
        sha256=response.sha256,
        url=response.url,
        place=settings.options.selector or "",
        language=page.language,
    )
    return Lead(origin, reason, LeadCode.CHANGED)


ADAPTER = adapter.Adapter(
    name="page",
    title="Any page or file by its address: changes of what it says",
    Options=Options,
    poll=poll,
)
