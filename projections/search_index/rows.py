"""The rows of the search index for a page of events."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from projections.fold.entity_rows import RowDelta
from projections.runner.projection import Page
from projections.runner.writing import day_text, write_rows
from projections.search_index.document import WITHOUT_WORDS, Document, document, event_words
from projections.streams.folding import FoldCache, fold_entities, smaller_limit
from projections.streams.handover import FoldedPage
from projections.words import can_be_corrected, trigrams
from tracker.domain.entities.entity import EntityState, RecordedFact
from tracker.log.fact_reader import StreamFacts, group_by_stream
from tracker.postgres.database import Connection, named_queries

SQL = named_queries(Path(__file__).with_name("rows.sql"))
PAUSE_ENTITIES = 10
"""Entities between two pauses for other tasks."""
DOCUMENT = "document"
"""The kind of key by which an entity is known to have a document."""


@dataclass(frozen=True, slots=True)
class IndexBatch(Page):
    """The rows of the search index by the events of a page."""

    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    """Documents by entity and key; some of these rows may exist already."""
    states: list[str] = field(default_factory=list)
    """Documents of states, as lines, with columns in the order of `add_state_documents` (rows.sql)."""
    events: dict[int, str] = field(default_factory=dict)
    """The words of events, by position."""
    vocabulary: dict[str, int] = field(default_factory=dict)
    """Words of documents that corrections may use, with the first position of each."""

    def add(self, entity: str, facts: Sequence[RecordedFact], delta: RowDelta) -> None:
        """Add the words of the new facts of an entity, and the documents of its new states."""
        self.events.update(event_words(entity, facts))
        for row in delta.added:
            found = document(row.version.state)
            if found is None:
                continue
            start = row.version.start
            self.states.append(f"{row.entity}\t{day_text(start)}\t{row.since}\t{found.key}")
            key = DOCUMENT, found.key
            if key not in delta.search_keys:
                delta.search_keys[key] = start
                self._add_document(row.entity, found, row.since)

    def _add_document(self, entity: str, new: Document, since: int) -> None:
        """Add a document that an entity first had at a position."""
        self.documents[entity, new.key] = new
        for text in new.words:
            for word in filter(can_be_corrected, text.split()):
                self.vocabulary[word] = min(since, self.vocabulary.get(word, since))


async def fold_page(
    connection: Connection, after: int, *, limit: int, folds: FoldCache
) -> IndexBatch | None:
    """Read and fold the next events, at most `limit`, or return None.

    A page has fewer events if their rows are large.
    """
    page = await connection.fetchrow(SQL.read, after, limit, WITHOUT_WORDS)
    assert page is not None
    if not page["count"]:
        return None
    streams = group_by_stream(page["entries"] or [])
    if fewer := smaller_limit(limit, streams):
        return await fold_page(connection, after, limit=fewer, folds=folds)
    batch = IndexBatch(after, page["until"], page["count"], is_last=page["count"] < limit)
    await _add_streams(connection, batch, streams, folds)
    return batch


async def use_page(page: FoldedPage) -> IndexBatch:
    """Return the rows of a page that was folded already."""
    batch = IndexBatch(page.after, page.until, page.count)
    for number, (entity, facts, delta) in enumerate(page.entities, 1):
        if not entity.startswith(WITHOUT_WORDS):
            batch.add(entity, facts, delta)
        if number % PAUSE_ENTITIES == 0:
            await asyncio.sleep(0)
    return batch


async def fold_streams(
    connection: Connection, until: int, streams: Mapping[str, StreamFacts]
) -> IndexBatch:
    """Fold all facts of some streams up to a position."""
    batch = IndexBatch(0, until, sum([len(stream.facts) for stream in streams.values()]))
    await _add_streams(connection, batch, streams, FoldCache(0))
    return batch


async def _add_streams(
    connection: Connection, batch: IndexBatch, streams: Mapping[str, StreamFacts], folds: FoldCache
) -> None:
    """Add the rows of some streams to a batch. Facts before it are read if needed."""
    async for name, delta in fold_entities(connection, batch.after, streams, folds, known_keys):
        batch.add(name, streams[name].facts, delta)
        await asyncio.sleep(0)


def known_keys(day: date, state: EntityState) -> dict[object, date]:
    """Return the key of the document of a state, with a first day."""
    found = document(state)
    return {(DOCUMENT, found.key): day} if found else {}


async def write_page(
    connection: Connection, page: IndexBatch, *, seconds: float | None = None
) -> None:
    """Add rows, in the caller's transaction. `seconds` replaces the connection's timeout."""
    if not page.states and not page.events:
        return
    events = [f"{position}\t{words}" for position, words in sorted(page.events.items())]
    vocabulary = [_vocabulary_line(word, since) for word, since in sorted(page.vocabulary.items())]
    parts = (
        (SQL.add_documents, [document_lines(page)]),
        (SQL.add_state_documents, [page.states]),
        (SQL.add_event_words, [events]),
        (SQL.add_vocabulary, [vocabulary]),
    )
    await write_rows(connection, parts, seconds=seconds)
    await connection.execute(SQL.merge_pending, timeout=seconds)


def document_lines(page: IndexBatch) -> list[str]:
    """Return the rows of documents."""
    return [
        "\t".join([entity.partition("/")[0], entity, key, *found.words])
        for (entity, key), found in sorted(page.documents.items())
    ]


def _vocabulary_line(word: str, since: int) -> str:
    """Return the row of a word for corrections."""
    return f"{word}\t{since}\t{{{','.join(trigrams(word))}}}"
