"""The folds of the rows: for each projection the code that made its rows, beside the code of this process.

A server answers and writes only if the rows of all projections follow from its own code, because answers
combine them. Rows are replaced at the start of a server and by `tracker rebuild`, never while it runs. So of
two servers with different folds one maintains the rows, and the other is unready.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from projections.runner.fingerprint import fingerprint
from projections.runner.projection import Projection
from projections.runner.release import RELEASE, number
from projections.runner.tables import SQL
from tracker.errors import Unavailable
from tracker.postgres.database import Connection, Pool

SHOWN_CHARACTERS = 12
"""Displayed characters of a fold."""
USE_THAT_RELEASE = (
    "use the command of that release, or let this one rebuild the rows with `tracker serve`, or"
    " `tracker rebuild`"
)
"""The remedy for a command that reads rows."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fold:
    """The rows of a projection: the fold and release that built them, their position, and the own fold."""

    projection: str
    own: str
    registered: str = "unknown"
    release: str = "an older release"
    position: int = field(default=0, compare=False)

    @property
    def is_own(self) -> bool:
        """Whether the rows follow from the code of this process."""
        return self.registered == self.own

    @property
    def is_older(self) -> bool:
        """Whether a release with a lower number than this one built the rows."""
        return number(self.release) < number(RELEASE)

    def __str__(self) -> str:
        registered, own = self.registered[:SHOWN_CHARACTERS], self.own[:SHOWN_CHARACTERS]
        return f"{self.projection}: fold {registered} of {self.release}, here {own} of {RELEASE}"


class AnotherRelease(Unavailable):
    """The error for rows of another release, which this one must neither read nor write."""

    def __init__(self, foreign: Iterable[Fold], remedy: str | None = None):
        folds = list(foreign)
        if all(fold.is_older for fold in folds):
            default = "`tracker rebuild` replaces them, as does a server without --no-takeover"
        elif any(number(fold.release) == number(RELEASE) for fold in folds):
            default = (
                "restart with it, or run `tracker rebuild` of this one; their numbers are equal"
            )
        else:
            default = "restart with it"
        super().__init__(
            f"another release maintains the rows; {remedy or default} ({'; '.join(map(str, folds))})"
        )


async def read_folds(
    connection: Connection | Pool, projections: Iterable[Projection[Any]]
) -> list[Fold]:
    """Return the folds of the rows of some projections, and their positions."""
    own = OwnFolds(projections)
    return own.compare(await connection.fetch(SQL.tracking, own.names))


def foreign_folds(folds: Iterable[Fold]) -> list[Fold]:
    """Return the folds that are not those of this code."""
    return [fold for fold in folds if not fold.is_own]


class OwnFolds:
    """The folds of the projections of a process, and those of the rows as last read."""

    def __init__(self, projections: Iterable[Projection[Any]]):
        self._own = {projection.name: fingerprint(projection) for projection in projections}
        self._foreign: list[Fold] = []
        self.changed = asyncio.Event()
        """Set when other code replaces rows, or all are of this code again. Get it before reading."""

    @property
    def names(self) -> list[str]:
        """The names of the projections."""
        return list(self._own)

    @property
    def error(self) -> AnotherRelease | None:
        """The error if rows of another release are known."""
        return AnotherRelease(self._foreign) if self._foreign else None

    def require(self) -> None:
        """Raise AnotherRelease if rows of another release are known."""
        if error := self.error:
            raise error

    def compare(self, rows: Iterable[Any]) -> list[Fold]:
        """Return the folds of the rows, given their tracking."""
        tracked = {row["projection"]: row for row in rows}
        return [
            Fold(name, own, row["fold"], row["release"], row["position"])
            if (row := tracked.get(name))
            else Fold(name, own)
            for name, own in self._own.items()
        ]

    async def read(self, connection: Connection | Pool) -> dict[str, Any]:
        """Return the tracking of the projections by name, and record their folds."""
        rows = await connection.fetch(SQL.tracking, self.names)
        self._note(self.compare(rows))
        return {row["projection"]: row for row in rows}

    def announce(self, name: str, fold: str, release: str) -> None:
        """Record the rows of a projection that are about to be committed."""
        self._note([Fold(name, self._own[name], fold, release)])

    def _note(self, folds: list[Fold]) -> None:
        before, self._foreign = self._foreign, foreign_folds(folds)
        if before != self._foreign:
            self.changed.set()
            self.changed = asyncio.Event()
            if error := self.error:
                logger.error("%s", error)

    async def position(self, connection: Connection | Pool, name: str) -> int:
        """Return the position of a projection. Raises AnotherRelease if any rows are of other code."""
        rows = await self.read(connection)
        self.require()
        return int(rows[name]["position"])
