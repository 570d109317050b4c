"""Which PostgreSQL a command works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.postgres import InUse, Postgres, running
from tracker.log.database import Target, target_from_url


@contextmanager
def database(data_dir: Path, url: str | None) -> Iterator[Target]:
    """What to connect to: the URL, else the server that runs on the data directory, else one that
    is started for as long as the command lasts. Raises PostgresError."""
    if url:
        yield target_from_url(url)
        return
    if connection := running(data_dir):
        yield connection.kwargs()
        return
    try:
        postgres = Postgres.start(data_dir)
    except InUse:  # another command came first, and may run its server or be about to stop it
        connection = running(data_dir)
        if connection is None:
            raise
        yield connection.kwargs()
        return
    with postgres:
        yield postgres.connection.kwargs()
