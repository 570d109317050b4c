"""Search in the documents by SQLite's FTS5: the sections with all words of a query, the best first."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tracker.postgres.database import named_queries

if TYPE_CHECKING:
    from schema.pages.docs.markdown import RenderedMarkdown, Section

WORD = re.compile(r"\w+")
MAX_WORDS = 8
MARK = re.compile("\x02(.*?)\x03", re.DOTALL)
"""A match in an excerpt."""
SQL = named_queries(Path(__file__).with_suffix(".sql"))
SETTING = re.compile(r"\s*TRACKER_[A-Z_]+\s*")
"""A query for a setting, which their reference answers first."""


class Excerpt(Struct, frozen=True):
    """A piece of text, and whether it matches the query."""

    text: str
    matches: bool


class Result(Struct, frozen=True):
    """A matching section."""

    name: str
    """Name of its document."""
    title: str
    section: Section
    excerpt: Sequence[Excerpt]


class SearchIndex:
    """All words of the documents, with their sections. Threads may share it."""

    def __init__(self, pages: Mapping[str, RenderedMarkdown]):
        self._sections = [
            (name, page.title, section) for name, page in pages.items() for section in page.sections
        ]
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute(SQL.make_index)
        self._database.executemany(
            SQL.add_section,
            (
                (number, title, section.heading, section.text, name)
                for number, (name, title, section) in enumerate(self._sections)
            ),
        )

    def find(self, query: str) -> list[Result]:
        """Return the sections with a match for each word of a query; a prefix matches too."""
        sought = query_words(query)
        # A whole word matches both terms, so it counts twice as much as a prefix. `A_B` is a phrase.
        terms = " AND ".join(f'("{word}" OR "{word}" *)' for word in sought)
        first = "settings" if SETTING.fullmatch(query) else f"types/{query.strip()}"
        rows = (
            self._database.execute(SQL.find_sections, (terms, first)).fetchall() if sought else ()
        )
        return [
            Result(name, title, section, excerpt(text))
            for number, text in rows
            for name, title, section in [self._sections[number]]
        ]


def query_words(query: str) -> list[str]:
    """Return the words of a query that select sections: single letters only if there are no others."""
    distinct = list(dict.fromkeys(WORD.findall(query.casefold())))
    return ([word for word in distinct if len(word) > 1] or distinct)[:MAX_WORDS]


def excerpt(marked: str) -> list[Excerpt]:
    """Return the pieces of a text whose matches are marked."""
    pieces = enumerate(MARK.split(marked))
    return [Excerpt(text, bool(number % 2)) for number, text in pieces if text]
