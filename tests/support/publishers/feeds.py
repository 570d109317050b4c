"""Simulated feeds: Atom and RSS with any entries, and the publication log of legislation.gov.uk."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

from tests.support.publishers.publisher import MISSING, Asked, Page, Publisher

PAGE_SIZE = 20


@dataclass(frozen=True)
class Item:
    """An entry of a feed; `extra` is additional XML."""

    id: str
    title: str
    day: str = "2026-02-20"
    text: str = ""
    link: str = ""
    extra: str = ""


def atom(
    items: Sequence[Item], title: str = "A feed", head: str = "", language: str = "en"
) -> Page:
    """Return an Atom feed."""
    entries = "".join(
        f"<entry><id>{escape(each.id)}</id><title>{escape(each.title)}</title>"
        f'<link href="{escape(each.link or each.id)}"/>'
        f"<updated>{each.day if 'T' in each.day else each.day + 'T08:00:00Z'}</updated>"
        f"<summary>{escape(each.text)}</summary>{each.extra}</entry>"
        for each in items
    )
    content = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{language}"><id>urn:feed</id>'
        f"<title>{escape(title)}</title>{head}{entries}</feed>"
    )
    return Page(content.encode(), "application/atom+xml")


def rss(items: Sequence[Item], language: str = "en", encoding: str = "utf-8") -> Page:
    """Return an RSS 2.0 feed."""
    entries = "".join(
        f'<item><guid isPermaLink="false">{escape(each.id)}</guid>'
        f"<title>{escape(each.title)}</title>"
        f"<link>{escape(each.link or 'https://publisher.example/' + each.id)}</link>"
        f"<pubDate>{datetime.fromisoformat(each.day):%a, %d %b %Y 09:30:00 +0800}</pubDate>"
        f"<description>{escape(each.text)}</description>{each.extra}</item>"
        for each in items
    )
    content = (
        f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel>'
        f"<title>A feed</title><language>{language}</language>{entries}</channel></rss>"
    )
    return Page(content.encode(encoding), "application/rss+xml")


@dataclass(frozen=True)
class LogItem:
    """An event of the publication log: a file of an act is published or withdrawn."""

    act: str
    """Id of the act, such as `uksi/2026/12`."""
    title: str
    at: str = "2026-02-28T09:00:00.51+00:00"
    event: str = "published"
    new: bool = True
    format: str = "xml"
    language: str = "en"


class LegislationGovUk(Publisher):
    """A simulated /update/legislation/secondary/data.feed, with its filters and pages of 20."""

    PATH = "/update/legislation/secondary/data.feed"

    def __init__(self, *items: LogItem):
        super().__init__()
        self.items = list(items)
        self.moves = 0
        """Number of events that arrive while a page is read."""

    def page(self, asked: Asked) -> Page:
        """Return a page of the log."""
        if asked.path != self.PATH:
            return MISSING
        event, new = asked.parameter("event"), asked.parameter("new")
        found = [
            each
            for each in sorted(self.items, key=lambda each: each.at, reverse=True)
            if event in ("", each.event) and (not new or (new == "true") == each.new)
        ]
        number = int(asked.parameter("page", "1"))
        shown = found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
        more = max(0, -(-len(found) // PAGE_SIZE) - number)
        for _ in range(self.moves):
            self.items.append(_later(self.items[0], len(self.items)))
        return atom([_entry(each) for each in shown], head=_head(asked, number, more))


def _later(item: LogItem, number: int) -> LogItem:
    at = datetime.fromisoformat(item.at) + timedelta(minutes=number)
    return replace(item, act=f"uksi/2026/{10_000 + number}", at=at.isoformat())


def _head(asked: Asked, number: int, more: int) -> str:
    head = (
        '<leg:page xmlns:leg="http://www.legislation.gov.uk/namespaces/legislation">'
        f"{number}</leg:page>"
        '<leg:morePages xmlns:leg="http://www.legislation.gov.uk/namespaces/legislation">'
        f"{more}</leg:morePages>"
    )
    if more:
        address = escape(f"http://www.legislation.gov.uk{asked.path}?page={number + 1}")
        head += f'<link rel="next" href="{address}"/>'
    return head


def _entry(each: LogItem) -> Item:
    site = "http://www.legislation.gov.uk"
    kind, year, number = each.act.split("/")
    file = f"{site}/{each.act}/made/data.{each.format}"
    verb = "Withdrawn" if each.event == "withdrawn" else "Published"
    new = "" if each.event == "withdrawn" else f"<New>{str(each.new).lower()}</New>"
    extra = (
        '<identifier xmlns="http://purl.org/dc/elements/1.1/">'
        f"{site}/id/{each.act}</identifier>"
        f'<language xmlns="http://purl.org/dc/elements/1.1/">{each.language}</language>'
        '<m:Year xmlns:m="http://www.legislation.gov.uk/namespaces/metadata"'
        f' Value="{year}"/>'
        '<m:Number xmlns:m="http://www.legislation.gov.uk/namespaces/metadata"'
        f' Value="{number}"/>'
    ) + "".join(
        part.replace(">", ' xmlns="http://www.legislation.gov.uk/namespaces/publication-log">', 1)
        for part in (
            f"<Event>{each.event}</Event>",
            new,
            f"<Item_{verb}>{file}</Item_{verb}>",
            f"<Format>{each.format}</Format>",
        )
        if part
    )
    assert kind
    return Item(f"{file}/{each.event}/{each.at}", each.title, each.at, extra=extra)
