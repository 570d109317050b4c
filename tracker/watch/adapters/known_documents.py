"""What an adapter remembers of documents, to see those that are new, changed or withdrawn. Pure.

A list is read again for some days before it was read last: publishers add documents late, correct
them and take them back. Of each document of those days a fingerprint is kept in the cursor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tracker.domain.codec import encode
from tracker.watch.adapter import Cursor
from tracker.watch.adapters.day_ranges import DayRange

FINGERPRINT_DIGITS = 16
MAX_TITLE_CHARACTERS = 150


def fingerprint(value: Any) -> str:
    """The same text for the same value: digits of the SHA-256 of its JSON, in an order of fields."""
    return hashlib.sha256(encode(_sort_keys(value))).hexdigest()[:FINGERPRINT_DIGITS]


def _sort_keys(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sort_keys(value[key]) for key in sorted(value)}
    return [_sort_keys(each) for each in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """What is kept of a document: its fingerprint, its day and the beginning of its title."""

    fingerprint: str
    day: date
    title: str


@dataclass(frozen=True, slots=True)
class KnownDocuments:
    """What a cursor holds: up to which day the list was read (None before the first look), and
    documents of the last days, by what the publisher calls them."""

    through: date | None
    documents: Mapping[str, KnownDocument]

    @classmethod
    def of(cls, cursor: Cursor, asked: str) -> KnownDocuments:
        """What is known of a list; nothing where something else was asked for than now."""
        if cursor.get("asked") != asked:
            return cls(None, {})
        documents = {
            name: KnownDocument(digits, date.fromisoformat(day), title)
            for name, (digits, day, title) in cursor["documents"].items()
        }
        return cls(date.fromisoformat(cursor["through"]), documents)

    def days(self, since: date, overlap_days: int, today: date) -> DayRange:
        """The days to read: some again, and those since then."""
        if self.through is None:
            return DayRange(min(since, today), today)
        return DayRange(min(self.through, today) - timedelta(days=overlap_days), today)

    def has(self, name: str, now: str) -> bool:
        """Whether a document is known as it is now."""
        return name in self.documents and self.documents[name].fingerprint == now

    def had_another(self, name: str, now: str) -> bool:
        """Whether a document is known, and read otherwise."""
        return name in self.documents and self.documents[name].fingerprint != now

    def missing(self, found: Collection[str], days: DayRange) -> dict[str, KnownDocument]:
        """The documents of some days that were there, and are not any more."""
        return {
            name: each
            for name, each in sorted(self.documents.items())
            if name not in found and days.first <= each.day <= days.last
        }


def cursor_of(
    today: date, overlap_days: int, asked: str, documents: Mapping[str, KnownDocument]
) -> Cursor:
    """The cursor after a look: it keeps the documents of the days that are read again."""
    first = today - timedelta(days=overlap_days)
    return {
        "through": today.isoformat(),
        "asked": asked,
        "documents": {
            name: [each.fingerprint, each.day.isoformat(), each.title[:MAX_TITLE_CHARACTERS]]
            for name, each in documents.items()
            if each.day >= first
        },
    }
