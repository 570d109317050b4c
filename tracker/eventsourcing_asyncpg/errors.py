"""What went wrong, in the words of the eventsourcing library (which are those of PEP 249)."""

from __future__ import annotations

import asyncpg
from eventsourcing.persistence import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    PersistenceError,
    ProgrammingError,
)

BY_CLASS: dict[str, type[DatabaseError]] = {
    "08": OperationalError,
    "28": OperationalError,
    "40": OperationalError,
    "53": OperationalError,
    "54": OperationalError,
    "55": OperationalError,
    "57": OperationalError,
    "58": OperationalError,
    "0A": NotSupportedError,
    "22": DataError,
    "23": IntegrityError,
    "24": InternalError,
    "25": InternalError,
    "XX": InternalError,
    "3D": ProgrammingError,
    "3F": ProgrammingError,
    "42": ProgrammingError,
}
"""By the first two characters of PostgreSQL's SQLSTATE, as psycopg sorts them."""


def to_persistence_error(error: Exception) -> PersistenceError:
    """The library's error for one of asyncpg's or of the connection's."""
    message = str(error) or type(error).__name__
    if isinstance(error, asyncpg.PostgresError):
        return BY_CLASS.get((error.sqlstate or "")[:2], DatabaseError)(message)
    if isinstance(error, asyncpg.InterfaceError):
        return InterfaceError(message)
    return OperationalError(message)
