"""SPARQL queries of Cellar: rows of a range of days, compared with a count and with the query.

The server sorts at most 10,000 rows. It may cut off a long query and return the rows so far; only the status
206 shows this.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import TypeVar
from urllib.parse import urlencode

from msgspec import Struct

from tracker.domain.basics.toml_files import read_toml
from tracker.watch.adapter import NotUnderstood, Request, Response
from tracker.watch.adapters.day_ranges import DayRange, Limits, ListedPage, PartialPoll
from tracker.watch.json_answers import read_json

T = TypeVar("T")

LIMITS = Limits(page_size=1000, max_count=10_000)
MAX_ANSWER_BYTES = 16_000_000
JSON = "application/sparql-results+json"
AUTHORITY = "http://publications.europa.eu/resource/authority"
WORK = re.compile(r"https?://[!-~]{1,180}")
CELEX = re.compile(r"[!-~]{1,100}")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

LANGUAGES: dict[str, str] = read_toml(__file__)
"""Languages of Cellar, with their BCP 47 codes."""

PREFIXES = """\
PREFIX cdm: <http://publications.europa.eu/ontology/cdm#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""
PATTERN = """\
  ?work cdm:official-journal-act_date_publication ?day .
  ?expression cdm:expression_belongs_to_work ?work ;
    cdm:expression_uses_language ?language ;
    cdm:expression_title ?title .
  OPTIONAL {{ ?work cdm:resource_legal_id_celex ?celex }}
  OPTIONAL {{ ?work cdm:official-journal-act_part_of_collection_document ?collection }}
  FILTER (?day >= "{first}"^^xsd:date && ?day <= "{last}"^^xsd:date)
  BIND (LCASE(STR(?title)) AS ?text)
  FILTER ({terms})"""
ROWS = "?work ?day ?language ?title ?celex ?collection"
ORDER = "?day ?work ?language ?title ?celex ?collection"


class Value(Struct, frozen=True):
    """A value in a row."""

    value: str


class Row(Struct, frozen=True):
    """A title of an act, in a language."""

    work: Value
    day: Value
    language: Value
    title: Value
    celex: Value | None = None
    collection: Value | None = None

    @property
    def key(self) -> str:
        """All fields of the row, for the detection of duplicates."""
        parts = (self.work, self.day, self.language, self.title, self.celex, self.collection)
        return "\n".join(term.value if term else "" for term in parts)


class Count(Struct, frozen=True):
    """The row of a counting query."""

    count: Value


class Rows(Struct, frozen=True):
    """The rows of a response."""

    bindings: list[Row]


class Counts(Struct, frozen=True):
    """The rows of the response to a counting query."""

    bindings: list[Count]


class RowsAnswer(Struct, frozen=True):
    """A response in the JSON format of SPARQL."""

    results: Rows


class CountsAnswer(Struct, frozen=True):
    """A response to a counting query."""

    results: Counts


class Title(Struct, frozen=True):
    """A title of an act, with the place where it was read."""

    row: Row
    place: str
    sha256: str


class Query(Struct, frozen=True):
    """A query for a range of days."""

    address: str
    terms: Mapping[str, tuple[str, ...]]

    def pattern(self, days: DayRange) -> str:
        """Return the graph pattern that rows match."""
        languages = (
            f"(?language = <{AUTHORITY}/language/{language}> && ("
            + " || ".join(f'CONTAINS(?text, "{_fold_case(term)}")' for term in terms)
            + "))"
            for language, terms in self.terms.items()
            if terms
        )
        return PATTERN.format(first=days.first, last=days.last, terms=" || ".join(languages))

    def request_page(self, days: DayRange, number: int) -> PartialPoll[ListedPage[Title]]:
        """Request a page of rows; the first page comes after a count. Raises NotUnderstood."""
        count = 0
        if number == 1:
            count = yield from self._count(days)
            if count == 0 or count >= LIMITS.max_count:
                return ListedPage(count, {})
        query = (
            f"SELECT DISTINCT {ROWS} WHERE {{\n{self.pattern(days)}\n}}\nORDER BY {ORDER}"
            f"\nLIMIT {LIMITS.page_size} OFFSET {(number - 1) * LIMITS.page_size}"
        )
        response = yield self._request(query)
        assert response is not None
        rows = _read(response, RowsAnswer).results.bindings
        titles = {}
        for index, row in enumerate(rows):
            place = f"results.bindings[{index}]"
            _check(row, days, place, response)
            titles[row.key] = Title(row, place, response.sha256)
        return ListedPage(count, titles)

    def _count(self, days: DayRange) -> PartialPoll[int]:
        inner = f"SELECT DISTINCT {ROWS} WHERE {{\n{self.pattern(days)}\n}}"
        query = f"SELECT (COUNT(*) AS ?count) WHERE {{ {{ {inner} }} }}"
        response = yield self._request(query)
        assert response is not None
        counts = _read(response, CountsAnswer).results.bindings
        if len(counts) != 1 or not counts[0].count.value.isdecimal():
            raise NotUnderstood(f"{self.address}: expected one count")
        return int(counts[0].count.value)

    def _request(self, query: str) -> Request:
        """Return the request of a query, as a form: with all terms it is too long for an address."""
        form = urlencode({"query": PREFIXES + query, "format": JSON})
        return Request(
            self.address,
            accept=JSON,
            body=form.encode(),
            content_type="application/x-www-form-urlencoded",
            max_bytes=MAX_ANSWER_BYTES,
        )


def last_part(address: str) -> str:
    """Return the last part of an address, such as `ENG`."""
    return address.rpartition("/")[2]


def _fold_case(term: str) -> str:
    return " ".join(term.split()).lower()


def _check(row: Row, days: DayRange, place: str, response: Response) -> None:
    """Reject a row that does not match the query. Raises NotUnderstood."""
    day, language = _day(row.day.value), last_part(row.language.value)
    if day is None or not days.first <= day <= days.last:
        raise NotUnderstood(
            f"{_address(response)}: {place}: asked for {days}, and got {row.day.value!r}"
        )
    if language not in LANGUAGES or not row.title.value.strip():
        raise NotUnderstood(f"{_address(response)}: {place}: expected a title in a language")
    if not WORK.fullmatch(row.work.value) or not (
        row.celex is None or CELEX.fullmatch(row.celex.value)
    ):
        raise NotUnderstood(f"{_address(response)}: {place}: expected a work, and its number")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        return None


def _read(response: Response, kind: type[T]) -> T:
    if response.status not in (200, 304):
        raise NotUnderstood(
            f"{_address(response)}: the answer is only a part of it (status {response.status})",
            code="INCOMPLETE",
        )
    return read_json(response, kind)


def _address(response: Response) -> str:
    return response.url.partition("?")[0]
