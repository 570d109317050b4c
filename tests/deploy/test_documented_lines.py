"""Documented administrator commands for PostgreSQL, a signed log or openssl, executed with changes
below a directory."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml

from deploy.bootstrap import running_tracker
from deploy.config import settings
from deploy.config.environment import add_settings_file
from deploy.postgres import Postgres
from schema.services import Access
from tests.conftest import run_sql
from tests.postgres.test_dumps import BINARIES
from tests.support.checkout import ROOT
from tests.support.documents import block, blocks
from tests.support.fact_builders import announced
from tests.support.time_limits import within
from tests.support.waiting import all_signed
from tests.support.web_server import serving
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.postgres.database import Target

needs_psql = pytest.mark.skipif(not BINARIES, reason="psql is not installed")


def url_of(target: Target) -> str:
    """Return the address of a database on a Unix socket."""
    where = urlencode({key: target[key] for key in ("host", "port")})
    return f"postgresql://{target['user']}@/{target['database']}?{where}"


def typed(script: str, directory: Path, **environment: str) -> str:
    """Return the output of lines, which must succeed."""
    result = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{script}"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=within(100),
        env={**os.environ, **environment},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


# --- the database


@pytest.fixture
def superuser(server: Postgres, empty_template: str) -> Iterator[dict[str, str]]:
    """Return the environment of psql for a superuser of a server with the tracker's roles."""
    target = server.connection.kwargs()
    run_sql(server, "CREATE DATABASE minerals")
    yield {
        "PATH": f"{BINARIES[0]}:{os.environ['PATH']}",
        "PGHOST": target["host"],
        "PGPORT": str(target["port"]),
        "PGUSER": target["user"],
        "PGDATABASE": "postgres",
        "DATABASE": url_of({**target, "database": "minerals"}),
    }
    run_sql(server, "DROP DATABASE minerals")
    run_sql(server, "DROP ROLE IF EXISTS web, web_pooled")


@needs_psql
def test_the_login_of_the_page_gets_every_role_that_serving_needs(
    superuser: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "web.sql").write_text(block("docs/database.md", "sql", "CREATE ROLE web"))
    line = f"psql -v ON_ERROR_STOP=1 -f {tmp_path}/web.sql"
    members = "SELECT count(*) FROM pg_auth_members WHERE member = 'web'::regrole"
    assert typed(f'{line}; psql -At -c "{members}"', tmp_path, **superuser).endswith("\n6\n")


@needs_psql
def test_the_login_of_a_pooler_is_made_by_the_lines_of_the_page(
    superuser: dict[str, str], tmp_path: Path
) -> None:
    text = block("docs/database.md", "sh", "pooled_password")
    lines, exports = text.split("export ", 1)
    lines = lines.replace("/etc/pgbouncer", str(tmp_path))
    typed(f"export PGOPTIONS='-c client_min_messages=warning'; {lines}", ROOT, **superuser)
    userlist = (tmp_path / "userlist.txt").read_text(encoding="utf-8")
    assert re.fullmatch(r'"web_pooled" "SCRAM-SHA-256\$\S+"\n', userlist)
    settings.check(dict(re.findall(r"^(?:export )?(TRACKER_\w+)=(.*)$", exports, re.MULTILINE)))


@needs_psql
def test_the_checklist_lists_logins_with_their_rights(
    superuser: dict[str, str], tmp_path: Path
) -> None:
    shown = typed(block("docs/operating/secure.md", "sh", "psql"), tmp_path, **superuser)
    assert re.search(rf"{superuser['PGUSER']} +\| t +\| t", shown)


# --- the tracker


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_the_checklist_finds_the_unit_hardened() -> None:
    typed(block("docs/operating/secure.md", "sh", "systemd-analyze"), ROOT)


def test_the_checklist_verifies_as_the_guide_of_auditors_does() -> None:
    line = block("docs/operating/secure.md", "sh", "tracker verify")
    assert line in [found.text for found in blocks("docs/auditing.md", "sh")]


