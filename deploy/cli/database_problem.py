"""Messages for operators about a database that cannot be used: the problem, the place, the remedy."""

import getpass
import os
import re

import asyncpg

from deploy.config import settings
from deploy.output.log_format import reason
from tracker.postgres.database import OWNER, Target
from tracker.postgres.hosts import address
from tracker.postgres.roles import ALL_ROLES

GRANTED_ROLES = tuple(role for role in ALL_ROLES if role != OWNER)
NO_CONNECT_RIGHT = "CheckMyDatabase"
"""Function of PostgreSQL that refuses a login without CONNECT; the text of its error can be translated."""
CONNECTIONS_OF_A_SERVER = 26
"""Connections of a server, as in docs/operating/scale.md."""


def describe_database_problem(error: Exception, target: Target | None) -> str:
    """Describe an error of `CONNECTION_ERRORS`.

    `target` is the database of the command; None for the embedded one.
    """
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    place, setting = _place(error, target), settings.database_variables()
    message = getattr(error, "strerror", None) or reason(error)
    message = message.replace("\nDETAIL: ", ":").rstrip(".")
    match error:
        case asyncpg.InvalidAuthorizationSpecificationError():
            return (
                f"{place} refused the login: {message}. Correct the user and the password in {setting},"
                " or allow the login in pg_hba.conf on the server."
            )
        case asyncpg.InvalidCatalogNameError():
            return (
                f"{place} is not there: {message}. Create it (CREATE DATABASE … ENCODING UTF8 TEMPLATE"
                f" template0), or correct its name in {setting}."
            )
        case asyncpg.InsufficientPrivilegeError(server_source_function=function):
            if function == NO_CONNECT_RIGHT:
                return (
                    f"{place} refused the login: {message}. Grant it as the owner of the database:"
                    f" GRANT CONNECT ON DATABASE {_identifier((target or {}).get('database', ''))} TO"
                    f" {_login(target)};"
                )
            return (
                f"{place} refused the login some rights: {message}. Grant them as the owner of the"
                f" database: GRANT {', '.join(GRANTED_ROLES)} TO {_login(target)}; (docs/database.md)"
            )
        case asyncpg.TooManyConnectionsError():
            return (
                f"{place} has no connection left: {message}. Raise max_connections, or the CONNECTION"
                f" LIMIT of the role or database: a server uses up to {CONNECTIONS_OF_A_SERVER}."
            )
        case asyncpg.CannotConnectNowError():
            return f"{place} takes no connections now: {message}. Try again later."
        case asyncpg.PostgresError():
            return f"{place} refused a statement: {message}."
    remedy = f"Start it, or correct the address in {setting}" if target else "Run the command again"
    return f"{place} can't be reached: {message}. {remedy}."


def _place(error: Exception, target: Target | None) -> str:
    """Return the database of a failed connection, or else that of the command."""
    notes = getattr(error, "__notes__", None)
    if not notes and not target:
        return "The database"
    return f"The database {notes[-1] if notes else describe_target(target or {})}"


def describe_target(target: Target) -> str:
    """Return the address of a database without its login."""
    return address(target.get("host"), target.get("port"), target.get("database"))


def _login(target: Target | None) -> str:
    """Return the name of the login as an SQL identifier."""
    return _identifier((target or {}).get("user") or os.environ.get("PGUSER") or getpass.getuser())


def _identifier(name: str) -> str:
    return (
        name if re.fullmatch("[a-z_][a-z0-9_]*", name) else '"{}"'.format(name.replace('"', '""'))
    )
