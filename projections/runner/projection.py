"""What a projection is: tables of its own that follow from the log and from nothing else.

To add one, write a class like `Projection` and put it into `projections/registry.py`. The runner does
the rest: it creates the tables, keeps them up to date as events arrive, remembers in the same
transaction how far they have come, and rebuilds them when the code that they follow from has changed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

from tracker.postgres.database import Connection

PAGE_EVENTS = 1000
"""Events at a time: few enough for Python's garbage collector not to notice them."""


@dataclass(frozen=True, slots=True)
class Page:
    """The events after one position up to another, folded. A projection adds what it has to write."""

    after: int
    until: int
    count: int
    """How many events they are."""


PageT = TypeVar("PageT", bound=Page)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a projection.

    Statements leave table names unqualified: a rebuild runs them in another schema, and then moves
    the tables into the place of the live ones.
    """

    names: tuple[str, ...]
    """In the order in which queries lock them, so that replacing them can't end in a deadlock."""
    create: str
    """The statements that create them, without indexes that a rebuild can make at the end."""
    indexes: tuple[str, ...] = ()
    """Statements for those indexes; a rebuild runs these groups side by side."""


class Projection(Protocol[PageT]):
    """Something that follows from the log, in tables of its own.

    It is not told where it stands: the runner keeps the tracking, by the projection's name. Methods get
    a connection whose search path leads to the live tables, or to those of a rebuild.
    """

    name: ClassVar[str]
    """Under which its position is kept, and by which `tracker rebuild` knows it."""
    tables: ClassVar[Tables]
    code: ClassVar[Sequence[Path]]
    """The Python, SQL and data files that its rows follow from. When one of them behaves differently
    than the code that made the rows, these are made anew."""

    async def fold_page(self, connection: Connection, after: int, *, limit: int) -> PageT | None:
        """Read the next events after a position, at most `limit`, and fold them; None if there are
        none.

        It reads the log only, never its own tables: a page is folded while the one before is still
        being written, and may be folded again or thrown away.
        """
        ...

    async def write_page(
        self, connection: Connection, page: PageT, *, seconds: float | None = None
    ) -> None:
        """Write a page, in the transaction in which the runner also stores the position.

        A statement may take so many seconds, instead of the connection's own limit. Don't use COPY:
        PostgreSQL waits without a limit for a client that stops in the middle of one.
        """
        ...

    async def fold_all(self, connection: Connection, until: int) -> AsyncGenerator[PageT, None]:
        """All events up to a position, folded, for tables that are empty: what a rebuild writes.

        In the order of the log, unless a projection knows a better one.
        """
        after = 0
        while after < until:
            page = await self.fold_page(connection, after, limit=min(PAGE_EVENTS, until - after))
            if page is None:
                return
            yield page
            after = page.until

    def clear_cache(self) -> None:
        """Forget what was kept in memory of earlier pages: the database was lost and may have come back
        in an older state."""
