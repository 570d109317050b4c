"""Rows by which lists and searches find entities and events, as they gather for a page."""

from __future__ import annotations

from dataclasses import dataclass, field

from projections.versions.search_document import Document, can_be_corrected, trigrams

SearchText = tuple[str, str, str]
"""A text by which a search finds an entity: `kind, entity, text`."""


@dataclass(slots=True)
class SearchIndexRows:
    """By what entities are found: the words that they were ever about, and the texts and documents
    that they ever had."""

    subjects: list[str] = field(default_factory=list)
    """Those of entities that had no rows before, as lines, their columns in the order of `add_subjects`
    (rows.sql)."""
    more_subjects: list[str] = field(default_factory=list)
    """Those of other entities: they may be there already, with a later first day."""
    texts: set[SearchText] = field(default_factory=set)
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    """By entity and key."""
    events: dict[int, str] = field(default_factory=dict)
    """The words of events, by position."""
    vocabulary: dict[str, int] = field(default_factory=dict)
    """The words of documents that may be misspelt, and the first position of each."""

    def add_document(self, entity: str, new: Document, since: int) -> None:
        """Add a document that an entity first had at a position."""
        self.documents[entity, new.key] = new
        for text in new.words:
            for word in filter(can_be_corrected, text.split()):
                self.vocabulary[word] = min(since, self.vocabulary.get(word, since))


def vocabulary_line(word: str, since: int) -> str:
    """The row of a word that may be misspelt."""
    return f"{word}\t{since}\t{{{','.join(trigrams(word))}}}"
