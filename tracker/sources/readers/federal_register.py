"""Reads documents of the US Federal Register from its API, in JSON.

Source: www.federalregister.gov/api/v1/documents; US public domain. A rule of the Bureau of Industry and
Security (BIS) is a control if its summary sets up licence requirements and names a commodity of the tracker.
Every other relevant document is an announcement. Details that the data do not contain (destinations, items by
number, exceptions) are left empty.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from datetime import date
from functools import cache

import msgspec

from tracker.domain.actors.announcement import Made
from tracker.domain.basics.codec import decode
from tracker.domain.basics.control_vocabulary import Direction, Measure
from tracker.domain.basics.values import PartialDate
from tracker.domain.basics.vocabulary import AnnouncementKind, Checked
from tracker.domain.catalogue.commodities import Commodity, commodities, find_commodity
from tracker.domain.catalogue.places import Actor, Place
from tracker.domain.controls.clause import Clause
from tracker.domain.controls.export_control_acts import Announced
from tracker.domain.entities.fact import Fact, Source
from tracker.errors import InvalidInput
from tracker.sources import reader
from tracker.sources.ids import slug
from tracker.sources.text_files import in_utf8

MAX_FILE_BYTES = 64 * 1024 * 1024
BIS = "industry-and-security-bureau"
SETS_UP = re.compile(
    r"\b(?:impos|add|adopt|implement|expand|establish|creat)(?:es|s|ing|e)\b", re.IGNORECASE
)
LICENCE = re.compile(
    r"\blicen[sc](?:e|ing) (?:requirement|polic)|\brequires? a licen[sc]e\b"
    r"|\bexport controls? on\b|\bcontrols on the export\b",
    re.IGNORECASE,
)
FINAL = re.compile(r"\bfinal rule\b|\brule\b", re.IGNORECASE)
CHANGES = re.compile(
    r"\b(?:correct|delay|suspen|extend|extension|remov|withdraw|stay|proposed)", re.IGNORECASE
)
"""Actions and titles of rules that change other rules; the data do not name these."""
GENERIC = frozenset({"critical_minerals", "minerals", "dual_use_items"})


class Agency(msgspec.Struct, frozen=True):
    """An agency that issues a document."""

    name: str | None = None
    raw_name: str | None = None
    slug: str | None = None


class Document(msgspec.Struct, frozen=True):
    """The fields of a document that are read."""

    document_number: str
    title: str
    type: str
    publication_date: date
    abstract: str | None = None
    action: str | None = None
    dates: str | None = None
    effective_on: date | None = None
    comments_close_on: date | None = None
    html_url: str | None = None
    citation: str | None = None
    agencies: list[Agency] = []
    docket_ids: list[str] = []
    topics: list[str] = []

    @property
    def text(self) -> str:
        """The title, abstract, action and dates as one text."""
        return f"{self.title}. {self.abstract or ''}"

    @property
    def of_bis(self) -> bool:
        """Whether BIS issues it."""
        return any(agency.slug == BIS for agency in self.agencies)


class Page(msgspec.Struct, frozen=True):
    """A page of the endpoint; without results it is a single document. Documents are decoded separately,
    so that errors name the document."""

    results: list[msgspec.Raw] | None = None


def recognise(head: bytes, name: str) -> bool:
    """Return whether a file begins like a page of documents, or one document."""
    return (
        head.removeprefix(BOM_UTF8).lstrip().startswith((b"{", b"["))
        and b'"document_number"' in head
    )


def read(file: reader.File) -> Iterator[reader.Item]:
    """Yield all documents of a file: a page, a list of documents, or a single one."""
    with in_utf8(file.at_most(MAX_FILE_BYTES)) as opened:
        content = opened.read().removeprefix(BOM_UTF8)
    place, line = 0, 1
    for index, raw in enumerate(_documents(file, content)):
        start = content.index(bytes(raw), place)
        line += content.count(b"\n", place, start)
        place = start
        at = reader.SourceLocation(line, f"results.{index}")
        try:
            document = decode(Document, bytes(raw))
            yield read_document(document, at, f"{file.name}, line {at.line}")
        except InvalidInput as error:
            yield reader.RefusedItem.because(
                reader.SourceLocation(line, f"results.{index}.{reader.dotted_path(error)}"), error
            )


def _documents(file: reader.File, content: bytes) -> list[msgspec.Raw]:
    try:
        page = msgspec.json.decode(content, type=Page | list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise reader.unreadable(file, f"expected a page of documents as JSON: {error}") from None
    if isinstance(page, list):
        return page
    return [msgspec.Raw(content)] if page.results is None else page.results


def read_document(
    document: Document, at: reader.SourceLocation, where: str | None = None
) -> reader.Item:
    """Return the fact of one document; `where` is the place for its source, if any.

    Raises InvalidInput at the invalid field.
    """
    goods = named_in(document.text)
    if not document.of_bis and not goods:
        return reader.RefusedItem(
            at, "neither of BIS nor about a commodity of the tracker", document.title, "LEFT_OUT"
        )
    id = f"us-fr-{slug(document.document_number)}"
    source = _source(document, where)
    if is_control(document, goods):
        return reader.read_fact(at, f"export-control/{id}", _control(document, goods, source), id)
    return reader.read_fact(at, f"announcement/{id}", _announcement(document, goods, source), id)


def is_control(document: Document, goods: tuple[Commodity, ...]) -> bool:
    """Return whether a document sets up licence requirements, according to its text."""
    act = document.action or document.type
    return (
        document.of_bis
        and bool(set(goods) - GENERIC)
        and document.type.casefold() == "rule"
        and FINAL.search(act) is not None
        and CHANGES.search(f"{act} {document.title}") is None
        and SETS_UP.search(document.text) is not None
        and LICENCE.search(document.text) is not None
    )


def _control(document: Document, goods: tuple[Commodity, ...], source: Source) -> Fact:
    clause = Clause(
        id="1",
        measure=Measure.LICENCE,
        commodities=goods,
        in_force_from=_day(document.effective_on),
        note="The goods are those that the summary names",
    )
    return Announced(
        source=source,
        on=source.published_on,
        issuer=Place("US"),
        direction=Direction.EXPORT,
        title=_title(document),
        clauses=(clause,),
        instrument=document.citation,
        note=_note(document),
    )


def _announcement(document: Document, goods: tuple[Commodity, ...], source: Source) -> Fact:
    effective = f"Effective on {document.effective_on}" if document.effective_on else None
    return Made(
        source=source,
        on=source.published_on,
        kind=AnnouncementKind.STATEMENT,
        title=_title(document),
        actors=(Actor("US"),),
        commodities=goods,
        topic=document.type,
        note=_note(document, effective),
    )


def _source(document: Document, where: str | None) -> Source:
    return Source(
        publisher="bis" if document.of_bis else "federal-register",
        name="Federal Register (BIS)" if document.of_bis else "Federal Register",
        published_on=PartialDate(document.publication_date.isoformat()),
        url=document.html_url,
        reference=", ".join(filter(None, (document.citation, document.document_number, where))),
        checked=Checked.DATA_FILE,
    )


def _title(document: Document) -> str:
    title = " ".join(document.title.split())
    return title if len(title) <= 500 else title[:499] + "\u2026"


def _note(document: Document, *more: str | None) -> str:
    """Return further details of the document."""
    close = document.comments_close_on
    lines = [
        document.action or document.type,
        *more,
        document.abstract,
        document.dates,
        f"Comments close on {close}" if close else None,
        _with_label("Agencies", [a.name or a.raw_name or "" for a in document.agencies]),
        _with_label("Dockets", document.docket_ids),
        _with_label("Topics", document.topics),
    ]
    sentences = [" ".join(text.split()).rstrip(".") for text in lines if text]
    return (". ".join(sentences) + ".")[:8000]


def _with_label(label: str, items: list[str]) -> str | None:
    return f"{label}: {', '.join(items)}" if items else None


def _day(day: date | None) -> PartialDate | None:
    return PartialDate(day.isoformat()) if day else None


def named_in(text: str) -> tuple[Commodity, ...]:
    """Return the commodities that a text names, in the order of the tree."""
    commodities = {find_commodity(match[0]) for match in _names().finditer(text)}
    return tuple(sorted((each for each in commodities if each), key=_places().__getitem__))


@cache
def _places() -> dict[Commodity, int]:
    """Return the position of each commodity in the tree."""
    return {commodity: place for place, commodity in enumerate(commodities())}


@cache
def _names() -> re.Pattern[str]:
    """Return every name of a commodity as words, longest first."""
    names = sorted(
        {commodity.name for commodity in commodities()}
        | {str(commodity).replace("_", " ") for commodity in commodities()}
        | {"rare earth elements", "rare earth"},
        key=len,
        reverse=True,
    )
    return re.compile(r"\b(?:" + "|".join(map(re.escape, names)) + r")\b", re.IGNORECASE)


READER = reader.Reader(
    name="federal-register",
    title="US Federal Register: documents on export controls and critical minerals (API, JSON)",
    version="1",
    licence="US public domain",
    example="documents.json of /api/v1/documents.json?conditions[agencies][]=" + BIS,
    recognise=recognise,
    read=read,
)
