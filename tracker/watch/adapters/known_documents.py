"""Memory of documents, for the detection of new, changed and withdrawn ones. Pure.

Each poll repeats some days of the previous one, because publishers add documents late, correct them and
withdraw them. The cursor has a fingerprint of each document of those days.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any

from msgspec import Struct

from tracker.domain.basics.codec import encode
from tracker.watch.adapter import Cursor
from tracker.watch.adapters.day_ranges import DayRange

FINGERPRINT_DIGITS = 16
MAX_TITLE_CHARACTERS = 150


def fingerprint(value: Any) -> str:
    """Return digits of the SHA-256 of a value's JSON with sorted fields."""
    return hashlib.sha256(encode(_sort_keys(value))).hexdigest()[:FINGERPRINT_DIGITS]


def _sort_keys(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sort_keys(value[key]) for key in sorted(value)}
    return [_sort_keys(each) for each in value] if isinstance(value, list | tuple) else value


class KnownDocument(Struct, frozen=True):
    """Remembered part of a document: its fingerprint, its day and the beginning of its title."""

    fingerprint: str
    day: date
    title: str


class KnownDocuments(Struct, frozen=True):
    """Content of a cursor: the day up to which the list was read, and the documents of the last days.

    The day is None before the first poll. Documents are keyed by the publisher's ids.
    """

    through: date | None
    documents: Mapping[str, KnownDocument]

    @classmethod
    def of(cls, cursor: Cursor, query_fingerprint: str) -> KnownDocuments:
        """Load the memory of a list; it is empty if the query has changed since."""
        if cursor.get("asked") != query_fingerprint:
            return cls(None, {})
        documents = {
            name: KnownDocument(digits, date.fromisoformat(day), title)
            for name, (digits, day, title) in cursor["documents"].items()
        }
        return cls(date.fromisoformat(cursor["through"]), documents)

    def days(self, since: date, overlap_days: int, today: date) -> DayRange:
        """Return the days to read: those to repeat, and those since then."""
        if self.through is None:
            return DayRange(min(since, today), today)
        return DayRange(min(self.through, today) - timedelta(days=overlap_days), today)

    def has(self, name: str, now: str) -> bool:
        """Return whether a document is remembered with its present content."""
        return name in self.documents and self.documents[name].fingerprint == now

    def had_another(self, name: str, now: str) -> bool:
        """Return whether a document is remembered with other content."""
        return name in self.documents and self.documents[name].fingerprint != now

    def missing(self, listed: Collection[str], days: DayRange) -> dict[str, KnownDocument]:
        """Return the remembered documents of some days that are missing now."""
        return {
            name: each
            for name, each in sorted(self.documents.items())
            if name not in listed and days.first <= each.day <= days.last
        }


def cursor_of(
    today: date, overlap_days: int, query_fingerprint: str, documents: Mapping[str, KnownDocument]
) -> Cursor:
    """Return the next cursor; it keeps the documents of the days that will be repeated."""
    first = today - timedelta(days=overlap_days)
    return {
        "through": today.isoformat(),
        "asked": query_fingerprint,
        "documents": {
            name: [each.fingerprint, each.day.isoformat(), each.title[:MAX_TITLE_CHARACTERS]]
            for name, each in documents.items()
            if each.day >= first
        },
    }
