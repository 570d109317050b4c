"""`tracker doctor`: one line for each part, with the remedy of what is broken."""

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.bootstrap import open_connection, running_tracker
from deploy.cli.process import Exit
from deploy.postgres import Postgres
from tests.conftest import run_sql
from tests.support.clocks import moved_clock
from tests.support.database_urls import database_url
from tests.support.fact_builders import announced
from tests.support.mail_server import receiving_mail
from tests.support.ports import free_port
from tests.support.processes import Running, command
from tests.support.waiting import all_projected
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.postgres.database import Target

Findings = dict[str, tuple[str, str, str | None]]
"""Status, message and remedy of the last finding of each part."""
PARTS = {
    *("database", "migrations", "roles", "projection versions", "projection search"),
    *("keys", "lease deliverer", "deliveries", "publishers", "clock", "disk", "mail"),
}
MAIL = {
    "TRACKER_MAIL_FROM": "Tracker <alerts@example.com>",
    "TRACKER_MAIL_SITE": "https://minerals.example.com",
    "TRACKER_MAIL_SECRET": "0" * 32,
    "TRACKER_MAIL_TLS": "off",
}


@pytest.fixture
def audit_dir(target: Target, tmp_path: Path) -> Path:
    """Record and sign an event; return the directory of the keys."""
    directory = tmp_path / "audit"

    async def record() -> None:
        signing = SigningOptions(KeyStore(directory), "example.com/log")
        async with running_tracker(target, signing) as services:
            await services.commands.record("export-control/a", announced())
            await all_projected(services)
            while await services.proofs.size() != 1:
                await asyncio.sleep(0.02)

    asyncio.run(record())
    return directory


@pytest.fixture
def examine(target: Target, audit_dir: Path, data_dir: Path) -> Callable[..., Findings]:
    """Return a function that runs `tracker doctor --json` on the database, with other settings."""

    def run(code: Exit = Exit.OK, **environment: str) -> Findings:
        settings = {
            "TRACKER_DATABASE_URL": database_url(target),
            "TRACKER_AUDIT_DIR": str(audit_dir),
            "TRACKER_WATCH": "off",
            **environment,
        }
        done = command("doctor", "--json", data_dir=data_dir, **settings)
        assert done.returncode == code, done
        assert done.stderr == ""
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert all((each["status"] == "OK") == (each["remedy"] is None) for each in found)
        return {each["part"]: (each["status"], each["message"], each["remedy"]) for each in found}

    return run


@pytest.fixture
def login(server: Postgres, target: Target) -> Iterator[str]:
    """Create a login with two of the roles."""
    name = f"login_{uuid.uuid4().hex}"
    run_sql(server, f"CREATE ROLE {name} LOGIN; GRANT tracker_api, tracker_projector TO {name}")
    yield name
    run_sql(server, f"DROP ROLE {name}")


def statuses(findings: Findings) -> dict[str, str]:
    """Return the parts that are not OK."""
    return {part: found[0] for part, found in findings.items() if found[0] != "OK"}


def change(target: Target, statement: str) -> None:
    """Run a statement as superuser."""

    async def execute() -> None:
        async with open_connection(target) as admin:
            await admin.execute(statement)

    asyncio.run(execute())


def test_a_healthy_installation_has_a_line_for_each_part(
    examine: Callable[..., Findings],
    target: Target,
    audit_dir: Path,
    data_dir: Path,
    start: Callable[..., Running],
) -> None:
    assert statuses(examine()) == {"lease deliverer": "WARN"}
    url = database_url(target)
    start("serve", data_dir=data_dir, TRACKER_DATABASE_URL=url, TRACKER_AUDIT_DIR=str(audit_dir))
    with receiving_mail() as box:
        found = examine(TRACKER_MAIL_SERVER=f"smtp://127.0.0.1:{box.port}", **MAIL)
    assert {part for part, (status, *_) in found.items() if status == "OK"} == PARTS
    assert statuses(found) == {"lease mailer": "WARN"}
    assert box.messages == []


def test_a_database_that_is_away_is_named_and_the_other_parts_are_examined(
    examine: Callable[..., Findings],
) -> None:
    port = free_port()
    found = examine(
        Exit.REFUSED, TRACKER_DATABASE_URL=f"postgresql://web@127.0.0.1:{port}/minerals"
    )
    assert statuses(found) == {"database": "FAIL"}
    assert f"127.0.0.1:{port}/minerals can't be reached" in found["database"][1]
    assert {*found} == {"database", "disk", "mail"}


