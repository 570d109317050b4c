"""Files of `deploy` for operators, checked by their own tools, and applied to a real database."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import typer
import yaml
from typer.core import TyperGroup

from deploy.bootstrap import prepare, running_tracker
from deploy.cli.main import app
from deploy.config.environment import read_settings
from deploy.config.table import PREFIX, SETTINGS
from deploy.postgres import Postgres
from tests.conftest import database, run_sql
from tests.postgres.test_dumps import BINARIES
from tests.support.checkout import ROOT
from tests.support.fact_builders import announced
from tests.support.processes import run as run_tracker
from tests.support.time_limits import within
from tracker.errors import TrackerError
from tracker.postgres.database import connect

MANIFESTS = ROOT / "deploy" / "manifests"
COMPOSE = MANIFESTS / "compose" / "compose.yaml"
COMPOSE_CLUSTER = COMPOSE.with_name("cluster.yaml")
CONTAINERFILE = MANIFESTS / "container" / "Containerfile"
NODE = CONTAINERFILE.with_name("Containerfile.node")
UNITS = sorted((MANIFESTS / "systemd").glob("*.service"))
TEN_TIMES_EXPOSURE = 30
"""Maximum result of `systemd-analyze security`: 3.0 of 10."""


def run(*arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        arguments, capture_output=True, text=True, check=False, timeout=within(60), **more
    )


def tool(name: str) -> Path:
    """Return a program of the test extra, or skip the test visibly."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        pytest.skip(f"{name} is not installed")
    return path


