"""Conversion of errors to those of the eventsourcing library, which follow PEP 249."""

import asyncpg
from eventsourcing import persistence

BY_CLASS: dict[str, type[persistence.DatabaseError]] = {
    "08": persistence.OperationalError,
    "28": persistence.OperationalError,
    "40": persistence.OperationalError,
    "53": persistence.OperationalError,
    "54": persistence.OperationalError,
    "55": persistence.OperationalError,
    "57": persistence.OperationalError,
    "58": persistence.OperationalError,
    "0A": persistence.NotSupportedError,
    "22": persistence.DataError,
    "23": persistence.IntegrityError,
    "24": persistence.InternalError,
    "25": persistence.InternalError,
    "XX": persistence.InternalError,
    "3D": persistence.ProgrammingError,
    "3F": persistence.ProgrammingError,
    "42": persistence.ProgrammingError,
}
"""Error classes by the first two characters of PostgreSQL's SQLSTATE, as in psycopg."""


def to_persistence_error(error: Exception) -> persistence.PersistenceError:
    """Return the library's error for one of asyncpg or of the connection."""
    message = str(error) or type(error).__name__
    if isinstance(error, asyncpg.PostgresError):
        return BY_CLASS.get((error.sqlstate or "")[:2], persistence.DatabaseError)(message)
    if isinstance(error, asyncpg.InterfaceError):
        return persistence.InterfaceError(message)
    return persistence.OperationalError(message)
