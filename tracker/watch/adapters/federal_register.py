"""The US Federal Register: documents of certain agencies, and documents with certain terms.

Source: www.federalregister.gov/api/v1/documents.json (no key, US public domain). A page has at most 2,000
documents, and a search returns only the first 10,000. Beyond either limit the API silently returns other
documents. So the adapter requests ranges of days (see `day_ranges`) in a stable order, and compares each
document with the request. The import reader `tracker.sources.readers.federal_register` reads the documents.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct

from tracker.domain.basics.codec import decode, encode
from tracker.errors import InvalidInput
from tracker.review.finding import FactProposal, Finding, Lead, LeadCode, Origin
from tracker.sources.reader import ReadFact, SourceLocation
from tracker.sources.readers.federal_register import Document, read_document
from tracker.watch import adapter
from tracker.watch.adapters.day_ranges import (
    DAY,
    DayRange,
    Limits,
    ListedPage,
    PartialPoll,
    read_days,
)
from tracker.watch.adapters.known_documents import (
    KnownDocument,
    KnownDocuments,
    cursor_of,
    fingerprint,
)
from tracker.watch.json_answers import not_as_expected, read_json
from tracker.watch.listing import address_in

LIMITS = Limits(page_size=1000, max_count=10_000)
COLD_START_DAYS = 90
FIELDS = (*Document.__struct_fields__, "correction_of", "corrections")
"""Requested fields of each document: those that the reader reads, and corrections."""
MAX_PAGE_BYTES = 32_000_000
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,49}")
"""Pattern of the number of a document, such as 2026-00123 or C1-2026-00123."""


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Selection of documents: those of one of the `agencies` (as in their addresses), and those of any
    agency with one of the `terms` in their text.

    `types` limits both to some kinds. A first poll begins at `since` (default: 90 days ago). Each poll
    repeats the last `overlap_days`. `leads` sets whether a document is a lead if it has a term but names no
    commodity of the tracker in its title or summary.
    """

    agencies: tuple[Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z")], ...] = ()
    terms: tuple[Annotated[str, Meta(pattern=r'^[^"|&!()]{2,100}\Z')], ...] = ()
    types: tuple[Literal["RULE", "PRORULE", "NOTICE", "PRESDOCU"], ...] = ()
    since: date | None = None
    overlap_days: Annotated[int, Meta(ge=1, le=90)] = 30
    leads: bool = True

    def __post_init__(self) -> None:
        if not self.agencies and not self.terms:
            raise InvalidInput("expected agencies or terms", path=("agencies",))


class DocumentPage(Struct, frozen=True):
    """A page of documents. The API omits `results` if there are none."""

    count: int
    results: list[msgspec.Raw] = []


class Entry(Struct, frozen=True):
    """A document as received, with its place in the page and the reason of the request."""

    document: Document
    fields: dict[str, Any]
    place: str
    response: adapter.Response
    because: str

    @property
    def known(self) -> KnownDocument:
        """Return the part that is remembered."""
        document = self.document
        return KnownDocument(fingerprint(self.fields), document.publication_date, document.title)

    def origin(self) -> Origin:
        """Return the origin of the document."""
        return Origin(
            item=self.document.document_number,
            title=self.document.title,
            sha256=self.response.sha256,
            url=address_in(self.document.html_url, self.response.url) or self.response.url,
            place=self.place,
            language="en",
            published_on=self.document.publication_date,
            number=self.document.citation or self.document.document_number,
        )


class Query(Struct, frozen=True):
    """One of the searches of a source."""

    address: str
    conditions: tuple[tuple[str, str], ...]
    because: str

    def request(self, days: DayRange, number: int) -> adapter.Request:
        """Return the request for a page of a range of publication days."""
        parameters = [
            *self.conditions,
            ("conditions[publication_date][gte]", days.first.isoformat()),
            ("conditions[publication_date][lte]", days.last.isoformat()),
            ("order", "oldest"),
            ("per_page", str(LIMITS.page_size)),
            ("page", str(number)),
            *(("fields[]", field) for field in FIELDS),
        ]
        url = f"{self.address}?{urlencode(parameters)}"
        return adapter.Request(url, accept="application/json", max_bytes=MAX_PAGE_BYTES)

    def request_page(self, days: DayRange, number: int) -> PartialPoll[ListedPage[Entry]]:
        """Request a page of a range of publication days. Raises NotUnderstood."""
        response = yield self.request(days, number)
        assert response is not None
        listing = read_json(response, DocumentPage)
        entries = [
            _entry(bytes(raw), f"results[{place}]", response, self.because)
            for place, raw in enumerate(listing.results)
        ]
        for entry in entries:
            if not days.first <= entry.document.publication_date <= days.last:
                raise adapter.NotUnderstood(
                    f"{entry.place}: asked for documents of {days}, and got one of"
                    f" {entry.document.publication_date}"
                )
        return ListedPage(listing.count, {each.document.document_number: each for each in entries})


def poll(
    settings: adapter.SourceSettings, cursor: adapter.Cursor, today: date
) -> adapter.PollSteps:
    """Poll a range of days for documents that are new, changed, corrected or withdrawn."""
    options: Options = settings.options
    queries = list(_queries(settings.address, options))
    query_fingerprint = fingerprint([query.conditions for query in queries])
    known = KnownDocuments.of(cursor, query_fingerprint)
    since = options.since or today - timedelta(days=COLD_START_DAYS)
    days = known.days(since, options.overlap_days, today)
    entries: dict[str, Entry] = {}
    for query in queries:
        entries = (yield from read_days(days, query.request_page, LIMITS)) | entries
    for name in sorted(entries, key=lambda name: (entries[name].document.publication_date, name)):
        yield from _findings(entries[name], known, options)
    for name, document in known.missing(entries, days).items():
        yield _withdrawn(name, document, queries[0].request(days, 1).url)
    now = {name: each.known for name, each in entries.items()}
    # The issue of a day appears in the morning of Washington, so today's may not be published yet.
    return adapter.PollResult(
        cursor_of(today, options.overlap_days, query_fingerprint, now), today - DAY
    )


def _queries(address: str, options: Options) -> Iterator[Query]:
    types = tuple(("conditions[type][]", each) for each in options.types)
    if options.agencies:
        agencies = tuple(("conditions[agencies][]", each) for each in options.agencies)
        yield Query(address, agencies + types, "of " + ", ".join(options.agencies))
    if options.terms:
        # In brackets the phrase is searched literally. Without an operator, a search may add similar
        # documents or omit matching ones.
        words = " | ".join(f'"{term}"' for term in options.terms)
        term = ("conditions[term]", f"({words})")
        yield Query(address, (term, *types), "with one of the words " + ", ".join(options.terms))


def _entry(raw: bytes, place: str, response: adapter.Response, because: str) -> Entry:
    try:
        fields = decode(dict[str, Any], raw)
        recorded = {name: value for name, value in fields.items() if value is not None}
        document = decode(Document, encode(recorded))
        if not document.title.strip() or not NUMBER.fullmatch(document.document_number):
            raise InvalidInput("expected a number and a title")
        return Entry(document, fields, place, response, because)
    except InvalidInput as error:
        raise not_as_expected(response, error.message, place, *error.path) from None


def _findings(entry: Entry, known: KnownDocuments, options: Options) -> Iterator[Finding]:
    number, now = entry.document.document_number, entry.known.fingerprint
    if known.has(number, now):
        return
    if known.had_another(number, now):
        reason = "The publisher has changed its record of this document since the last poll"
        yield Lead(entry.origin(), reason, LeadCode.ANOTHER_BODY)
    if finding := _finding(entry, options):
        yield finding


def _finding(entry: Entry, options: Options) -> Finding | None:
    """Return the finding for a document: a fact if it states one, otherwise a lead."""
    document = entry.document
    try:
        item = read_document(document, SourceLocation(1, entry.place))
    except InvalidInput as error:
        where = ".".join(map(str, error.path)) or "the document"
        reason = f"{where} can't be recorded: {error.message}"
        return Lead(entry.origin(), reason, LeadCode.NOT_READ)
    if isinstance(item, ReadFact):
        return FactProposal(entry.origin(), _reason(entry), item.planned)
    if not options.leads:
        return None
    reason = f"A document {entry.because}; its title and summary name no commodity of the tracker"
    return Lead(entry.origin(), reason, LeadCode.ANNOUNCED)


def _reason(entry: Entry) -> str:
    document = entry.document
    parts = [document.type, document.action or ""]
    subject = ": ".join(text.strip().rstrip(".") for text in parts if text.strip())
    reason = f"{subject}; a document {entry.because}"
    if corrected := entry.fields.get("correction_of"):
        reason += f"; it corrects {corrected}"
    corrections = entry.fields.get("corrections")
    if corrections and isinstance(corrections, list):
        reason += f"; corrected by {', '.join(map(str, corrections))}"
    return reason


def _withdrawn(number: str, known: KnownDocument, url: str) -> Lead:
    origin = Origin(
        item=number,
        title=known.title,
        sha256=None,
        url=url,
        language="en",
        published_on=known.day,
        number=number,
    )
    reason = "The document was listed before, and is not any more"
    return Lead(origin, reason, LeadCode.WITHDRAWN)


ADAPTER = adapter.Adapter(
    name="federal-register",
    title="US Federal Register: documents of agencies, and with words (API v1)",
    Options=Options,
    poll=poll,
)
