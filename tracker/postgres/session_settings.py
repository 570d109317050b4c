"""Settings that every session needs, and their check.

A connection sends them when it is opened. A pooler in front of PostgreSQL refuses them, or drops them
silently. Then names would refer to other tables, days would begin in another time zone, and superusers would
not be limited to their role.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg

MIN_MAJOR_VERSION = 17
"""The oldest major version of PostgreSQL with the required features."""
ENCODING = "UTF8"
IN_FORCE = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
SEARCH_PATH = "projection, public"
SILENCE_TIMEOUT_SECONDS = 8
"""Seconds after which an idle transaction is ended with all its locks.

Others must be able to continue within 10 seconds. No transaction of the tracker is idle that long. One that
holds a lock has all its data before, and sends one statement after the other, without COPY and long results.
PostgreSQL has no limit for a client that stops during these. Transactions of the projector and the publisher,
and appends, are also limited as a whole (`transaction_timeout`, from the lock on). Imports and index builds
have no limit while they make progress.
"""
BASIC_SETTINGS: Mapping[str, str] = {
    "search_path": SEARCH_PATH,
    "timezone": "UTC",
    "enable_memoize": "off",  # no query reads the same rows twice
    "idle_in_transaction_session_timeout": f"{SILENCE_TIMEOUT_SECONDS}s",
    "client_connection_check_interval": "2s",
}
TRANSPORT_SETTINGS: Mapping[str, str] = {
    "application_name": "tracker",
    # Like client_connection_check_interval, for a lost client host or one that does not read its results.
    "tcp_keepalives_idle": "4",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "2",
    "tcp_user_timeout": f"{SILENCE_TIMEOUT_SECONDS}s",
}
"""Excluded from the check: a pooler may extend the name, and the others are 0 over a Unix socket."""
REFUSED_PARAMETER = "unsupported startup parameter"
"""Beginning of the error of PgBouncer for a connection that sends settings."""


class UnsuitableConnection(ConnectionError):
    """A pooler between the tracker and PostgreSQL lacks a required feature.

    For operators: clients get the error of a lost connection. `code` is stable.
    """

    def __init__(self, message: str, code: str = "POOLER_NEEDS_DIRECT_URL"):
        super().__init__(message)
        self.message, self.code = message, code


class UnsuitableServer(UnsuitableConnection):
    """A server or database that the tracker does not support."""


def check_server(connection: Any, place: str) -> None:
    """Check the version and the encoding of a database, which its server reports at login.

    Raises UnsuitableServer.
    """
    major = connection.get_server_version().major
    if major < MIN_MAJOR_VERSION:
        raise UnsuitableServer(
            f"PostgreSQL {major} serves {place}: {MIN_MAJOR_VERSION} or newer is needed. Upgrade the"
            " server (pg_upgrade), or name another one in TRACKER_DATABASE_URL",
            code="SERVER_TOO_OLD",
        )
    encoding = connection.get_settings().server_encoding
    if encoding != ENCODING:
        raise UnsuitableServer(
            f"The database {place} has the encoding {encoding}: {ENCODING} is needed. Create another"
            f" (CREATE DATABASE … ENCODING {ENCODING} TEMPLATE template0), and name it in"
            " TRACKER_DATABASE_URL",
            code="WRONG_ENCODING",
        )


def session_settings(role: str | None) -> dict[str, str]:
    """Return the settings of a session that works as a role, or as its login."""
    return {**BASIC_SETTINGS, **({"role": role} if role else {})}


def refused_settings(error: asyncpg.PostgresError) -> UnsuitableConnection | None:
    """Return the error of a pooler that refused the settings of a connection; None for other errors."""
    message = str(error)
    return UnsuitableConnection(_through_pooler(message)) if REFUSED_PARAMETER in message else None


async def check_session(connection: Any, settings: Mapping[str, str], *, pooled: bool) -> None:
    """Raise UnsuitableConnection if a session has wrong settings.

    `pooled`: the settings were not sent, because the login should have them.
    """
    rows = await connection.fetch(IN_FORCE, list(settings))
    values = {row["name"]: row["value"] for row in rows}
    wrong = {name: value for name, value in settings.items() if values[name] != value}
    if pooled:
        _check_login(rows[0]["login"], rows[0]["superuser"], wrong)
    elif wrong:
        name, value = next(iter(wrong.items()))
        raise UnsuitableConnection(_through_pooler(f"{name} is {values[name]}, not {value}"))


def _check_login(login: str, superuser: bool, wrong: Mapping[str, str]) -> None:
    """Check the login of a pooler and its settings."""
    if superuser:
        raise UnsuitableConnection(
            f"The login of the pooler, {login}, is a superuser, which no role makes less of: use one"
            " of its own (deploy/manifests/database/pooled.sql)",
            code="POOLER_SUPERUSER",
        )
    if wrong:
        raise UnsuitableConnection(
            f"The login of the pooler, {login}, lacks settings: {', '.join(wrong)}. Let a superuser"
            f" run {' '.join(_statements(login, wrong))} and then RECONNECT in the console of the"
            " pooler: its open connections keep their former settings",
            code="POOLER_LACKS_SETTINGS",
        )


def _statements(login: str, settings: Mapping[str, str]) -> list[str]:
    """Return SQL that sets a role's session defaults."""
    name = '"{}"'.format(login.replace('"', '""'))
    grants = [f"GRANT {settings['role']} TO {name};"] if "role" in settings else []
    return grants + [
        f"ALTER ROLE {name} SET {setting} = "
        + (f"{value};" if setting == "search_path" else f"'{value}';")
        for setting, value in settings.items()
    ]


def _through_pooler(sign: str) -> str:
    return (
        f"There is a connection pooler between the tracker and PostgreSQL ({sign}): set the"
        " address of PostgreSQL itself in TRACKER_DIRECT_URL (docs/database.md, A pooler)"
    )