def read(path: Path) -> Any:
    """Return a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


# --- the container


@pytest.mark.parametrize("file", [CONTAINERFILE, NODE], ids=lambda file: file.name)
def test_the_containerfile_is_as_hadolint_wants_it(file: Path) -> None:
    result = run(tool("hadolint"), file)
    assert result.returncode == 0, result.stdout


def test_the_image_runs_without_rights_and_without_what_only_a_build_needs() -> None:
    build, result = CONTAINERFILE.read_text(encoding="utf-8").split("# --- what runs")
    lines = result.splitlines()
    assert "USER 10001:10001" in lines
    assert any(line.startswith("HEALTHCHECK ") for line in lines)
    assert "venv --without-pip /opt/tracker" in build
    installed = " ".join(line for line in lines if "apt-get install" in line)
    assert not re.search(r"pip|venv|gcc|build-essential|-dev\b|git|curl", installed)


@pytest.mark.parametrize("file", [CONTAINERFILE, NODE], ids=lambda file: file.name)
def test_all_that_the_image_copies_is_there_and_is_not_ignored(file: Path) -> None:
    ignored = file.with_name(f"{file.name}.dockerignore").read_text(encoding="utf-8")
    kept = [line[1:] for line in ignored.splitlines() if line.startswith("!")]
    for line in re.findall(r"^COPY (?!--from)(.*)$", file.read_text("utf-8"), re.MULTILINE):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists(), name
            parts = [name, *map(str, Path(name).parents)]
            assert any(Path(part).match(pattern) for part in parts for pattern in kept), name


# --- Compose


@pytest.mark.parametrize("path", [COMPOSE, COMPOSE_CLUSTER], ids=lambda path: path.name)
def test_the_compose_file_has_the_form_of_the_specification(path: Path) -> None:
    result = run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", path)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", [COMPOSE, COMPOSE_CLUSTER], ids=lambda path: path.name)
def test_services_of_compose_get_existing_files_and_few_rights(path: Path) -> None:
    file = read(path)
    for name, service in file["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (COMPOSE.parent / source).exists(), source
            else:
                assert source in file["volumes"]
        assert {*service.get("secrets", ())} <= {*file["secrets"]}
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).exists()
        assert {*service["networks"]} <= {*file["networks"]}
        if name != "database":  # its image changes its own user first
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name
    published = [name for name, service in file["services"].items() if "ports" in service]
    assert published == ["proxy"]
    assert file["networks"]["data"]["internal"]
    assert file["networks"]["front"]["internal"]


@pytest.mark.parametrize("path", [COMPOSE, COMPOSE_CLUSTER], ids=lambda path: path.name)
def test_compose_creates_missing_roles_before_each_migration(path: Path) -> None:
    services = read(path)["services"]
    done = {"condition": "service_completed_successfully"}
    trackers = [each for name, each in services.items() if name.startswith("tracker")]
    assert [each["depends_on"]["migrate"] for each in trackers] == [done] * len(trackers)
    assert services["migrate"]["depends_on"]["roles"] == done
    assert services["roles"]["restart"] == "no"
    assert "../database/roles.sql:/roles.sql:ro" in services["roles"]["volumes"]


def test_every_setting_in_a_deployment_is_a_setting() -> None:
    known = {setting.variable for setting in SETTINGS}
    files = [path for path in MANIFESTS.rglob("*") if path.suffix not in (".py", ".pyc", "")]
    found = {
        name
        for path in [*files, CONTAINERFILE]
        if path.is_file()
        for name in re.findall(rf"\b{PREFIX}[A-Z_]+", path.read_text(encoding="utf-8"))
    }
    assert "TRACKER_SETTINGS" in found
    assert found - known == set()


def test_secrets_are_made_once_and_are_settings_that_the_tracker_reads(tmp_path: Path) -> None:
    made = tmp_path / "make-secrets.sh"
    shutil.copy(COMPOSE.with_name("make-secrets.sh"), made)
    assert run("sh", made).returncode == 0
    secrets = {path.name: path.read_text("utf-8") for path in (tmp_path / "secrets").iterdir()}
    files = (read(COMPOSE), read(COMPOSE_CLUSTER))
    asked = {Path(each["file"]).name for file in files for each in file["secrets"].values()}
    assert asked == {*secrets}
    passwords = [text for name, text in secrets.items() if name.endswith("_password")]
    assert len({*passwords}) == 6
    assert all(re.fullmatch("[0-9a-f]{64}", password) for password in passwords)
    assert read_settings(tmp_path / "secrets" / "web.toml") == {
        "TRACKER_DATABASE_URL": f"postgresql://web:{secrets['web_password']}@database/minerals"
    }
    assert read_settings(tmp_path / "secrets" / "cluster_web.toml") == {
        "TRACKER_DATABASE_URL": f"postgresql://web:{secrets['web_password']}@db1,db2,db3/minerals"
        "?target_session_attrs=read-write"
    }
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert run("sh", made).returncode == 0
    assert secrets == {p.name: p.read_text("utf-8") for p in (tmp_path / "secrets").iterdir()}


def test_a_node_of_compose_has_the_settings_that_a_node_has_and_its_passwords_from_files(
    tmp_path: Path,
) -> None:
    """The image's script runs unchanged, with stand-ins for Patroni that print their input."""
    told = (MANIFESTS / "cluster" / "node.env").read_text(encoding="utf-8").splitlines()
    wanted = {line.partition("=")[0] for line in told if line and line[0] != "#"}
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in ("patroni", "patronictl"):
        (programs / program).write_text("#!/bin/sh\nenv\necho arguments=$*\n", encoding="utf-8")
        (programs / program).chmod(0o755)
    services = read(COMPOSE_CLUSTER)["services"]
    script = NODE.with_name("start-node.sh")
    for name in ("db1", "db2", "db3"):
        for secret in services[name]["secrets"]:
            (tmp_path / secret).write_text(f"{secret} of {name}", encoding="utf-8")
        environment = {
            **services[name]["environment"],
            "PATH": f"{programs}:{os.environ['PATH']}",
            "SECRETS": str(tmp_path),
        }
        found = {
            command[0]: dict(
                line.split("=", 1)
                for line in run("sh", script, *command, env=environment).stdout.splitlines()
            )
            for command in (("patroni",), ("patronictl", "list", "--format=json"))
        }
        for given in found.values():
            assert {each for each in given if each.startswith("PATRONI_")} == wanted
            assert given["PATRONI_NAME"] == name
            assert given["PATRONI_REWIND_PASSWORD"] == f"rewind_password of {name}"
            assert given["PATRONI_POSTGRESQL_CONNECT_ADDRESS"] == f"{name}:5432"
        config = "/etc/patroni/config.yml"
        assert found["patroni"]["arguments"] == config
        assert found["patronictl"]["arguments"] == f"--config-file {config} list --format=json"


