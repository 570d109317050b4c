"""The rows of a log page: folded in memory, then written."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from projections.fold.entity_rows import RowDelta
from projections.runner.projection import Page
from projections.runner.writing import write_rows
from projections.streams.folding import FoldCache, estimate_row_bytes, fold_entities, smaller_limit
from projections.streams.handover import FoldedPage
from projections.versions.fact_rows import FactSums, fact_lines
from projections.versions.rows import ListKeys, element_rows, search_keys, version_rows
from tracker.clock import Pauses
from tracker.domain.entities.entity import RecordedFact
from tracker.log.fact_reader import StreamFacts, read_facts
from tracker.postgres.database import Connection, named_queries

SQL = named_queries(Path(__file__).with_name("rows.sql"))
FACTS_SQL = named_queries(Path(__file__).with_name("fact_rows.sql"))


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
    list_keys: ListKeys = field(default_factory=ListKeys)
    """Keys of entities for lists; some of these rows may exist already."""
    folded: FoldedPage | None = field(default=None, compare=False)
    """The folded entities of the page, for another projection."""


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
    if fewer := smaller_limit(limit, streams):
        return await fold_page(connection, after, limit=fewer, folds=folds)
    until = max(facts.facts[-1].position for facts in streams.values())
    is_last = until - after < limit  # positions have no gaps
    batch = RowBatch(after, until, until - after, is_last=is_last)
    entities = await _add_streams(connection, batch, streams, folds)
    folded = FoldedPage(after, until, batch.count, entities, estimate_row_bytes(streams))
    return replace(batch, folded=folded)


async def fold_streams(
    connection: Connection, until: int, streams: Mapping[str, StreamFacts]
) -> RowBatch:
    """Fold all facts of some streams up to a position."""
    batch = RowBatch(0, until, sum([len(stream.facts) for stream in streams.values()]))
    await _add_streams(connection, batch, streams, FoldCache(0))
    return batch


async def _add_streams(
    connection: Connection, batch: RowBatch, streams: Mapping[str, StreamFacts], folds: FoldCache
) -> tuple[tuple[str, list[RecordedFact], RowDelta], ...]:
    """Add the rows of some streams to a batch, and return the changes of each entity.

    Facts before the batch are read if needed.
    """
    rows, entities = _RowMaker(batch), []
    async for name, delta in fold_entities(connection, batch.after, streams, folds, search_keys):
        await rows.add(name, delta)
        entities.append((name, streams[name].facts, delta))
    return tuple(entities)


class _RowMaker:
    """A builder of rows for a batch, with pauses for other tasks of this process."""

    def __init__(self, batch: RowBatch):
        self._batch = batch
        self._pauses = Pauses()

    async def add(self, name: str, delta: RowDelta) -> None:
        """Add the row changes of an entity."""
        batch = self._batch
        batch.closed.extend([(name, *row) for row in delta.closed])
        batch.closed_elements.extend([(name, *row) for row in delta.closed_elements])
        batch.added_facts.extend(fact_lines(name, delta.facts))
        batch.closed_facts.extend([(name, of.known.position, of.at) for of in delta.closed_facts])
        batch.fact_sums.add(name, delta.facts, delta.closed_facts)
        for row in version_rows(delta, batch.list_keys):
            batch.added.append(row)
            await self._pauses.pause()
        if delta.elements:
            batch.added_elements.extend(element_rows(delta))
            await asyncio.sleep(0)


async def write_page(
    connection: Connection, page: RowBatch, *, seconds: float | None = None
) -> None:
    """Add and close rows, in the caller's transaction.

    `seconds` replaces the connection's timeout.
    """
    keys = page.list_keys
    parts = (
        (SQL.add_versions, [page.added]),
        (SQL.add_elements, [page.added_elements]),
        (FACTS_SQL.add_facts, [page.added_facts]),
        (FACTS_SQL.add_sums, [page.fact_sums.lines()]),
        (SQL.add_subjects, [sorted(keys.subjects)]),
        (SQL.add_more_subjects, [sorted(keys.more_subjects)]),
        (SQL.lower_subjects, [sorted(keys.more_subjects)]),
        (SQL.add_texts, [text_lines(keys)]),
        (SQL.close_versions, _columns(page.closed)),
        (SQL.close_elements, _columns(page.closed_elements)),
        (FACTS_SQL.close_facts, _columns(page.closed_facts)),
    )
    await write_rows(connection, parts, seconds=seconds)


def text_lines(keys: ListKeys) -> list[str]:
    """Return the rows of texts."""
    return sorted([f"{kind}\t{entity}\t{text}" for kind, entity, text in keys.texts])


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    """Return the columns of rows; an empty list without rows."""
    return list(map(list, zip(*rows, strict=True)))
