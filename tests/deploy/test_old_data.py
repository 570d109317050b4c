"""Data of an older release: commands that read leave them as they are unless someone says otherwise."""

import asyncio
import os
import pty
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.bootstrap import open_connection
from deploy.cli.process import Exit
from deploy.postgres import Postgres
from tests.conftest import database, run_sql
from tests.support.processes import TRACKER, Running, command
from tests.support.time_limits import within
from tracker.postgres.database import Target
from tracker.postgres.migrate import migrate, migrations, pending

LACKING = [each.name for each in migrations()[-2:]]
"""Migrations that the older release lacks."""


@pytest.fixture
def old(server: Postgres) -> Iterator[Target]:
    """Create a database of an older release."""
    name = f"old_{uuid.uuid4().hex}"
    run_sql(server, f"CREATE DATABASE {name}")
    target = database(server, name)

    async def fill() -> None:
        async with open_connection(target) as connection:
            await migrate(connection, migrations()[:-2])

    asyncio.run(fill())
    yield target
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def environment(old: Target) -> dict[str, str]:
    """Return the settings of commands on that database."""
    place = f"/{old['database']}?host={old['host']}&port={old['port']}"
    return {"TRACKER_DATABASE_URL": f"postgresql://{old['user']}@{place}"}


def lacking(target: Target) -> list[str]:
    """Return the missing migrations of a database."""

    async def look() -> list[str]:
        async with open_connection(target) as connection:
            return [each.name for each in await pending(connection)]

    return asyncio.run(look())


@pytest.mark.parametrize(
    "arguments",
    [
        ("query", "{ head }"),
        ("snapshot",),
        ("replay",),
        ("imports",),
        ("token", "list"),
        ("export", "bundle"),
        ("verify", "--database"),
        ("rebuild",),
    ],
    ids=" ".join,
)
def test_a_command_refuses_data_of_an_older_release_and_changes_nothing(
    old: Target, environment: dict[str, str], data_dir: Path, arguments: tuple[str, ...]
) -> None:
    refused = command(*arguments, data_dir=data_dir, **environment)
    assert (refused.returncode, refused.stdout) == (Exit.UNAVAILABLE, "")
    for part in ("older release", "`tracker migrate`", old["database"], *LACKING):
        assert part in refused.stderr
    assert lacking(old) == LACKING


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", Exit.UNAVAILABLE), (b"y\n", Exit.OK)])
def test_a_person_at_a_terminal_confirms_a_migration(
    old: Target, environment: dict[str, str], answer: bytes, code: Exit
) -> None:
    own, theirs = pty.openpty()
    asking = subprocess.Popen(
        [*TRACKER, "query", "{ head }"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | environment,
    )
    os.close(theirs)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(own, 1000)
    assert all(name.encode() in shown for name in LACKING)
    assert lacking(old) == LACKING
    os.write(own, answer)
    printed = asking.communicate(timeout=within(100))[0]
    os.close(own)
    assert asking.returncode == code
    assert (b'"head": "0"' in printed) == (code == Exit.OK)
    assert lacking(old) == ([] if code == Exit.OK else LACKING)


def test_a_server_says_what_it_has_migrated(
    old: Target, environment: dict[str, str], data_dir: Path, start: Callable[..., Running]
) -> None:
    serving = start("serve", data_dir=data_dir, **environment)
    before = serving.output[: serving.output.index("Serving")]
    assert [line for line in before.splitlines() if line.startswith("applied")] == [
        f"applied {name}" for name in LACKING
    ]
    assert lacking(old) == []


def test_migrating_says_each_step_once(
    old: Target, environment: dict[str, str], data_dir: Path
) -> None:
    first, second = (command("migrate", data_dir=data_dir, **environment) for _ in range(2))
    assert first.stderr.splitlines()[:-1] == [f"applied {name}" for name in LACKING]
    assert [each.stderr.splitlines()[-1] for each in (first, second)] == [
        "The database is of this version."
    ] * 2
    assert lacking(old) == []
