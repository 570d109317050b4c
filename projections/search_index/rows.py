"""The rows of the search index for a page of events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from projections.fold.entity_rows import RowDelta
from projections.runner.projection import Page
from projections.runner.writing import day_text, one_statement
from projections.search_index.document import WITHOUT_WORDS, Document, document, event_words
from projections.streams.folding import FoldCache, fold_entities, smaller_limit
from projections.words import can_be_corrected, trigrams
from tracker.domain.entity import EntityState
from tracker.log.fact_reader import StreamFacts, group_by_stream
from tracker.postgres.database import Connection, named_queries

SQL = named_queries(Path(__file__).with_name("rows.sql"))
WRITE = one_statement(
    SQL.add_documents, SQL.add_state_documents, SQL.add_event_words, SQL.add_vocabulary
)


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

    def add(self, delta: RowDelta) -> None:
        """Add the documents of new states."""
        for row in delta.added:
            found = document(row.version.state)
            if found is None:
                continue
            start = row.version.start
            self.states.append(f"{row.entity}\t{day_text(start)}\t{row.since}\t{found.key}")
            if found.key not in delta.search_keys:
                delta.search_keys[found.key] = start
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
    await add_streams(connection, batch, streams, folds)
    return batch


async def add_streams(
    connection: Connection, batch: IndexBatch, streams: Mapping[str, StreamFacts], folds: FoldCache
) -> None:
    """Add the rows of some streams to a batch. Facts before it are read if needed."""
    async for name, delta in fold_entities(connection, batch.after, streams, folds, known_keys):
        batch.events.update(event_words(name, streams[name].facts))
        batch.add(delta)


def known_keys(day: date, state: EntityState) -> dict[object, date]:
    """Return the key of the document of a state, with a first day."""
    found = document(state)
    return {found.key: day} if found else {}


async def write_page(
    connection: Connection, page: IndexBatch, *, seconds: float | None = None
) -> None:
    """Add rows, in the caller's transaction. `seconds` replaces the connection's timeout."""
    if page.states or page.events:
        await connection.execute(
            WRITE,
            document_lines(page),
            page.states,
            [f"{position}\t{words}" for position, words in sorted(page.events.items())],
            [_vocabulary_line(word, since) for word, since in sorted(page.vocabulary.items())],
            timeout=seconds,
        )
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