@pytest.mark.nightly
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
async def test_a_log_is_what_it_was_after_the_lines_of_an_upgrade(
    target: Target, keystore: KeyStore, tmp_path: Path, data_dir: Path
) -> None:
    async with running_tracker(target, SigningOptions(keystore)) as services:
        for number in range(3):
            await services.commands.record(f"export-control/{number}", announced())
        await all_signed(services)
        async with serving(services, Access()) as (address, *_):
            script = "\n".join(found.text for found in blocks("docs/operating/upgrade.md", "sh"))
            elsewhere = "TRACKER_DATA_DIR=$PWD/new tracker restore"
            assert elsewhere in script
            script = script.replace(
                elsewhere, f"tracker replay; unset TRACKER_DATABASE_URL\n{elsewhere}"
            )
            printed = await asyncio.to_thread(
                typed,
                FUNCTIONS + script.replace("127.0.0.1:8000", address),
                data_dir.parent,
                PYTHON=sys.executable,
                PYTHONPATH=str(ROOT),
                TRACKER_DATABASE_URL=url_of(target),
                TRACKER_AUDIT_DIR=str(tmp_path / "audit"),
            )
    digests = re.findall(r"\b[0-9a-f]{64}\b", printed)
    assert len(digests) >= 2
    assert digests[-1] == digests[-2]


FUNCTIONS = """
tracker() { "$PYTHON" -m tracker "$@"; }
systemctl() { :; }
"""


# --- three nodes


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_files_of_a_node_follow_from_the_lines_of_the_page(tmp_path: Path) -> None:
    """All written files, below a directory: packages, services and owners are omitted."""
    page = "docs/operating/cluster.md"
    parts = ("DB1=10.0.0.11", "openssl req", "ETCD_NAME=.*", "PATRONI_NAME=.*", "useradd")
    lines = [block(page, "sh", part) for part in parts]
    script = re.sub(r"(?<![\w.|])/(opt|etc|var)/", rf"{tmp_path}/\1/", "\n".join(lines))
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    for name in ("etc/default", "etc/systemd/system", "opt/tracker/bin"):
        (tmp_path / name).mkdir(parents=True)
    pip = tmp_path / "opt" / "tracker" / "bin" / "pip"
    pip.write_text("#!/bin/sh\n", encoding="utf-8")
    pip.chmod(0o755)
    typed(NODE + script, tmp_path)
    verified = (
        "openssl verify -CAfile secrets/ca.crt secrets/db1.crt secrets/db2.crt secrets/db3.crt"
    )
    assert typed(verified, tmp_path).count(": OK") == 3
    etcd = (tmp_path / "etc" / "default" / "etcd").read_text(encoding="utf-8")
    values = dict(re.findall(r"^(\w+)=(.*)$", etcd, re.MULTILINE))
    assert values["ETCD_INITIAL_CLUSTER"] == ",".join(
        f"db{n}=https://10.0.0.1{n}:2380" for n in (1, 2, 3)
    )
    assert values["ETCD_LISTEN_CLIENT_URLS"] == "https://10.0.0.11:2379"
    node = (tmp_path / "etc" / "patroni_env.conf").read_text(encoding="utf-8")
    assert not re.search("change-me|postgresql/18", node)
    assert yaml.safe_load((tmp_path / "etc" / "patroni" / "config.yml").read_text(encoding="utf-8"))
    environment: dict[str, Any] = {"TRACKER_SETTINGS": f"{tmp_path}/etc/tracker/settings.toml"}
    add_settings_file(environment)
    settings.check(environment)
    assert (
        "10.0.0.13/minerals?target_session_attrs=read-write" in environment["TRACKER_DATABASE_URL"]
    )


NODE = """
apt-get() { :; }
systemctl() { :; }
curl() { :; }
useradd() { :; }
python3() { [ "$1 $2" = "-m venv" ]; }
install() {
  local words=()
  while [ $# -gt 0 ]; do
    case $1 in -o | -g) shift ;; *) words+=("$1") ;; esac
    shift
  done
  command install "${words[@]}"
}
"""
