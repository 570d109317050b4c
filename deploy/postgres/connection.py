"""The address of an embedded server, and its errors."""

import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

NAME = "critical-minerals-tracker"
PORT = 5432  # opens no port: it only names the socket file


class PostgresError(Exception):
    """The embedded PostgreSQL cannot run. The message has the problem and the remedy."""


class InUse(PostgresError):
    """Another process holds the data directory."""


@dataclass(frozen=True)
class Connection:
    """The address of the server: its socket's directory, the port that names it, role, database."""

    host: str
    port: int = PORT
    user: str = "tracker"
    database: str = "tracker"

    def kwargs(self) -> dict[str, Any]:
        """Return keyword arguments for `asyncpg.connect` and `asyncpg.create_pool`.

        A URL does not work: the host is a path, which may contain spaces.
        """
        return asdict(self)


class NoDatabase(PostgresError):
    """There is no database in the data directory, and none may be created."""


def default_data_dir() -> Path:
    """Return the user's own data directory; for root one that the server's account can access."""
    if os.geteuid() == 0:
        return Path("/var/lib") / NAME
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / NAME
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / NAME


def demo_data_dir() -> Path:
    """Return the directory of the user's demo, beside the default one."""
    own = default_data_dir()
    return own.with_name(f"{own.name}-demo")


def has_database(data_dir: Path) -> bool:
    """Whether a data directory has a database, as far as this user can read it."""
    return os.path.exists(data_dir.expanduser() / "pgdata")
