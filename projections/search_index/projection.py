"""The projection of the search index."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from projections.runner.projection import Projection, Tables
from projections.search_index import document, rows
from projections.search_index.document import WITHOUT_WORDS
from projections.search_index.rows import IndexBatch, fold_page, fold_streams, use_page, write_page
from projections.streams.fold_code import code_of
from projections.streams.folding import FoldCache
from projections.streams.handover import Handover
from projections.streams.whole_streams import whole_streams
from tracker.postgres.database import Connection, named_queries

TABLES = Path(__file__).with_name("tables.sql")
SQL = named_queries(TABLES)


class SearchIndex(Projection[IndexBatch]):
    """The words of states and events, for searches. It lags behind the versions by some milliseconds.

    A command does not wait for it. A search waits until it has reached the position of the search.
    """

    name = "search"
    interval_seconds = 0.05
    tables = Tables(
        ("documents", "state_documents", "event_words", "vocabulary"),
        SQL.create_tables,
        (SQL.create_indexes,),
    )
    code = (*code_of(document, rows), TABLES, Path(__file__).with_name("rows.sql"))

    def __init__(self, handover: Handover | None = None) -> None:
        """Create the projection. It takes pages from a handover while that has them."""
        self._folds = FoldCache()
        self._handover = handover or Handover()

    async def fold_page(
        self, connection: Connection, after: int, *, limit: int
    ) -> IndexBatch | None:
        """Return the next events, as folded by the versions or with the cached folds of their entities."""
        if page := self._handover.take(after, limit):
            return await use_page(page)
        if begin := self._handover.first_after(after):
            limit = min(limit, begin - after)
        return await fold_page(connection, after, limit=limit, folds=self._folds)

    async def fold_all(
        self, connection: Connection, until: int
    ) -> AsyncGenerator[IndexBatch, None]:
        """Fold each entity once and completely, without those that have no words."""
        async with aclosing(whole_streams(connection, until, without=WITHOUT_WORDS)) as pages:
            async for streams in pages:
                yield await fold_streams(connection, until, streams)

    async def write_page(
        self, connection: Connection, page: IndexBatch, *, seconds: float | None = None
    ) -> None:
        """Add rows."""
        await write_page(connection, page, seconds=seconds)

    def clear_cache(self) -> None:
        """Clear the cached folds of entities."""
        self._folds.clear()
        self._handover.clear()
