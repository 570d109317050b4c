"""Parser of Atom and RSS: RFC 4287, RSS 2.0 and RSS 1.0. Pure.

Dates and languages are those declared by the feed; missing or unreadable ones are None.
"""

import hashlib
from collections.abc import Callable
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

from lxml import etree
from msgspec import Struct

from tracker.domain.basics.text_rules import usable_address
from tracker.watch.adapter import NotUnderstood, Response
from tracker.watch.html_process import read_apart
from tracker.watch.markup import parse_xml, text_of, text_of_markup

ATOM = "{http://www.w3.org/2005/Atom}"
RSS_1 = "{http://purl.org/rss/1.0/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DC = "{http://purl.org/dc/elements/1.1/}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
XML = "{http://www.w3.org/XML/1998/namespace}"
MAX_ITEM_CHARACTERS = 200
MAX_URL_CHARACTERS = 2000


class FeedEntry(Struct, frozen=True):
    """An entry: `id` is the feed's id, `text` its content as plain text.

    `day` is the later day of publication and last change, `published_on` the day of publication.
    """

    id: str
    title: str
    url: str
    place: str
    element: etree._Element
    text: str = ""
    published_on: date | None = None
    day: date | None = None
    language: str | None = None


class Feed(Struct, frozen=True):
    """A page of a feed, and the address of the next page, which has older entries."""

    title: str
    entries: tuple[FeedEntry, ...]
    next_url: str | None
    element: etree._Element


def read_feed(response: Response) -> Feed:
    """Parse a page of a feed. Raises NotUnderstood."""
    root = parse_xml(response)
    if root.tag == f"{ATOM}feed":
        return _atom(root, response.url)
    if root.tag == "rss" and (channel := root.find("channel")) is not None:
        return _rss(channel, channel.findall("item"), "", response.url)
    if root.tag == f"{RDF}RDF" and (channel := root.find(f"{RSS_1}channel")) is not None:
        return _rss(channel, root.findall(f"{RSS_1}item"), RSS_1, response.url)
    raise NotUnderstood(
        f"{response.url}: expected Atom or RSS, got <{etree.QName(root).localname}>"
    )


def item_name(id: str) -> str:
    """Return the item name for findings: the entry's id, or a hash if the id is too long or not printable."""
    if len(id) <= MAX_ITEM_CHARACTERS and id.isprintable():
        return id
    return "sha256:" + hashlib.sha256(id.encode()).hexdigest()


def _atom(root: etree._Element, base: str) -> Feed:
    language = root.get(f"{XML}lang")
    entries = [
        _atom_entry(each, f"entry[{place}]", base, language)
        for place, each in enumerate(root.findall(f"{ATOM}entry"))
    ]
    title = _text(root, f"{ATOM}title") or base
    return Feed(title, tuple(entries), _link(root, base, "next"), root)


def _atom_entry(entry: etree._Element, place: str, base: str, language: str | None) -> FeedEntry:
    id = _text(entry, f"{ATOM}id")
    if not id:
        raise NotUnderstood(f"{base}: {place}: expected an id")
    published = _day(_text(entry, f"{ATOM}published"), datetime.fromisoformat)
    updated = _day(_text(entry, f"{ATOM}updated"), datetime.fromisoformat)
    texts = (_atom_text(entry.find(f"{ATOM}{name}")) for name in ("summary", "content"))
    return FeedEntry(
        id=id,
        title=_atom_text(entry.find(f"{ATOM}title")) or id,
        url=_link(entry, base, "alternate") or base,
        place=place,
        element=entry,
        text=" ".join(filter(None, texts)),
        published_on=published or updated,
        day=updated or published,
        language=entry.get(f"{XML}lang") or _text(entry, f"{DC}language") or language,
    )


def _rss(channel: etree._Element, items: list[etree._Element], names: str, base: str) -> Feed:
    language = _text(channel, f"{names}language") or _text(channel, f"{DC}language")
    entries = [
        _rss_entry(each, f"item[{place}]", names, base, language)
        for place, each in enumerate(items)
    ]
    title = _text(channel, f"{names}title") or base
    return Feed(title, tuple(entries), _link(channel, base, "next"), channel)


def _rss_entry(
    item: etree._Element, place: str, names: str, base: str, language: str | None
) -> FeedEntry:
    link = _text(item, f"{names}link")
    id = _text(item, "guid") or item.get(f"{RDF}about") or link
    if not id:
        raise NotUnderstood(f"{base}: {place}: expected a guid or a link")
    day = _day(_text(item, "pubDate"), parsedate_to_datetime) or _day(
        _text(item, f"{DC}date"), datetime.fromisoformat
    )
    texts = (_text(item, name) for name in (f"{names}description", f"{CONTENT}encoded"))
    return FeedEntry(
        id=id,
        title=_without_markup(_text(item, f"{names}title")) or id,
        url=_join(base, link or (id if "://" in id else "")) or base,
        place=place,
        element=item,
        text=" ".join(_without_markup(text) for text in texts if text),
        published_on=day,
        day=day,
        language=_text(item, f"{DC}language") or language,
    )


def _link(element: etree._Element, base: str, relation: str) -> str | None:
    for link in element.findall(f"{ATOM}link"):
        if link.get("rel", "alternate") == relation and (href := link.get("href")):
            return _join(base, href.strip())
    return None


def _join(base: str, address: str) -> str | None:
    """Resolve an address that may be relative.

    Returns None if it is not an address of a web page (`javascript:`), or is too long to store.
    """
    try:
        joined = usable_address(urljoin(base, address))
    except ValueError:
        return None
    return joined if joined and len(joined) <= MAX_URL_CHARACTERS else None


def _text(element: etree._Element, name: str) -> str:
    child = element.find(name)
    return "" if child is None else text_of(child)


def _atom_text(element: etree._Element | None) -> str:
    if element is None:
        return ""
    text = text_of(element)
    return _without_markup(text) if element.get("type") in ("html", "text/html") else text


def _without_markup(text: str) -> str:
    if "<" not in text and "&" not in text:
        return text
    return read_apart(text_of_markup, text)


def _day(text: str, read: Callable[[str], datetime]) -> date | None:
    """Return the day as written by the publisher, in the publisher's time zone."""
    try:
        return read(text).date() if text else None
    except ValueError:
        return None
