"""The choice of the PostgreSQL database that a command works on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from deploy.postgres import (
    InUse,
    NoDatabase,
    Postgres,
    PostgresError,
    demo_data_dir,
    has_database,
    running,
)
from tracker.postgres.database import CONNECTION_ERRORS, Target

SERVER_CHECK_INTERVAL_SECONDS = 0.2
"""Seconds between two looks at our own server."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Database:
    """A database: how to connect, and the server process if it is the embedded one."""

    target: Target
    server: Postgres | None = None

    async def run_while_alive(self, work: Coroutine[Any, Any, T]) -> T:
        """Do some work. If our own server ends meanwhile the work is cancelled: nothing would bring
        the server back, while whoever runs this process can start it again. Raises PostgresError.
        """
        watching = asyncio.create_task(self._watch(asyncio.current_task()))
        try:
            return await work
        except (asyncio.CancelledError, *CONNECTION_ERRORS):
            if self.server and (ended := self.server.ended):
                raise PostgresError(ended) from None
            raise
        finally:
            watching.cancel()

    async def _watch(self, working: asyncio.Task[Any] | None) -> None:
        """Cancel the work when the server has ended."""
        assert working is not None
        while not (self.server and self.server.ended):
            await asyncio.sleep(SERVER_CHECK_INTERVAL_SECONDS)
        working.cancel()


@contextmanager
def database(data_dir: Path, target: Target | None, *, make: bool = False) -> Iterator[Database]:
    """The database that is given, else of the server that runs on the data directory, else of one
    that is started for as long as the command lasts; with `make`, also where there is no data yet.

    Raises PostgresError, and NoDatabase.
    """
    if target:
        yield Database(target)
        return
    if connection := running(data_dir):
        yield Database(connection.kwargs())
        return
    if not make and not has_database(data_dir):
        raise NoDatabase(no_database_in(data_dir))
    try:
        postgres = Postgres.start(data_dir)
    except InUse:  # another command came first, and may run its server or be about to stop it
        connection = running(data_dir)
        if connection is None:
            raise
        yield Database(connection.kwargs())
        return
    with postgres:
        yield Database(postgres.connection.kwargs(), postgres)


def no_database_in(data_dir: Path) -> str:
    """The error for a data directory without a database, with advice."""
    demo = demo_data_dir()
    beside = (
        f" That of `tracker demo` is in {demo}." if has_database(demo) and demo != data_dir else ""
    )
    return (
        f"There is no database in {data_dir}.{beside} Name another directory with --data-dir or"
        " TRACKER_DATA_DIR; `tracker migrate`, `serve`, `import` and `restore` make a new one."
    )