# --- the database


@pytest.fixture
def prepared(server: Postgres, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Run a server with roles created by hand, and another as created by Compose."""
    if not BINARIES:
        pytest.skip("psql is not installed")
    target = server.connection.kwargs()
    environment = {
        **os.environ,
        "PATH": f"{BINARIES[0]}:{os.environ['PATH']}",
        "PGHOST": target["host"],
        "PGPORT": str(target["port"]),
        "PGUSER": target["user"],
        "PGDATABASE": "postgres",
    }
    roles = MANIFESTS / "database" / "roles.sql"
    for name in ("superuser_password", "admin_password", "web_password"):
        (tmp_path / name).write_text("it's", encoding="utf-8")
    by_hand = ("--set=admin_password=a", "--set=web_password=b", f"--file={roles}")
    login = (f"--username={target['user']}", "--dbname=postgres")
    made_by_compose = (
        COMPOSE.with_name("make-roles.sh")
        .read_text(encoding="utf-8")
        .replace("/run/secrets/", f"{tmp_path}/")
        .replace("/roles.sql", str(roles))
    )
    for command in (
        ("psql", "--set=ON_ERROR_STOP=1", *login, *by_hand),
        ("sh", "-c", made_by_compose),
    ):
        result = run(*command, env=environment)
        assert result.returncode == 0, result.stderr
    yield database(server, "minerals")
    run_sql(server, "DROP DATABASE minerals WITH (FORCE)")
    run_sql(server, "DROP ROLE minerals_admin; DROP ROLE web")


async def test_the_roles_let_the_administrator_migrate_and_the_server_serve_and_no_more(
    prepared: dict[str, Any],
) -> None:
    web = {**prepared, "user": "web"}
    with pytest.raises(TrackerError):
        await prepare(web)
    await prepare({**prepared, "user": "minerals_admin"})
    async with running_tracker(web) as services:
        recorded = await services.commands.record("export-control/a", announced())
        await services.projector.reach(recorded.positions[0])
    connection = await connect(web)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SET ROLE tracker_owner")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SELECT * FROM log.tokens")
    finally:
        await connection.close()


# --- systemd


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_hardened(unit: Path) -> None:
    arguments = ("security", "--offline=true", "--no-pager", f"--threshold={TEN_TIMES_EXPOSURE}")
    result = run("systemd-analyze", *arguments, unit)
    assert result.returncode == 0, result.stdout + result.stderr


def test_units_are_of_commands_that_there_are() -> None:
    commands = typer.main.get_command(app)
    assert isinstance(commands, TyperGroup)
    texts = "".join(unit.read_text(encoding="utf-8") for unit in UNITS)
    named = re.findall(r"^ExecStart=/opt/tracker/bin/tracker (\w+)", texts, re.MULTILINE)
    assert {"serve", "export", "verify"} <= {*named}
    assert {*named} <= {*commands.commands}


def test_a_unit_is_not_started_again_for_ever_where_its_library_is_missing(tmp_path: Path) -> None:
    """A module that cannot be imported stands for a missing one."""
    missing = "raise ModuleNotFoundError(\"No module named 'nats'\", name='nats')"
    (tmp_path / "nats.py").write_text(missing, encoding="utf-8")
    text = (MANIFESTS / "systemd" / "tracker-relay.service").read_text(encoding="utf-8")
    [command] = re.findall(r"^ExecStart=/opt/tracker/bin/tracker (.*)$", text, re.MULTILINE)
    ended = run_tracker(
        *command.split(),
        PYTHONPATH=str(tmp_path),
        TRACKER_RELAY_URL="nats://127.0.0.1:4222",
        TRACKER_DATA_DIR=str(tmp_path / "data"),
    )
    assert "SINK_NOT_INSTALLED" in ended.stderr
    [final] = re.findall(r"^RestartPreventExitStatus=(.*)$", text, re.MULTILINE)
    assert str(ended.returncode) in final.split()
