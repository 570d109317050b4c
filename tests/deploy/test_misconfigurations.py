"""Operator errors: each message has the problem, the place, and the remedy."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.bootstrap import prepare
from deploy.cli.process import Exit
from tests.support.old_postgres import running_old_postgres
from tests.support.ports import free_port
from tests.support.processes import command
from tests.support.replication import Server, running_primary

ACCESS = """
local all all trust
host all tracker 127.0.0.1/32 trust
host all without_access 127.0.0.1/32 reject
host all all 127.0.0.1/32 scram-sha-256
"""
GRANTS = (
    "GRANT tracker_projector, tracker_api, tracker_publisher, tracker_deliverer, tracker_watcher,"
    " tracker_mailer TO"
)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    """Run a migrated database with password authentication."""
    with running_primary() as server:
        asyncio.run(prepare(server.target))
        for statement in (
            "CREATE ROLE ann LOGIN PASSWORD 'word-7'",
            "CREATE ROLE full LOGIN PASSWORD 'word-7' CONNECTION LIMIT 0",
            "CREATE ROLE without_access LOGIN PASSWORD 'word-7'",
            "CREATE DATABASE empty",
            "CREATE DATABASE closed",
            "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
            "CREATE DATABASE latin ENCODING LATIN1 LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0",
        ):
            server.sql(statement)
        (server.site.root / "pg_hba.conf").write_text(ACCESS)
        server.sql("SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def old_postgres() -> Iterator[tuple[int, str]]:
    """Run a server that is too old, and return its URL."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-old-"))
    try:
        with running_old_postgres(directory) as found:
            yield found
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def message(url: str, data_dir: Path, *arguments: str) -> str:
    """Return the one-line message about an unusable database."""
    result = command(
        *(arguments or ("query", "{ head }")), data_dir=data_dir, TRACKER_DATABASE_URL=url
    )
    assert (result.returncode, result.stdout) == (Exit.UNAVAILABLE, ""), result
    [line] = result.stderr.splitlines()
    assert "word-7" not in line
    return line


@pytest.mark.parametrize(
    ("login", "database", "problem", "remedy"),
    [
        (
            "ann:wrong",
            "tracker",
            'refused the login: password authentication failed for user "ann"',
            "Correct the user and the password in TRACKER_DATABASE_URL",
        ),
        (
            "without_access:word-7",
            "tracker",
            "refused the login: pg_hba.conf rejects connection",
            "in pg_hba.conf",
        ),
        ("tracker", "nowhere", 'database "nowhere" does not exist', "CREATE DATABASE"),
        ("ann:word-7", "tracker", "permission denied", f"{GRANTS} ann"),
        ("ann:word-7", "closed", "permission denied", "GRANT CONNECT ON DATABASE closed TO ann;"),
        ("full:word-7", "tracker", 'too many connections for role "full"', "CONNECTION LIMIT"),
        ("tracker", "latin", "has the encoding LATIN1", "ENCODING UTF8"),
        (
            "ann:word-7",
            "empty",
            "migrations, 19 (roles) to ",
            "a login that owns the database and may create roles",
        ),
    ],
    ids=lambda value: value if ":" not in value else None,
)
def test_a_database_that_refuses_is_named_with_what_is_wrong_and_the_remedy(
    postgres: Server, data_dir: Path, login: str, database: str, problem: str, remedy: str
) -> None:
    place = f"127.0.0.1:{postgres.port}/{database}"
    line = message(f"postgresql://{login}@{place}", data_dir)
    assert place in line
    assert problem in line
    assert remedy in line
    assert "can't be reached" not in line


def test_a_login_that_may_do_nothing_can_work_after_what_the_message_says(
    postgres: Server, data_dir: Path
) -> None:
    postgres.sql("CREATE ROLE beth LOGIN PASSWORD 'word-7'")
    url = f"postgresql://beth:word-7@127.0.0.1:{postgres.port}/tracker"
    line = message(url, data_dir)
    statement = line[line.index("GRANT") : line.index(";")]
    postgres.sql(statement)
    result = command("query", "{ head }", data_dir=data_dir, TRACKER_DATABASE_URL=url)
    assert (result.returncode, '"head": "0"' in result.stdout) == (Exit.OK, True), result


@pytest.mark.parametrize("arguments", [("query", "{ head }"), ("migrate",), ("serve", "--port=0")])
def test_an_old_server_is_named_with_the_version_that_is_needed(
    old_postgres: tuple[int, str], data_dir: Path, arguments: tuple[str, ...]
) -> None:
    major, url = old_postgres
    line = message(url, data_dir, *arguments)
    assert f"PostgreSQL {major}" in line
    assert "17 or newer is needed" in line
    assert url.rpartition("@")[2] in line


def test_a_port_on_which_nothing_listens_is_named(data_dir: Path) -> None:
    place = f"127.0.0.1:{free_port()}/minerals"
    line = message(f"postgresql://ann:word-7@{place}", data_dir)
    assert f"The database {place} can't be reached: Connection refused" in line
    assert "TRACKER_DATABASE_URL" in line


def test_a_host_that_does_not_exist_is_named(data_dir: Path) -> None:
    line = message("postgresql://ann:word-7@nowhere.invalid,nowhere2.invalid/minerals", data_dir)
    assert (
        "The database nowhere.invalid:5432,nowhere2.invalid:5432/minerals can't be reached" in line
    )
    assert "TRACKER_DATABASE_URL" in line


def test_an_address_of_another_machine_needs_another_host_not_another_port(data_dir: Path) -> None:
    result = command("serve", "--host", "192.0.2.1", data_dir=data_dir)
    assert result.returncode == Exit.UNAVAILABLE
    assert "Can't listen on 192.0.2.1 port 8000" in result.stderr
    assert "--host" in result.stderr
    assert "--port" not in result.stderr
