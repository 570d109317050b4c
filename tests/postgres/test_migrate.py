"""A database of any age is brought to this version, or left as it was."""

import asyncio
import re
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.bootstrap import check_migrations, open_connection, prepare, running_tracker
from deploy.postgres import Postgres
from schema.services import Services
from tests.conftest import database, run_sql
from tests.support.fact_builders import announced
from tracker.postgres.database import Connection, Target, named_queries
from tracker.postgres.migrate import Migration, migrate, migrations, pending
from tracker.postgres.roles import ALL_ROLES, NotMigrated

FORMER_STEPS = Path(__file__).with_name("former-steps.zip")
"""The steps as they were before they were replaced by fewer ones."""
CATALOG = named_queries(Path(__file__).with_name("catalog.sql"))


@pytest.fixture
def bare(server: Postgres) -> Iterator[Target]:
    """Create an empty database."""
    name = f"bare_{uuid.uuid4().hex}"
    run_sql(server, f"CREATE DATABASE {name}")
    yield database(server, name)
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


def former_steps() -> list[Migration]:
    """Return the former steps in their order."""
    with zipfile.ZipFile(FORMER_STEPS) as packed:
        return [
            Migration(int(name[:4]), name[5:].removesuffix(".sql"), packed.read(name).decode())
            for name in sorted(packed.namelist())
        ]


async def steps_of(connection: Connection) -> list[asyncpg.Record]:
    """Return the steps that a database has recorded."""
    return await connection.fetch("SELECT number, name, sha256 FROM log.migrations ORDER BY 1")


async def catalog(target: Target) -> list[str]:
    """Return the contents of a database as text."""
    async with open_connection(target) as connection:
        return [row[0] for row in await connection.fetch(CATALOG.catalog)]


LATER = ("mail_role", "alerts", "endpoint_format", "alert_stop_reason", "scenarios")
"""Steps after the former ones."""


@pytest.mark.parametrize(
    ("count", "applied"),
    [(15, ["renumber", "refuse_older_release", *LATER]), (16, ["renumber", *LATER])],
)
async def test_a_database_of_the_former_steps_becomes_the_same_as_a_new_one(
    bare: Target, target: Target, count: int, applied: list[str]
) -> None:
    async with open_connection(bare) as connection:
        await migrate(connection, former_steps()[:count])
        await connection.execute(
            "INSERT INTO log.events"
            " VALUES (1, 'a', 'alliance/a', 1, 'Alliance.Founded', now(), '{}')"
        )
        before = await connection.fetch("SELECT * FROM log.events")
        assert [step.name for step in await pending(connection)] == applied
        assert await migrate(connection) == applied
        assert await migrate(connection) == []
    await prepare(bare)
    assert await catalog(bare) == await catalog(target)
    async with open_connection(bare) as connection, open_connection(target) as new:
        assert await connection.fetch("SELECT * FROM log.events") == before
        assert await steps_of(connection) == await steps_of(new)


async def test_a_database_with_only_some_of_the_former_steps_is_left_alone(bare: Target) -> None:
    async with open_connection(bare) as connection:
        await migrate(connection, former_steps()[:9])
        with pytest.raises(NotMigrated, match=r"before 0\.1\.0 \(migration 11\).*upgrade\.md"):
            await migrate(connection)


async def test_migrating_again_changes_nothing(target: Target) -> None:
    before = await catalog(target)
    async with open_connection(target) as connection:
        assert await migrate(connection) == []
    assert await catalog(target) == before


async def test_of_several_that_migrate_at_once_one_does_it(bare: Target) -> None:
    async with open_connection(bare) as one, open_connection(bare) as other:
        done = await asyncio.gather(migrate(one), migrate(other))
    assert sorted(done) == [[], [step.name for step in migrations()]]


async def test_a_step_that_fails_leaves_the_database_as_it_was(bare: Target) -> None:
    before = await catalog(bare)
    broken = [*migrations(), Migration(99, "broken", "CREATE TABLE log.half (); SELECT 1 / 0")]
    async with open_connection(bare) as connection:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await migrate(connection, broken)
    assert await catalog(bare) == before


