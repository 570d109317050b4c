"""Migrations: the log's tables, functions and roles, in numbered steps that never change.

A new database goes through the same steps as an old one, so both end up the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tracker.errors import Unavailable
from tracker.postgres.database import (
    API,
    DELIVERER,
    OWNER,
    PROJECTOR,
    PUBLISHER,
    WATCHER,
    Connection,
    named_queries,
    place,
)

SQL = named_queries(Path(__file__).with_name("migrate.sql"))
DIRECTORY = Path(__file__).with_name("migrations")
ROLES_BY_STEP = {1: (OWNER, PROJECTOR, API), 5: (PUBLISHER,), 12: (DELIVERER,), 14: (WATCHER,)}
"""The steps that make roles."""


class NotMigrated(Unavailable):
    """The database is not as this version needs it, and can't be brought there by this login."""

    code = "NOT_MIGRATED"


@dataclass(frozen=True, slots=True)
class Migration:
    """A step: `0002_events.sql` has the number 2 and the name `events`."""

    number: int
    name: str
    script: str

    @property
    def sha256(self) -> str:
        """The hash by which an edited step is noticed."""
        return hashlib.sha256(self.script.encode()).hexdigest()


def migrations(directory: Path = DIRECTORY) -> list[Migration]:
    """The steps in their order."""
    return [_migration(path) for path in sorted(directory.glob("*.sql"))]


async def migrate(connection: Connection, steps: Iterable[Migration] | None = None) -> list[str]:
    """Apply the steps that are missing, in one transaction, and return their names.

    A crash leaves the database as it was. Raises NotMigrated when the login may not do this, or
    when the database has steps that are not ours.
    """
    missing = await pending(connection, steps)
    if not missing:
        return []
    try:
        async with connection.transaction():
            await connection.execute(SQL.take_turn)
            missing = await pending(connection, steps)  # others may have been faster
            for migration in missing:
                await _apply(connection, migration)
    except asyncpg.InsufficientPrivilegeError as error:
        raise NotMigrated(
            f"The database {place(connection)} needs {_name(missing)}, and this login may not apply"
            f" them: {error.args[0]}. Run `tracker migrate` once with a login that owns the database and may"
            " create roles"
        ) from error
    return [migration.name for migration in missing]


async def lacking(connection: Connection) -> list[Migration]:
    """The steps that data of an older release lack; none for a new database, and for a standby."""
    old = await connection.fetchval(SQL.began) and await connection.fetchval(SQL.writable)
    return await pending(connection) if old else []


async def pending(
    connection: Connection, steps: Iterable[Migration] | None = None
) -> list[Migration]:
    """The steps that a database lacks. Raises NotMigrated if it has some that are not ours, or was
    restored where the roles were not (MISSING_ROLES)."""
    ours = list(migrations() if steps is None else steps)
    if not await connection.fetchval(SQL.began):
        return ours
    applied = {row["number"]: row["sha256"] for row in await connection.fetch(SQL.applied)}
    await _check_roles(
        connection,
        [role for step in ROLES_BY_STEP if step in applied for role in ROLES_BY_STEP[step]],
    )
    for migration in ours:
        if applied.get(migration.number, migration.sha256) != migration.sha256:
            raise NotMigrated(
                f"The database had another migration {migration.number}"
                f" ({migration.name}) than this version: it was edited afterwards"
            )
    if newer := sorted(applied.keys() - {migration.number for migration in ours}):
        raise NotMigrated(
            f"The database is of a newer version (migration {newer[-1]}):"
            " install that version of the tracker"
        )
    return [migration for migration in ours if migration.number not in applied]


async def _check_roles(connection: Connection, roles: list[str]) -> None:
    """Check that a database which was migrated has its roles: a dump does not bring them along."""
    found = await connection.fetchrow(SQL.misplaced, roles, OWNER)
    assert found is not None
    if found["missing"]:
        statements = "".join(f"\n  CREATE ROLE {role} NOLOGIN;" for role in found["missing"])
        raise NotMigrated(
            f"The server lacks the roles {', '.join(found['missing'])}. They belong to the server,"
            " so that no dump of a database has them, and what is restored without them has neither"
            " owners nor grants. Make them with a login that may create roles, and then restore the"
            f" dump once more, into an empty database (docs/operating/back-up.md):{statements}",
            code="MISSING_ROLES",
        )
    if found["owner"]:
        raise NotMigrated(
            f"The log belongs to {found['owner']} and not to {OWNER}: the dump was restored while"
            " the server had no such role, and has lost its owners and grants. The roles are there"
            " now: restore the dump once more, into an empty database (docs/operating/back-up.md)",
            code="MISSING_ROLES",
        )


async def _apply(connection: Connection, migration: Migration) -> None:
    """Run a step. The first makes the roles; what the later ones make belongs to the owner."""
    if migration.number > 1:
        await connection.execute(f"SET LOCAL ROLE {OWNER}")
    await connection.execute(migration.script)
    await connection.execute(f"SET LOCAL ROLE {OWNER}")
    await connection.execute(SQL.record, migration.number, migration.name, migration.sha256)
    await connection.execute("RESET ROLE")


def _migration(path: Path) -> Migration:
    number, _, name = path.stem.partition("_")
    return Migration(int(number), name, path.read_text(encoding="utf-8"))


def _name(steps: list[Migration]) -> str:
    """The number of steps, and the first and last of them."""
    first, last = (f"{step.number} ({step.name})" for step in (steps[0], steps[-1]))
    return (
        f"migration {first}" if len(steps) == 1 else f"{len(steps)} migrations, {first} to {last}"
    )
