"""The projection of versions: the states of every entity on both axes of time."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from projections.runner.projection import Projection, Tables
from projections.streams.fold_code import code_of
from projections.streams.folding import FoldCache
from projections.streams.handover import Handover
from projections.streams.whole_streams import whole_streams
from projections.versions import fact_rows, list_text, row_batch, rows, source_columns
from projections.versions.row_batch import RowBatch, fold_page, fold_streams, write_page
from tracker.postgres.database import Connection, named_queries

TABLES = Path(__file__).with_name("tables.sql")
SQL = named_queries(TABLES)


class Versions(Projection[RowBatch]):
    """The states of each entity as rows that are added and closed, never changed.

    See `tables.sql` for the tables, `projections/fold/` for the fold, and `rows.py` for the rows.
    """

    name = "versions"
    interval_seconds = 0.003
    tables = Tables(
        ("texts", "subjects", "versions", "elements", "facts", "fact_sums"),
        SQL.create_tables,
        (SQL.create_version_indexes, SQL.create_list_indexes),
    )
    code = (
        *code_of(rows, fact_rows, list_text, row_batch, source_columns),
        TABLES,
        Path(__file__).with_name("rows.sql"),
        Path(__file__).with_name("fact_rows.sql"),
    )

    def __init__(self, handover: Handover | None = None) -> None:
        """Create the projection. A handover gets its folded pages, for another projection."""
        self._folds = FoldCache()
        self._handover = handover

    async def fold_page(self, connection: Connection, after: int, *, limit: int) -> RowBatch | None:
        """Read the next events and fold them with the cached folds of their entities."""
        return await fold_page(connection, after, limit=limit, folds=self._folds)

    async def fold_all(self, connection: Connection, until: int) -> AsyncGenerator[RowBatch, None]:
        """Fold each entity once and completely, so that no written row has to be closed later."""
        async with aclosing(whole_streams(connection, until)) as pages:
            async for streams in pages:
                yield await fold_streams(connection, until, streams)

    async def write_page(
        self, connection: Connection, page: RowBatch, *, seconds: float | None = None
    ) -> None:
        """Add and close rows."""
        await write_page(connection, page, seconds=seconds)
        if self._handover and page.folded:
            self._handover.put(page.folded)

    def clear_cache(self) -> None:
        """Clear the cached folds of entities."""
        self._folds.clear()
        if self._handover:
            self._handover.clear()
