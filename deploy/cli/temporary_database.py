"""A temporary database with the events of a verified log, removed at the end."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.postgres import Postgres
from deploy.postgres.database_target import Database


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """Create a directory that PostgreSQL's own account can access, and remove it afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-verify-"))
    os.chmod(directory, 0o755)  # as root, PostgreSQL runs under another account
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def temporary_database(directory: Path) -> Iterator[Database]:
    """Run an embedded PostgreSQL below a directory. Raises PostgresError."""
    with Postgres.start(directory / "data", temporary=True) as postgres:
        yield Database(postgres.connection.kwargs(), postgres)
