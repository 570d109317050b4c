"""The rows of a table at a moment, a page at a time, by the very path that API clients use."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class TableMoment:
    """What a table was asked for: the day, the position of the log, when that was recorded, and the
    digest of the whole state, which says that nothing was altered."""

    valid_at: str
    position: str
    known_at: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class TableAnswer:
    """The completeness of a table in words, empty for one that is not about acts, and its pages of rows."""

    completeness: str
    pages: AsyncGenerator[list[list[Any]], None]


class TableReader:
    """Asks for tables on behalf of a caller, each page in a turn of its client."""

    def __init__(
        self,
        services: Services,
        access: Access,
        caller: Caller,
        turn: Callable[[], AbstractAsyncContextManager[None]],
    ):
        self._services = services
        self._access = access
        self._caller = caller
        self._turn = turn

    async def moment(
        self, valid_at: str | None, known_at: str | None, position: str | None
    ) -> TableMoment:
        """The moment that is meant; now where nothing is given. Raises InvalidInput."""
        given = {"validAt": valid_at, "knownAt": known_at, "position": position}
        data = await self._ask(MOMENT, given)
        found = data["asOf"]
        return TableMoment(found["validAt"], found["position"], found["knownAt"], found["digest"])

    async def read(
        self, table: Table, moment: TableMoment, variables: Mapping[str, Any]
    ) -> TableAnswer:
        """Read a table at a moment: its first page now, the others as they are asked for. Raises
        InvalidInput and Unavailable.
        """
        asked = dict(variables)
        pinned = {
            "validAt": moment.valid_at,
            "position": moment.position,
            "until": str(int(moment.position) + 1),
            "first": ROWS_PER_PAGE,
        }
        asked |= {name: value for name, value in pinned.items() if name in table.variables}
        first = await self._ask(table.document, asked)
        return TableAnswer(table.shape.completeness(first), self._pages(table, asked, first))

    async def _pages(
        self, table: Table, asked: dict[str, Any], first: dict[str, Any]
    ) -> AsyncGenerator[list[list[Any]], None]:
        data = first
        while True:
            yield list(table.shape.rows(data))
            cursor = table.shape.end_cursor(data)
            if cursor is None:
                return
            data = await self._ask(table.document, asked | {"after": cursor})

    async def _ask(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        async with self._turn():
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
