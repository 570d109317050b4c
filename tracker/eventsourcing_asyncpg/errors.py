"""Conversion of errors to those of the eventsourcing library, which follow PEP 249."""

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
"""Error classes by the first two characters of PostgreSQL's SQLSTATE, as in psycopg."""


def to_persistence_error(error: Exception) -> PersistenceError:
    """Return the library's error for one of asyncpg or of the connection."""
    message = str(error) or type(error).__name__
    if isinstance(error, asyncpg.PostgresError):
        return BY_CLASS.get((error.sqlstate or "")[:2], DatabaseError)(message)
    if isinstance(error, asyncpg.InterfaceError):
        return InterfaceError(message)
    return OperationalError(message)
