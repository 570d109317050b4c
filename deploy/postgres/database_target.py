"""Selection of the PostgreSQL database for a command."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

from deploy.postgres import (
    InUse,
    NoDatabase,
    Postgres,
    PostgresError,
    RunningServer,
    demo_data_dir,
    has_database,
    running,
)
from tracker.postgres.database import CONNECTION_ERRORS, Target

SERVER_CHECK_INTERVAL_SECONDS = 0.2
"""Seconds between two checks of the embedded server."""

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Database(Struct, frozen=True):
    """A database: its address, and its server if it is an embedded one, of this or another process."""

    target: Target
    server: Postgres | RunningServer | None = None

    async def run_while_alive(self, work: Coroutine[Any, Any, T]) -> T:
        """Run work, and cancel it if the embedded server ends. Raises PostgresError.

        Nothing would restart the server, while a supervisor can restart this process.
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
        """Cancel the work when the server ends."""
        assert working is not None
        while not (self.server and self.server.ended):
            await asyncio.sleep(SERVER_CHECK_INTERVAL_SECONDS)
        working.cancel()


@contextmanager
def database(
    data_dir: Path, target: Target | None, *, make: bool = False, lasting: bool = False
) -> Iterator[Database]:
    """Open the given database, or that of a server on the data directory.

    It uses a running server or starts one for the duration of the command; with `make`, also without
    data. A `lasting` command uses no server of a short one, because it would lose its database. Raises
    PostgresError, and NoDatabase.
    """
    if target:
        yield Database(target)
        return
    while (server := _server_to_join(data_dir, lasting)) is None:
        if not make and not has_database(data_dir):
            raise NoDatabase(no_database_in(data_dir))
        try:
            own = Postgres.start(data_dir, lasting=lasting)
        except InUse:  # another command came first, and may run its server or be stopping it
            if running(data_dir) is None:
                raise
            continue
        with own:
            yield Database(own.connection.kwargs(), own)
        return
    yield Database(server.connection.kwargs(), server)


def _server_to_join(data_dir: Path, lasting: bool) -> RunningServer | None:
    """Return the server of another process to use, or None if this process must run its own."""
    server = running(data_dir)
    while server and lasting and not server.lasting:
        logger.warning(
            "waits for process %d to end, which runs PostgreSQL on %s for a short command",
            server.owner,
            data_dir,
        )
        while not server.ended:
            time.sleep(SERVER_CHECK_INTERVAL_SECONDS)
        server = running(data_dir)
    return server


def no_database_in(data_dir: Path) -> str:
    """Return the error for a data directory without a database, with advice."""
    demo = demo_data_dir()
    beside = (
        f" That of `tracker demo` is in {demo}." if has_database(demo) and demo != data_dir else ""
    )
    return (
        f"There is no database in {data_dir}.{beside} Name another directory with --data-dir or"
        " TRACKER_DATA_DIR; `tracker migrate`, `serve`, `import` and `restore` make a new one."
    )
