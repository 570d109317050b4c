"""A dump restored on another server without our roles gives instructions."""

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.bootstrap import open_connection, opened_pool, prepare, running_tracker
from deploy.cli.process import Exit
from deploy.postgres import Postgres
from deploy.postgres.binaries import candidates
from tests.conftest import database
from tests.postgres.test_migrate import catalog
from tests.support.checkout import ROOT
from tests.support.fact_builders import announced
from tests.support.processes import command
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target
from tracker.postgres.migrate import migrate, migrations
from tracker.postgres.roles import SCRIPT, NotMigrated

BINARIES = [place for _, place in candidates() if place and (place / "pg_restore").exists()]

PASSWORDS = """
SELECT string_agg(rolpassword, ' ') FROM pg_authid WHERE rolname IN ('minerals_admin', 'web')
"""


@pytest.fixture
def other_server() -> Iterator[Postgres]:
    """Run a server without any tracker roles."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-other-"))
    os.chmod(directory, 0o755)
    with Postgres.start(directory / "data") as postgres:
        yield postgres
    shutil.rmtree(directory, ignore_errors=True)


def run(program: str, target: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of PostgreSQL on a database."""
    return subprocess.run(
        [
            str(BINARIES[0] / program),
            "-h",
            target["host"],
            "-p",
            str(target["port"]),
            "-U",
            target["user"],
            "-d",
            target["database"],
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not BINARIES, reason="needs pg_dump and pg_restore")
async def test_a_dump_that_is_restored_without_the_roles_says_how_to_make_them(
    target: Target, other_server: Postgres, tmp_path: Path
) -> None:
    async with running_tracker(target) as services:
        recorded = await services.commands.record("export-control/a", announced(note="a text"))
        await services.projector.reach(recorded.positions[-1])
    dump, again = str(tmp_path / "dump"), database(other_server, "again")
    dumped = run("pg_dump", target, "--format", "custom", "--file", dump)
    assert dumped.returncode == 0, dumped.stderr

    await sql(other_server, "CREATE DATABASE again")
    assert run("pg_restore", again, dump).returncode == 1
    with pytest.raises(NotMigrated, match="lacks the roles tracker_owner, tracker_proj") as caught:
        await prepare(again)
    assert caught.value.code == "MISSING_ROLES"
    statements = re.findall(r"CREATE ROLE \w+ NOLOGIN", caught.value.message)
    assert len(statements) == 7

    for statement in statements:
        await sql(other_server, statement)
    with pytest.raises(NotMigrated, match="belongs to tracker and not to tracker_owner") as caught:
        await prepare(again)
    assert caught.value.code == "MISSING_ROLES"

    await sql(other_server, "DROP DATABASE again")
    await sql(other_server, "CREATE DATABASE again")
    restored = run("pg_restore", again, "--exit-on-error", dump)
    assert restored.returncode == 0, restored.stderr
    assert await catalog(again) == await catalog(target)
    async with opened_pool(again) as pool:
        assert await Recorder(pool).head() == 1
        assert await pool.fetchval("SELECT text FROM log.annexes") == "a text"


@pytest.mark.skipif(not BINARIES, reason="needs psql")
def test_an_administrator_without_a_new_role_gets_the_statements_and_migrates_after_roles_sql(
    other_server: Postgres, tmp_path: Path, data_dir: Path
) -> None:
    script = ROOT / SCRIPT
    of_before = tmp_path / "roles.sql"
    of_before.write_text(re.sub(r",?\s+'?tracker_mailer'?", "", script.read_text("utf-8")))
    minerals = database(other_server, "minerals")
    url = "postgresql://minerals_admin@/minerals?host={host}&port={port}".format(**minerals)

    def create_roles(file: Path, *more: str) -> str:
        options = ("--set", "ON_ERROR_STOP=1", *more, "--file", str(file), "--command", PASSWORDS)
        done = run(
            "psql", other_server.connection.kwargs(), "--no-align", "--tuples-only", *options
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]

    def tracker(*arguments: str) -> tuple[int, str]:
        done = command(*arguments, data_dir=data_dir, TRACKER_DATABASE_URL=url)
        return done.returncode, done.stderr

    async def migrate_before() -> None:
        async with open_connection({**minerals, "user": "minerals_admin"}) as connection:
            await migrate(connection, migrations()[:7])

    passwords = create_roles(of_before, "--set", "admin_password=a", "--set", "web_password=b")
    asyncio.run(migrate_before())
    for arguments in (("migrate", "--check"), ("migrate",)):
        code, told = tracker(*arguments)
        assert code == Exit.UNAVAILABLE
        assert f"run {SCRIPT} again" in " ".join(told.split())
        assert re.findall(r"^  (.*;)$", told, re.MULTILINE) == [
            "CREATE ROLE tracker_mailer NOLOGIN;",
            "GRANT tracker_mailer TO minerals_admin WITH INHERIT TRUE, SET TRUE;",
        ]
    assert create_roles(script) == passwords
    code, told = tracker("migrate", "--check")
    assert (code, "migrations, 26 (mail_role) to" in " ".join(told.split())) == (
        Exit.UNAVAILABLE,
        True,
    )
    assert tracker("migrate")[0] == Exit.OK
    assert tracker("migrate", "--check") == (Exit.OK, "The database is of this version.\n")


async def sql(server: Postgres, statement: str) -> None:
    """Run a statement that needs no transaction."""
    async with open_connection(server.connection.kwargs()) as connection:
        await connection.execute(statement)
