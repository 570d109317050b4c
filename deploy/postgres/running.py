"""A server that another process runs."""

import time
from pathlib import Path

from msgspec import Struct

from deploy.postgres.connection import Connection, PostgresError
from deploy.postgres.lock import answers, read_if_locked

POLL_INTERVAL_SECONDS = 0.05


class RunningServer(Struct, frozen=True):
    """A server of another process, valid while that process holds the lock."""

    connection: Connection
    owner: int
    """Id of the process that runs it."""
    lasting: bool
    """Whether that process runs until it is stopped, such as `tracker serve`."""
    lock: Path

    @property
    def ended(self) -> str | None:
        """Return the reason why the server is unusable, or None while its process runs."""
        record = read_if_locked(self.lock)
        if record is not None and record.get("owner") == self.owner:
            return None
        return (
            f"Process {self.owner} ran PostgreSQL on {self.lock.parent} and has ended. Start this"
            " command again: it then runs PostgreSQL itself."
        )


def running(data_dir: Path, *, wait: float = 10) -> RunningServer | None:
    """Return the server that another process runs on `data_dir`, or None.

    Waits up to `wait` seconds for a server that is starting. Raises PostgresError if this user may not
    access it.
    """
    path = data_dir.expanduser().resolve() / "lock"
    deadline = time.monotonic() + wait
    try:
        while (record := read_if_locked(path)) is not None:
            connection = Connection(record["host"]) if "ready" in record else None
            if connection and answers(connection):
                return RunningServer(
                    connection, record["owner"], record.get("lasting", False), path
                )
            if time.monotonic() > deadline:
                return None
            time.sleep(POLL_INTERVAL_SECONDS)
    except PermissionError as error:
        raise PostgresError(f"{error}. Ask as the user who runs the server.") from error
    return None