async def test_a_step_that_was_edited_afterwards_is_noticed(target: Target) -> None:
    first, *others = migrations()
    edited = Migration(first.number, first.name, first.script + "-- a small change")
    async with open_connection(target) as connection:
        with pytest.raises(NotMigrated, match=r"another migration 19 \(roles\).*edited"):
            await migrate(connection, [edited, *others])


async def test_a_database_of_a_newer_version_is_left_alone(target: Target) -> None:
    async with open_connection(target) as connection:
        with pytest.raises(NotMigrated, match="newer version"):
            await migrate(connection, migrations()[:-1])


@pytest.fixture
def login(server: Postgres) -> Iterator[str]:
    """Create a login without rights."""
    name = f"login_{uuid.uuid4().hex}"
    run_sql(server, f"CREATE ROLE {name} LOGIN")
    yield name
    run_sql(server, f"DROP OWNED BY {name}; DROP ROLE {name}")


async def test_a_login_that_may_not_migrate_is_told_what_to_do(bare: Target, login: str) -> None:
    with pytest.raises(NotMigrated, match="`tracker migrate` once with a login that owns"):
        await prepare({**bare, "user": login})


async def test_a_login_that_is_a_member_of_two_roles_runs_everything(
    services: Services, target: Target, server: Postgres, login: str
) -> None:
    async with open_connection(target) as connection:
        await connection.execute(f"GRANT tracker_api, tracker_projector TO {login}")
    async with running_tracker({**target, "user": login}) as restricted:
        recorded = await restricted.commands.record("export-control/a", announced())
        await restricted.projector.reach(recorded.positions[0])


async def test_the_owner_of_a_database_who_may_create_roles_can_migrate_it(
    bare: Target, login: str
) -> None:
    async with open_connection(bare) as admin:
        await admin.execute(f"ALTER DATABASE {bare['database']} OWNER TO {login}")
        # Grants that PostgreSQL gives to the creator of a role; these exist on this server already.
        await admin.execute(
            "GRANT tracker_owner, tracker_projector, tracker_api, tracker_publisher, tracker_deliverer,"
            f" tracker_watcher, tracker_mailer TO {login} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE"
        )
    async with running_tracker({**bare, "user": login}) as services:
        await services.commands.record("export-control/a", announced())
    async with open_connection(bare) as admin:
        await admin.execute(f"REASSIGN OWNED BY {login} TO CURRENT_USER")


@pytest.fixture
def administrator(bare: Target, server: Postgres, login: str) -> Target:
    """Let a login own the database and create roles, on a server whose roles a superuser created."""
    run_sql(server, f"ALTER ROLE {login} CREATEROLE")
    run_sql(server, f"ALTER DATABASE {bare['database']} OWNER TO {login}")
    return {**bare, "user": login}


@pytest.mark.parametrize("rights", [None, "INHERIT FALSE, SET TRUE"])
async def test_an_owner_of_the_database_gets_the_grants_that_it_lacks(
    administrator: Target, bare: Target, login: str, rights: str | None
) -> None:
    async with open_connection(bare) as admin:
        if rights:
            await admin.execute(f"GRANT {', '.join(ALL_ROLES)} TO {login} WITH {rights}")
        for attempt in (prepare, check_migrations):
            with pytest.raises(NotMigrated, match=r"roles\.sql") as caught:
                await attempt(administrator)
            assert caught.value.code == "MISSING_ROLES"
            [statement] = re.findall(r"^  (.*;)$", caught.value.message, re.MULTILINE)
        await admin.execute(statement)
        lacking = r"12 migrations, 19 .*: run `tracker migrate`$"
        with pytest.raises(NotMigrated, match=lacking):
            await check_migrations(administrator)
        await prepare(administrator)
        await check_migrations(administrator)
        await admin.execute(f"REASSIGN OWNED BY {login} TO CURRENT_USER")
