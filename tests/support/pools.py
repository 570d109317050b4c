"""Pools of one connection, or of none, for queries outside a running tracker."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Self

from tracker.postgres.database import Connection


class RowsAtOnce:
    """A pool without connections, whose subclass has `fetch`; rows by pages are read at once."""

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        """Return the rows of a query."""
        raise NotImplementedError

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Self]:
        """Return itself as a connection."""
        yield self

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Return a block without effect."""
        return nullcontext()

    async def cursor(self, query: str, *arguments: Any, **options: Any) -> AsyncIterator[Any]:
        """Yield the rows of a query."""
        for row in await self.fetch(query, *arguments):
            yield row


class OneConnection:
    """A pool of one connection, which is not closed."""

    def __init__(self, connection: Connection):
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """Return the connection."""
        yield self._connection
