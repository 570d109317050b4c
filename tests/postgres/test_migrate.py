"""A database of any age is brought to this version, or left as it was."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.bootstrap import open_connection, open_pool, prepare, running_tracker
from deploy.postgres import Postgres
from schema.services import Services
from tests.conftest import database, run_sql
from tests.support.fact_builders import announced
from tracker.auth.scopes import Caller, Scope, token_hash
from tracker.auth.tokens import Tokens, list_tokens
from tracker.postgres.database import Target, named_queries
from tracker.postgres.migrate import Migration, NotMigrated, migrate, migrations

FIRST_RELEASE = Path(__file__).with_name("log-0.1.0.sql")
CATALOG = named_queries(Path(__file__).with_name("catalog.sql"))


@pytest.fixture
def bare(server: Postgres) -> Iterator[Target]:
    """A database with nothing in it."""
    name = f"bare_{uuid.uuid4().hex}"
    run_sql(server, f"CREATE DATABASE {name}")
    yield database(server, name)
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


async def catalog(target: Target) -> list[str]:
    """What is in a database, in words."""
    async with open_connection(target) as connection:
        return [row[0] for row in await connection.fetch(CATALOG.catalog)]


async def test_a_database_of_the_first_release_becomes_the_same_as_a_new_one(
    bare: Target, target: Target
) -> None:
    async with open_connection(bare) as connection:
        await connection.execute(FIRST_RELEASE.read_text(encoding="utf-8"))
        await connection.execute(
            "INSERT INTO log.events"
            " VALUES (1, 'a', 'alliance/a', 1, 'Alliance.Founded', now(), '{}')"
        )
        before = await connection.fetch("SELECT * FROM log.events")
        await connection.execute("CREATE SCHEMA projection")
    await prepare(bare)
    assert await catalog(bare) == await catalog(target)
    async with open_connection(bare) as connection:
        assert await connection.fetch("SELECT * FROM log.events") == before


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
        with pytest.raises(NotMigrated, match=r"another migration 1 \(roles\).*edited"):
            await migrate(connection, [edited, *others])


async def test_a_database_of_a_newer_version_is_left_alone(target: Target) -> None:
    async with open_connection(target) as connection:
        with pytest.raises(NotMigrated, match="newer version"):
            await migrate(connection, migrations()[:-1])


@pytest.fixture
def login(server: Postgres) -> Iterator[str]:
    """A login without any rights."""
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
        # What PostgreSQL gives to whoever creates a role; these exist on this server already.
        await admin.execute(
            "GRANT tracker_owner, tracker_projector, tracker_api, tracker_publisher, tracker_deliverer,"
            f" tracker_watcher TO {login} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE"
        )
    async with running_tracker({**bare, "user": login}) as services:
        await services.commands.record("export-control/a", announced())
    async with open_connection(bare) as admin:
        await admin.execute(f"REASSIGN OWNED BY {login} TO CURRENT_USER")


async def test_a_token_of_the_former_scope_audit_reads_as_before(bare: Target) -> None:
    [its_end] = [step.number for step in migrations() if step.name == "scopes"]
    before = [step for step in migrations() if step.number < its_end]
    async with open_connection(bare) as connection:
        await migrate(connection, before)
        for secret, scopes in (("a", ["audit"]), ("b", ["audit", "read"]), ("c", ["record"])):
            await connection.execute(
                "INSERT INTO log.tokens (name, scopes, sha256) VALUES ($1, $2, $3)",
                secret,
                scopes,
                token_hash(secret),
            )
        await migrate(connection)
        assert [set(token.scopes) for token in await list_tokens(connection)] == [
            {Scope.READ},
            {Scope.READ},
            {Scope.RECORD},
        ]
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(
                "INSERT INTO log.tokens (name, scopes, sha256) VALUES ('d', '{audit}', sha256('d'))"
            )
    async with open_pool(bare) as pool:
        caller = await Tokens(pool).authenticate("a")
    assert caller == Caller("a", frozenset({Scope.READ}))
