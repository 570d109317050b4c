"""Migrations: the log's tables, functions and roles, in numbered steps that never change.

A new database goes through the same steps as an old one, so both have the same result. The steps before 0.1.0
were replaced by fewer ones with the same result (`FORMER_STEPS`).
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import asyncpg
from msgspec import Struct

from tracker.postgres.database import OWNER, Connection, named_queries, place
from tracker.postgres.roles import ROLES, NotMigrated, check_rights, check_roles

SQL = named_queries(Path(__file__).with_name("migrate.sql"))
DIRECTORY = Path(__file__).with_name("migrations")
FIRST = 19
"""The number of the first step. Lower numbers belonged to the former steps."""
FORMER_STEPS = {
    "d78832e9758ac494463b8786fa511efc8716ef4086cb35a85c3901963c0d571c": 6,
    "67b86037cc0b017dd089a6c1fe7ba8bf44cb4a849828c88bd7b878445cec2a91": 7,
}
"""Number of present steps that a database with former steps has, by the hash of their list: the former
steps 1 to 17, and 1 to 18."""


class Migration(Struct, frozen=True):
    """A step: `0020_log.sql` has the number 20 and the name `log`."""

    number: int
    name: str
    script: str
    is_recorded: bool = True
    """Whether a database that has it lists it."""

    @property
    def sha256(self) -> str:
        """The hash that detects an edited step."""
        return hashlib.sha256(self.script.encode()).hexdigest()


def migrations(directory: Path = DIRECTORY) -> list[Migration]:
    """Return the steps in order."""
    return [_migration(path) for path in sorted(directory.glob("*.sql"))]


async def migrate(connection: Connection, steps: Iterable[Migration] | None = None) -> list[str]:
    """Apply the missing steps in one transaction, and return their names.

    A crash leaves the database unchanged. Raises NotMigrated if the login lacks the permission, or if the
    database has unknown steps.
    """
    if not (missing := await pending(connection, steps)):
        return []
    await check_rights(connection, [step.name for step in missing])
    try:
        async with connection.transaction():
            await connection.execute(SQL.take_turn)
            missing = await pending(connection, steps)  # another process may have been faster
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
    """Return the steps that data of an older release lack; none for a new database or a standby."""
    old = await connection.fetchval(SQL.began) and await connection.fetchval(SQL.writable)
    return await pending(connection) if old else []


async def check(connection: Connection) -> None:
    """Check that no step is missing. Raises NotMigrated, also if a migration would lack roles."""
    if missing := await pending(connection):
        await check_rights(connection, [step.name for step in missing])
        raise NotMigrated(
            f"The database {place(connection)} needs {_name(missing)}: run `tracker migrate`"
        )


async def pending(
    connection: Connection, steps: Iterable[Migration] | None = None
) -> list[Migration]:
    """Return the steps that a database lacks.

    Raises NotMigrated if it has unknown steps, or was restored on a server without the roles (MISSING_ROLES).
    """
    steps_of_code = list(migrations() if steps is None else steps)
    if not await connection.fetchval(SQL.began):
        return steps_of_code
    applied = {row["number"]: row["sha256"] for row in await connection.fetch(SQL.applied)}
    present = [step.name for step in steps_of_code if step.number in applied]
    await check_roles(connection, present)
    if count := FORMER_STEPS.get(_hash_of(applied)):
        return [_renumber(steps_of_code[:count]), *steps_of_code[count:]]
    if former := [number for number in applied if number < FIRST]:
        raise NotMigrated(
            f"The database is of a version before 0.1.0 (migration {max(former)}):"
            " carry its log over as docs/operating/upgrade.md says"
        )
    for migration in steps_of_code:
        if applied.get(migration.number, migration.sha256) != migration.sha256:
            raise NotMigrated(
                f"The database had another migration {migration.number}"
                f" ({migration.name}) than this version: it was edited afterwards"
            )
    if newer := sorted(applied.keys() - {migration.number for migration in steps_of_code}):
        raise NotMigrated(
            f"The database is of a newer version (migration {newer[-1]}):"
            " install that version of the tracker"
        )
    return [migration for migration in steps_of_code if migration.number not in applied]


async def _apply(connection: Connection, migration: Migration) -> None:
    """Run a step and record it. All steps except those that create roles run as the owner."""
    if migration.name not in ROLES:
        await connection.execute(f"SET LOCAL ROLE {OWNER}")
    await connection.execute(migration.script)
    await connection.execute(f"SET LOCAL ROLE {OWNER}")
    if migration.is_recorded:
        await connection.execute(SQL.record, migration.number, migration.name, migration.sha256)
    await connection.execute("RESET ROLE")


def _renumber(steps: Iterable[Migration]) -> Migration:
    """Return the step that records these steps in place of the former ones, and not itself."""
    rows = ", ".join(f"({each.number}, '{each.name}', '{each.sha256}')" for each in steps)
    script = f"DELETE FROM log.migrations; INSERT INTO log.migrations VALUES {rows}"
    return Migration(FIRST - 1, "renumber", script, is_recorded=False)


def _hash_of(applied: Mapping[int, str]) -> str:
    """Return the hash of a list of steps, given the hash of each by its number."""
    lines = "".join(f"{number} {sha256}\n" for number, sha256 in sorted(applied.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _migration(path: Path) -> Migration:
    number, _, name = path.stem.partition("_")
    return Migration(int(number), name, path.read_text(encoding="utf-8"))


def _name(steps: list[Migration]) -> str:
    """Return the number of steps, and the first and last of them."""
    first, last = (f"{step.number} ({step.name})" for step in (steps[0], steps[-1]))
    return (
        f"migration {first}" if len(steps) == 1 else f"{len(steps)} migrations, {first} to {last}"
    )