def test_missing_roles_come_with_the_grant(
    examine: Callable[..., Findings], target: Target, login: str
) -> None:
    url = database_url({**target, "user": login})
    found = examine(Exit.REFUSED, TRACKER_DATABASE_URL=url)
    assert statuses(found) == {"roles": "FAIL", "lease deliverer": "WARN"}
    remedy = str(found["roles"][2])
    assert remedy.startswith(f"GRANT tracker_deliverer, tracker_publisher TO {login};")
    change(target, remedy.partition(";")[0])
    assert "roles" not in statuses(examine(TRACKER_DATABASE_URL=url))
    change(target, f"REVOKE tracker_api FROM {login}")
    found = examine(Exit.REFUSED, TRACKER_DATABASE_URL=url)
    assert str(found["roles"][2]).startswith(f"GRANT tracker_api TO {login};")


@pytest.mark.parametrize("name", ["versions", "search"])
def test_rows_of_another_fold_and_a_projection_that_stands_still_are_named(
    examine: Callable[..., Findings], target: Target, name: str
) -> None:
    where = f"WHERE projection = '{name}'"
    change(
        target,
        f"UPDATE projection.progress SET position = 0 {where};"
        "ALTER TABLE log.events DISABLE TRIGGER ALL;"
        "UPDATE log.events SET recorded_at = recorded_at - interval '1 minute'",
    )
    found = examine()
    assert statuses(found) == {f"projection {name}": "WARN", "lease deliverer": "WARN"}
    assert " seconds behind the log" in found[f"projection {name}"][1]
    change(target, f"UPDATE projection.progress SET fold = 'another' {where}")
    found = examine(Exit.REFUSED)
    assert statuses(found) == {f"projection {name}": "FAIL", "lease deliverer": "WARN"}
    assert "another release maintains the rows" in found[f"projection {name}"][1]


def test_wrong_and_damaged_keys_are_named(
    examine: Callable[..., Findings], audit_dir: Path, tmp_path: Path
) -> None:
    KeyStore(tmp_path / "other").load_or_create("example.com/log")
    found = examine(Exit.REFUSED, TRACKER_AUDIT_DIR=str(tmp_path / "other"))
    assert "signed the newest checkpoint" in found["keys"][1]
    found = examine(Exit.REFUSED, TRACKER_LOG_ORIGIN="example.org/log")
    assert "of the log example.com/log, not of example.org/log" in found["keys"][1]
    (audit_dir / "keys").write_text("garbage\n")
    found = examine(Exit.REFUSED)
    assert str(audit_dir / "keys") in found["keys"][1]
    assert statuses(found) == {"keys": "FAIL", "lease deliverer": "WARN"}


@pytest.mark.skipif(not moved_clock(1), reason="libfaketime (Debian: faketime) is not installed")
def test_a_wrong_clock_is_measured(examine: Callable[..., Findings]) -> None:
    found = examine(**moved_clock(3600), PYTHONUNBUFFERED="1")
    assert found["clock"][0] == "WARN"
    assert "3,600 seconds ahead of the database's" in found["clock"][1]


def test_a_missing_migration_and_a_mail_server_that_is_away_are_named(
    examine: Callable[..., Findings], target: Target
) -> None:
    port = free_port()
    change(target, "DELETE FROM log.migrations WHERE number = 30")
    mail = {**MAIL, "TRACKER_MAIL_SERVER": f"smtp://127.0.0.1:{port}"}
    found = examine(Exit.REFUSED, **mail)
    assert statuses(found)["migrations"] == statuses(found)["mail"] == "FAIL"
    assert "30 (scenarios): run `tracker migrate`" in found["migrations"][1]
    assert f"127.0.0.1:{port} refuses or does not answer" in found["mail"][1]


def test_people_get_one_line_for_each_finding(target: Target, data_dir: Path) -> None:
    done = command("doctor", data_dir=data_dir, TRACKER_DATABASE_URL=database_url(target))
    assert done.returncode == Exit.OK
    lines = done.stdout.splitlines()
    assert all(line.split()[0] in ("OK", "WARN", "FAIL") for line in lines)
    assert "WARN lease deliverer: no process holds it → Start a server" in done.stdout
    missing = command("doctor", data_dir=data_dir)
    assert missing.returncode == Exit.REFUSED
    assert "FAIL database: " in missing.stdout
