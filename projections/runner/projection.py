"""Projections: tables that are derived from the log alone.

To add one, write a class like `Projection` and register it in `projections/registry.py`. The runner
creates its tables and updates them as events arrive. It stores the position in the same transaction and
rebuilds the tables when their code changes.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

from msgspec import Struct

from tracker.postgres.database import Connection

PAGE_EVENTS = 1000
"""Events per page: few enough to keep Python's garbage collection cheap."""


@dataclass(frozen=True, slots=True)
class Page:
    """The folded events after one position up to another. A projection adds its own data."""

    after: int
    until: int
    count: int
    """Number of events."""
    is_last: bool = field(default=False, kw_only=True)
    """Whether the log had no further events when this page was read; false if that is unknown."""


PageT = TypeVar("PageT", bound=Page)


class Tables(Struct, frozen=True):
    """The tables of a projection.

    Statements leave table names unqualified. A rebuild runs them in another schema and then moves the
    tables to the place of the live ones.
    """

    names: tuple[str, ...]
    """Names in the order in which queries lock them, so that replacing them cannot deadlock."""
    create: str
    """Statements that create the tables, without indexes that a rebuild can create at the end."""
    indexes: tuple[str, ...] = ()
    """Statements for those indexes; a rebuild runs these groups concurrently."""


class Projection(Protocol[PageT]):
    """Tables derived from the log.

    The runner tracks the position by the projection's name. Methods get a connection whose search path
    leads to the live tables, or to those of a rebuild.
    """

    name: ClassVar[str]
    """Name of the position record, and argument of `tracker rebuild`."""
    interval_seconds: ClassVar[float] = 0
    """Minimum time between two pages in seconds, so that events that come close together share one."""
    tables: ClassVar[Tables]
    code: ClassVar[Sequence[Path]]
    """Python, SQL and data files behind the rows. If the behaviour of one changes, the rows are rebuilt."""

    async def fold_page(self, connection: Connection, after: int, *, limit: int) -> PageT | None:
        """Read and fold the next events after a position, at most `limit`, or return None.

        It reads only the log, never its own tables. A page is folded while the previous one is being
        written, and may be folded again or discarded.
        """
        ...

    async def write_page(
        self, connection: Connection, page: PageT, *, seconds: float | None = None
    ) -> None:
        """Write a page, in the transaction in which the runner also stores the position.

        `seconds` replaces the connection's timeout. Do not use COPY: PostgreSQL waits without a limit
        for a client that stops in the middle of one.
        """
        ...

    async def fold_all(self, connection: Connection, until: int) -> AsyncGenerator[PageT, None]:
        """Yield all events up to a position, folded, for the empty tables of a rebuild.

        The order is that of the log, unless the projection overrides it.
        """
        after = 0
        while after < until:
            page = await self.fold_page(connection, after, limit=min(PAGE_EVENTS, until - after))
            if page is None:
                return
            yield page
            after = page.until

    def clear_cache(self) -> None:
        """Clear the cache after the loss of the database, which may return in an older state."""
