"""Rights in the database: no role may change recorded events."""

import asyncpg
import pytest

from deploy.bootstrap import open_connection, open_pool
from tests.support.cases import each_case
from tests.support.checkout import ROOT
from tests.support.log_events import event
from tracker.log.append import append
from tracker.log.recorder import Recorder
from tracker.postgres.database import (
    API,
    DELIVERER,
    MAILER,
    OWNER,
    PROJECTOR,
    PUBLISHER,
    WATCHER,
    Target,
)

CHANGES = ("UPDATE log.events SET type = 'x'", "DELETE FROM log.events", "TRUNCATE log.events")


@each_case("statement", CHANGES)
@each_case("role", [OWNER, API, PROJECTOR, PUBLISHER, DELIVERER, WATCHER, MAILER, None])
async def test_no_role_can_change_what_is_recorded(
    recorder: Recorder, target: Target, role: str | None, statement: str
) -> None:
    await recorder.append([event("export-control/a", "a")])
    [before] = await raw(target)
    async with open_connection(target, role=role) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    assert await raw(target) == [before]


@each_case("statement", CHANGES)
async def test_a_replica_can_not_change_it_either(
    recorder: Recorder, target: Target, statement: str
) -> None:
    await recorder.append([event("export-control/a", "a")])
    async with open_connection(target) as connection:
        await connection.execute("SET session_replication_role = replica")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="never change"):
            await connection.execute(statement)
    assert len(await raw(target)) == 1


@each_case(
    "statement",
    [
        "INSERT INTO log.events VALUES (1, 'a', 'alliance/a', 1, 'Alliance.Founded', now(), '{}')",
        "SELECT log.write(0, now(), '{}', '{}', '{}', '{}', '{}', '{}')",
        "ALTER TABLE log.events DISABLE TRIGGER ALL",
        "DROP TABLE log.events",
        "DROP FUNCTION log.append",
        "CREATE TABLE log.mine ()",
        "CREATE TABLE public.mine ()",
        "DELETE FROM projection.versions",
        "UPDATE projection.progress SET position = 9",
        "INSERT INTO log.migrations (number, name, sha256) VALUES (9, '', '')",
        "INSERT INTO log.checkpoints (size, root, note) VALUES (0, sha256(''), '')",
        "INSERT INTO log.tiles SELECT 0, 0, '', ''",
        "INSERT INTO log.cosignatures SELECT 0, '', ''",
        "SELECT secret FROM delivery.keys",
        "UPDATE delivery.changes SET actor = 'x'",
        "UPDATE delivery.leases SET epoch = 9",
    ],
)
async def test_the_api_can_only_append_and_read(target: Target, statement: str) -> None:
    async with open_connection(target) as admin:
        await admin.execute("SET SESSION AUTHORIZATION tracker_api")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await admin.execute(statement)
        [appended] = await append(admin, [[event("export-control/a", "a")]])
        assert list(appended.positions) == [1]  # type: ignore[union-attr]
        assert await admin.fetchval("SELECT count(*) FROM log.readable") == 1
        assert await admin.fetchval("SELECT count(*) FROM projection.versions") == 0


@each_case("role", [PROJECTOR, PUBLISHER, DELIVERER, MAILER])
async def test_a_role_without_recording_cannot_append(target: Target, role: str) -> None:
    async with open_pool(target, role=role) as pool, pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await append(connection, [[event("export-control/a", "a")]])


async def test_the_watcher_can_append_and_manages_nothing_else(target: Target) -> None:
    async with open_connection(target, role=WATCHER) as connection:
        [appended] = await append(connection, [[event("source/a", "a")]])
        assert list(appended.positions) == [1]  # type: ignore[union-attr]
        await connection.execute("SELECT log.confirm()")
        for statement in (
            "INSERT INTO log.checkpoints (size, root, note) VALUES (0, sha256(''), '')",
            "SELECT * FROM log.tokens",
            "SELECT * FROM delivery.keys",
            "UPDATE projection.progress SET position = 9",
            "CREATE TABLE watch.mine ()",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


COLUMNS = {"tiles": "root", "checkpoints": "note", "cosignatures": "signature"}


@pytest.mark.parametrize("role", [OWNER, PUBLISHER, None])
@pytest.mark.parametrize("table", COLUMNS)
async def test_nobody_can_change_what_is_published(
    target: Target, table: str, role: str | None
) -> None:
    async with open_connection(target) as connection:
        await connection.execute(
            "INSERT INTO log.checkpoints (size, root, note) VALUES (1, sha256(''), '');"
            "INSERT INTO log.cosignatures VALUES (1, 'w', '');"
            "INSERT INTO log.tiles VALUES (0, 0, decode(repeat('00', 8192), 'hex'), sha256(''))"
        )
    async with open_connection(target, role=role) as connection:
        if role is None:
            await connection.execute("SET session_replication_role = replica")
        for statement in (
            f"UPDATE log.{table} SET {COLUMNS[table]} = {COLUMNS[table]}",
            f"DELETE FROM log.{table}",
            f"TRUNCATE log.{table} CASCADE",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        assert await connection.fetchval(f"SELECT count(*) FROM log.{table}") == 1


async def test_a_size_has_one_checkpoint(target: Target) -> None:
    async with open_connection(target, role=PUBLISHER) as connection:
        insert = "INSERT INTO log.checkpoints (size, root, note) VALUES (1, sha256($1), '')"
        await connection.execute(insert, b"")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(insert, b"x")


@each_case("role", [OWNER, API, PROJECTOR, PUBLISHER, WATCHER])
async def test_nobody_can_log_in_as_a_role(target: Target, role: str) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="not permitted"):
        async with open_connection({**target, "user": role}):
            pass


async def raw(target: Target) -> list[asyncpg.Record]:
    """Return every row of the log."""
    async with open_connection(target) as connection:
        return await connection.fetch("SELECT * FROM log.events")


@each_case("role", [OWNER, API, DELIVERER, None])
@each_case("statement", ["UPDATE {} SET actor = ''", "DELETE FROM {}", "TRUNCATE {}"])
async def test_actions_on_endpoints_stay_recorded(
    target: Target, role: str | None, statement: str
) -> None:
    async with open_connection(target, role=role) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement.format("delivery.changes"))


@each_case(
    "statement",
    [
        "INSERT INTO delivery.endpoints (name, url, started_after, position, previous_position)"
        " VALUES ('a', 'https://x.example', 0, 0, 0)",
        "UPDATE delivery.endpoints SET url = 'https://x.example'",
        "DELETE FROM delivery.endpoints",
        "DELETE FROM delivery.keys",
    ],
)
async def test_the_deliverer_cannot_manage_endpoints(target: Target, statement: str) -> None:
    async with open_connection(target, role=DELIVERER) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


async def test_the_deliverer_may_read_the_durable_position(target: Target) -> None:
    async with open_connection(target, role=DELIVERER) as connection:
        await connection.execute("SELECT log.confirm()")


async def test_the_document_names_every_schema_and_every_role(target: Target) -> None:
    async with open_connection(target) as connection:
        schemas = await connection.fetch(
            "SELECT nspname AS name FROM pg_namespace"
            " WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')"
        )
        roles = await connection.fetch(
            "SELECT rolname AS name FROM pg_roles WHERE rolname ~ '^tracker_'"
        )
    assert len(roles) > 4
    text = (ROOT / "docs" / "database.md").read_text(encoding="utf-8")
    assert not [row["name"] for row in (*schemas, *roles) if f"`{row['name']}`" not in text]
