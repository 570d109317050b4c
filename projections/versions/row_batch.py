"""The rows of a log page: folded in memory, then written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from projections.fold.entity_rows import RowDelta
from projections.fold.timeline import EntityFold
from projections.runner.projection import Page
from projections.versions.fact_rows import FactSums, FoldCache, fact_lines
from projections.versions.rows import element_rows, search_keys, version_rows
from projections.versions.search_document import SearchIndexRows, event_words, vocabulary_line
from tracker.domain.entity import RecordedFact
from tracker.domain.registry import entity_type
from tracker.log.fact_reader import StreamFacts, read_facts, read_facts_of
from tracker.postgres.database import Connection, named_queries

SQL = named_queries(Path(__file__).with_name("rows.sql"))
FACTS_SQL = named_queries(Path(__file__).with_name("fact_rows.sql"))

MAX_PAGE_ROW_BYTES = 16 * 1024 * 1024
"""Approximate maximum of row bytes per page; an entity with many events has a large row for each."""
ROW_BYTES_PER_ENTRY_BYTE = 4
"""Row bytes per entry byte, for entities whose states do not grow with their facts."""
PAUSE_ROWS = 30
"""Rows between two pauses for other tasks."""
PAUSE_CHARACTERS = 64 * 1024
"""Characters of rows between two pauses, for long rows."""
PAUSE_FACTS = 10
"""Facts of one entity between two pauses for other tasks."""


@dataclass(frozen=True, slots=True)
class RowBatch(Page):
    """The row changes by the events of a page."""

    added: list[str] = field(default_factory=list)
    """Rows to add; see `Line`."""
    closed: list[tuple[str, date, int, int]] = field(default_factory=list)
    """Entity, start and generation of open rows, and the position at which they end."""
    added_elements: list[str] = field(default_factory=list)
    """Elements of long lists to add."""
    closed_elements: list[tuple[str, int, str, date, int]] = field(default_factory=list)
    """Entity and key of elements, and the position at which they end."""
    added_facts: list[str] = field(default_factory=list)
    """Facts that become effective."""
    closed_facts: list[tuple[str, int, int]] = field(default_factory=list)
    """Entity and position of facts, and the position at which they stop being effective."""
    fact_sums: FactSums = field(default_factory=FactSums)
    """Net change of effective facts per block of positions."""
    search_rows: SearchIndexRows = field(default_factory=SearchIndexRows)
    """Search keys of entities; some of these rows may exist already."""


async def fold_page(
    connection: Connection, after: int, *, limit: int, folds: FoldCache
) -> RowBatch | None:
    """Read and fold the next events, at most `limit`, or return None.

    A page has fewer events if their rows are large. Entities with cached folds are not read and folded
    again.
    """
    streams = await read_facts(connection, after, limit=limit)
    if not streams:
        return None
    if limit > 1 and (size := estimate_row_bytes(streams)) > MAX_PAGE_ROW_BYTES:
        fewer = max(1, limit * MAX_PAGE_ROW_BYTES // size)
        return await fold_page(connection, after, limit=fewer, folds=folds)
    until = max(facts.facts[-1].position for facts in streams.values())
    return await fold_streams(connection, after, until, streams, folds)


def estimate_row_bytes(streams: Mapping[str, StreamFacts]) -> int:
    """Return the approximate size of the rows of some facts.

    Each fact has a row with all facts up to it, or of constant size if states do not grow.
    """
    return sum(
        ROW_BYTES_PER_ENTRY_BYTE * stream.size
        if entity_type(name).RECENT_EVENTS
        else (stream.version + len(stream.facts)) * stream.size
        for name, stream in streams.items()
    )


async def fold_streams(
    connection: Connection,
    after: int,
    until: int,
    streams: dict[str, StreamFacts],
    folds: FoldCache,
) -> RowBatch:
    """Fold the facts of some streams after a position. Facts before it are read if needed."""
    batch = RowBatch(after, until, sum([len(stream.facts) for stream in streams.values()]))
    taken = {name: folds.take(name, stream.version - 1) for name, stream in streams.items()}
    outdated = {
        name: fold.version
        for name, fold in taken.items()
        if fold.version < streams[name].version - 1
    }
    missing = await read_facts_of(connection, outdated, after)
    rows = _RowMaker(batch)
    for name, stream in streams.items():
        fold = taken[name]
        if name in missing:
            fold = _catch_up(fold, name, missing[name])
        batch.search_rows.events |= event_words(name, stream.facts)
        delta = await apply_facts(fold, stream.facts)
        fold.size += stream.size
        folds.put(name, fold)
        await rows.add(name, delta)
    return batch


async def apply_facts(fold: EntityFold, facts: Sequence[RecordedFact]) -> RowDelta:
    """Return the row changes of an entity by new facts, with pauses for other tasks."""
    delta = fold.empty_delta()
    for number, _ in enumerate(fold.apply_one_by_one(facts, delta), 1):
        if number % PAUSE_FACTS == 0:
            await asyncio.sleep(0)
    return delta


def _catch_up(fold: EntityFold, name: str, stream: StreamFacts) -> EntityFold:
    """Return the fold of an entity after facts whose rows exist already."""
    size = fold.size + stream.size
    if fold.version:
        fold.apply(stream.facts)
    else:
        fold = EntityFold(name, stream.facts)
        if latest := fold.latest():
            fold.search_keys |= search_keys(*latest)
    fold.size = size
    return fold


class _RowMaker:
    """A builder of rows for a batch, with pauses for other tasks of this process."""

    def __init__(self, batch: RowBatch):
        self._batch = batch
        self._rows = self._characters = 0
        """Counts since the last pause."""

    async def add(self, name: str, delta: RowDelta) -> None:
        """Add the row changes of an entity."""
        batch = self._batch
        batch.closed.extend([(name, *row) for row in delta.closed])
        batch.closed_elements.extend([(name, *row) for row in delta.closed_elements])
        batch.added_facts.extend(fact_lines(name, delta.facts))
        batch.closed_facts.extend([(name, of.known.position, of.at) for of in delta.closed_facts])
        batch.fact_sums.add(name, delta.facts, delta.closed_facts)
        for row in version_rows(delta, batch.search_rows):
            batch.added.append(row)
            self._rows += 1
            self._characters += len(row)
            if self._rows >= PAUSE_ROWS or self._characters >= PAUSE_CHARACTERS:
                self._rows = self._characters = 0
                await asyncio.sleep(0)
        if delta.elements:
            batch.added_elements.extend(element_rows(delta))
            await asyncio.sleep(0)


async def write_page(
    connection: Connection, page: RowBatch, *, seconds: float | None = None
) -> None:
    """Add and close rows, in the caller's transaction.

    `seconds` replaces the connection's timeout.
    """
    for query, lines in (
        (SQL.add_versions, page.added),
        (SQL.add_elements, page.added_elements),
        (FACTS_SQL.add_facts, page.added_facts),
        (FACTS_SQL.add_sums, page.fact_sums.lines()),
        (SQL.add_subjects, sorted(page.search_rows.subjects)),
        (SQL.add_more_subjects, sorted(page.search_rows.more_subjects)),
        (SQL.lower_subjects, sorted(page.search_rows.more_subjects)),
        (SQL.add_texts, text_lines(page.search_rows)),
        (SQL.add_documents, document_lines(page.search_rows)),
        (SQL.add_event_words, _event_lines(page.search_rows)),
        (SQL.add_vocabulary, _vocabulary_lines(page.search_rows)),
    ):
        if lines:
            await connection.execute(query, lines, timeout=seconds)
    for query, rows in (
        (SQL.close_versions, page.closed),
        (SQL.close_elements, page.closed_elements),
        (FACTS_SQL.close_facts, page.closed_facts),
    ):
        if rows:
            await connection.execute(query, *_columns(rows), timeout=seconds)


def text_lines(rows: SearchIndexRows) -> list[str]:
    """Return the rows of texts."""
    return sorted([f"{kind}\t{entity}\t{text}" for kind, entity, text in rows.texts])


def document_lines(rows: SearchIndexRows) -> list[str]:
    """Return the rows of documents."""
    return [
        "\t".join([entity.partition("/")[0], entity, key, *found.words])
        for (entity, key), found in sorted(rows.documents.items())
    ]


def _event_lines(rows: SearchIndexRows) -> list[str]:
    return [f"{position}\t{words}" for position, words in sorted(rows.events.items())]


def _vocabulary_lines(rows: SearchIndexRows) -> list[str]:
    return [vocabulary_line(word, since) for word, since in sorted(rows.vocabulary.items())]


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    """Return the columns of rows; there must be at least one row."""
    return list(map(list, zip(*rows, strict=True)))
