"""Errors in responses: every one has a stable `extensions.code`, and a path if it has one.

Unexpected errors are masked: the client gets an id, and the log has the same id with the details.
"""

import logging
import re
import uuid
from typing import Any

import asyncpg
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import StrawberryInputCoercionError

from tracker.errors import TrackerError, Unavailable

MAX_MESSAGE_CHARACTERS = 1000
"""Maximum length of a message. Messages of GraphQL repeat the input."""

VARIABLE = re.compile(
    r"Variable '\$(?P<name>\w+)' has invalid (?:default )?value"
    r"(?: at )?(?P<where>(?:\.\w+|\[\d+\])*): "
)

DATABASE_ERRORS = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedTableError,
)
"""Errors of a query that are temporary. The database is stopped, starting, out of resources, or a standby
that cannot write or has cancelled the query; or another release replaces the tables. Other errors of
PostgreSQL are bugs."""

logger = logging.getLogger(__name__)


def describe_error(error: GraphQLError) -> None:
    """Add the code and path to an error, in place, and mask internal errors."""
    if error.extensions and "code" in error.extensions:
        return
    cause = error.original_error
    if isinstance(cause, DATABASE_ERRORS):
        cause = _database_error(cause)
        error.message = cause.message
    if isinstance(cause, TrackerError):
        error.extensions = error_extensions(cause.code, cause.path, cause.suggestion)
    elif cause is None or isinstance(cause, GraphQLError) or (error.nodes and not error.path):
        error.extensions = _graphql(error)
    else:
        _mask(error)
    error.message = error.message[:MAX_MESSAGE_CHARACTERS]


def error_extensions(
    code: str, path: tuple[str | int, ...] = (), suggestion: str = ""
) -> dict[str, Any]:
    """Return the extensions of an error; without a path or a suggestion, they are left out."""
    values = {"code": code, "path": list(path), "suggestion": suggestion}
    return {name: value for name, value in values.items() if value}


def error_with_code(code: str, message: str, *path: str) -> GraphQLError:
    """Return an error with its code, message and path."""
    return GraphQLError(message, extensions=error_extensions(code, path))


def plain_error(code: str, message: str, path: tuple[str | int, ...] = ()) -> dict[str, Any]:
    """Return a response that consists of an error."""
    return {"errors": [{"message": message, "extensions": error_extensions(code, path)}]}


def masked_error(error: BaseException | None, at: object = None) -> dict[str, Any]:
    """Return the message of an unexpected error for clients: an id, under which the log has the details."""
    id = uuid.uuid4().hex[:12]
    logger.error("internal error %s at %s", id, at, exc_info=error)
    return {"message": "Internal error", "extensions": {"code": "INTERNAL", "id": id}}


def tracker_error(error: Exception) -> TrackerError:
    """Return any error as an error of the tracker, masked if unexpected, for responses outside GraphQL."""
    if isinstance(error, TrackerError):
        return error
    if isinstance(error, DATABASE_ERRORS):
        return _database_error(error)
    shown = masked_error(error)
    return TrackerError(f"Internal error {shown['extensions']['id']}", code="INTERNAL")


def _database_error(error: Exception) -> Unavailable:
    logger.warning("the database does not answer: %s", error)
    # A full disk counts too: only the log itself can state that nothing was recorded.
    return Unavailable("The database does not answer; try again")


def _mask(error: GraphQLError) -> None:
    shown = masked_error(error.original_error, error.path)
    error.message, error.extensions = shown["message"], shown["extensions"]
    error.original_error = None


def _graphql(error: GraphQLError) -> dict[str, Any]:
    """Return the extensions of an error of GraphQL itself: in the document, or in its variables."""
    if isinstance(error, GraphQLSyntaxError):
        return error_extensions("GRAPHQL_PARSE_FAILED")
    variable = VARIABLE.match(error.message)
    if variable:
        path = variable["where"].replace("[", ".").replace("]", "").split(".")[1:]
        steps = (int(step) if step.isdecimal() else step for step in path)
        return error_extensions("BAD_USER_INPUT", (variable["name"], *steps))
    bad_input = error.path or isinstance(error, StrawberryInputCoercionError)
    return error_extensions("BAD_USER_INPUT" if bad_input else "GRAPHQL_VALIDATION_FAILED")
