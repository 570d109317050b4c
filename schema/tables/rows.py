"""The rows of a table at a moment, a page at a time, through the same path as API clients."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from msgspec import Struct

from schema.execution.execute import QUERIES, execute, refusal
from schema.services import Access, Services
from schema.tables.table import Table
from tracker.auth.scopes import Caller

ROWS_PER_PAGE = 100
MOMENT = """
query Moment($validAt: Day, $knownAt: DateTime, $position: Position) {
  asOf(validAt: $validAt, knownAt: $knownAt, position: $position) {
    validAt position knownAt digest
  }
}
"""


class TableMoment(Struct, frozen=True):
    """The moment of a table: the date, the position of the log with its time, and the digest of the whole
    state, which proves that it is unaltered."""

    valid_at: str
    position: str
    known_at: str | None
    digest: str


def first_page(table: Table, moment: TableMoment, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables of the first page of a table at a moment, for those of its parameters."""
    pinned = {
        "validAt": moment.valid_at,
        "position": moment.position,
        "until": str(int(moment.position) + 1),
        "first": ROWS_PER_PAGE,
    }
    return {**variables} | {name: of for name, of in pinned.items() if name in table.variables}


class TableAnswer(Struct, frozen=True):
    """The completeness of a table in words (empty if it is not about acts) and its pages of rows."""

    completeness: str
    pages: AsyncGenerator[list[list[Any]], None]


class TableReader:
    """Reader of tables for a caller, each page in a query slot of its client."""

    def __init__(
        self,
        services: Services,
        access: Access,
        caller: Caller,
        query_slot: Callable[[], AbstractAsyncContextManager[None]],
    ):
        self._services = services
        self._access = access
        self._caller = caller
        self._query_slot = query_slot

    async def moment(
        self, valid_at: str | None, known_at: str | None, position: str | None
    ) -> TableMoment:
        """Return the moment of the parameters; now without any. Raises InvalidInput."""
        variables = {"validAt": valid_at, "knownAt": known_at, "position": position}
        data = await self._execute(MOMENT, variables)
        state = data["asOf"]
        return TableMoment(state["validAt"], state["position"], state["knownAt"], state["digest"])

    async def read(
        self, table: Table, moment: TableMoment, variables: Mapping[str, Any]
    ) -> TableAnswer:
        """Read a table at a moment: its first page now, the others on demand.

        Raises InvalidInput and Unavailable.
        """
        values = first_page(table, moment, variables)
        first = await self._execute(table.document, values)
        return TableAnswer(table.shape.completeness(first), self._pages(table, values, first))

    async def _pages(
        self, table: Table, values: dict[str, Any], first: dict[str, Any]
    ) -> AsyncGenerator[list[list[Any]], None]:
        data = first
        while True:
            yield list(table.shape.rows(data))
            cursor = table.shape.end_cursor(data)
            if cursor is None:
                return
            data = await self._execute(table.document, values | {"after": cursor})

    async def _execute(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        async with self._query_slot():
            answer = await execute(
                self._services,
                document,
                variables,
                self._access,
                caller=self._caller,
                allowed=QUERIES,
            )
        for error in answer.get("errors", ()):
            raise refusal(error)
        data: dict[str, Any] = answer["data"]
        return data
