"""Documented operator commands: one installation is executed completely; for others the commands,
options and files must exist."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import typer

from deploy.cli.main import app
from deploy.postgres import Postgres
from tests.conftest import run_sql
from tests.postgres.test_dumps import BINARIES
from tests.support import documents
from tests.support.checkout import ROOT
from tests.support.ports import free_port
from tests.support.time_limits import within
from tools.releases.wheels import EXTRAS

OPERATING = ROOT / "docs" / "operating"
BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PAGES = sorted(OPERATING.glob("*.md"))
COMMANDS = typer.main.get_command(app)


def blocks(text: str) -> list[str]:
    """Return the shell blocks of a text."""
    return [
        "\n".join(line.removeprefix(indent) for line in block.splitlines()) + "\n"
        for indent, block in BLOCK.findall(text)
    ]


# --- of all pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_documented_commands_are_valid_shell_and_name_existing_files(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    script = "".join(blocks(text))
    checked = subprocess.run(
        ["bash", "-n"], input=script, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    for name in re.findall(r"\bdeploy/[\w./-]*\w", text):
        assert (ROOT / name).exists(), name


def commands_of(page: str) -> Iterator[list[str]]:
    """Return the words of each of our commands on a page."""
    script = "".join(
        each.text for each in documents.blocks(page) if each.language in ("sh", documents.INDENTED)
    ).replace("\\\n", " ")
    for found in re.findall(r"(?:\btracker|\bmigrate) ((?:[a-z-]+\b|--[a-z-]+)[^\n|;>]*)", script):
        words = re.sub(r"\"[^\"]*\"|'[^']*'", "TEXT", found.partition("   ")[0]).split()
        if words[0] in COMMANDS.commands:  # type: ignore[attr-defined]
            yield words


@pytest.mark.parametrize("page", documents.pages())
def test_every_command_has_the_options_that_it_is_given(page: str) -> None:
    for words in commands_of(page):
        command: Any = COMMANDS.commands[words.pop(0)].load()  # type: ignore[attr-defined]
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert given <= {*known, "--help"}, (command.name, words)


def test_commands_are_found_on_the_pages() -> None:
    found = {words[0] for page in documents.pages() for words in commands_of(page)}
    assert {"migrate", "token", "import", "key", "export", "verify", "restore", "snapshot"} <= found
    assert {"corpus", "endpoint", "relay", "review", "mirror", "redact"} <= found


@pytest.mark.parametrize("name", ["install", "cluster"])
def test_machines_get_every_extra_that_their_units_use(name: str) -> None:
    text = (OPERATING / f"{name}.md").read_text(encoding="utf-8")
    [extras] = re.findall(r"/pip install '\.\[(.*)\]'", text)
    own_server = {"embedded"}  # they have a PostgreSQL of their own
    assert {*extras.split(",")} == {*filter(None, EXTRAS)} - own_server


# --- the installation of one machine

SYSTEMCTL = """
import os, re, shlex, subprocess, sys
root, *words = sys.argv[1:]
unit = words[-1].removesuffix(".service")
path = f"{root}/etc/systemd/system/{unit}.service"
if words[0] == "start" or words == ["enable", "--now", "tracker"]:
    text = open(path).read()
    for place in ("/opt/", "/etc/", "/var/"):
        text = re.sub(rf"(?<=[= :]){place}", root + place, text)
    given = dict(line.split("=", 1) for line in re.findall("^Environment=(.*)$", text, re.M))
    credentials = dict(re.findall("^LoadCredential=([^:]+):(.*)$", text, re.M))
    for name, value in given.items():
        if value.startswith("%d/"):
            given[name] = credentials[value.removeprefix("%d/")]
    for line in re.findall("^ExecStart=(.*)$", text, re.M):
        if words[0] == "start":
            subprocess.run(shlex.split(line), env={**os.environ, **given}, check=True)
        else:
            log = open(f"{root}/log", "w")
            run = subprocess.Popen(
                shlex.split(line), env={**os.environ, **given}, stdout=log, stderr=log
            )
            open(f"{root}/pid", "w").write(str(run.pid))
"""
"""A minimal systemctl for units below a directory."""

PRELUDE = """
set -euo pipefail
python3() { [ "$1 $2" = "-m venv" ]; }
useradd() { [ "${@: -1}" = tracker ]; }
runuser() { shift 3; "$@"; }
systemctl() { "$PYTHON" "$PLACE/systemctl.py" "$PLACE" "$@"; }
"""


@pytest.fixture
def place(server: Postgres) -> Iterator[Path]:
    """Create a directory as a machine's root, with the program unpacked."""
    place = Path(tempfile.mkdtemp(prefix="tracker-machine-"))
    for name in ("opt/tracker/bin", "etc/systemd/system", "var/lib/tracker", "var/backups"):
        (place / name).mkdir(parents=True)
    (place / "systemctl.py").write_text(SYSTEMCTL, encoding="utf-8")
    for name, line in (("tracker", f'exec {sys.executable} -m tracker "$@"'), ("pip", "exit 0")):
        program = place / "opt" / "tracker" / "bin" / name
        program.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        program.chmod(0o755)
    yield place
    if (place / "pid").exists():
        with suppress(ProcessLookupError):
            os.kill(int((place / "pid").read_text()), signal.SIGTERM)
    run_sql(server, "DROP DATABASE IF EXISTS minerals WITH (FORCE)")
    run_sql(server, "DROP ROLE IF EXISTS minerals_admin; DROP ROLE IF EXISTS web")
    shutil.rmtree(place, ignore_errors=True)


def here(script: str, place: Path, target: dict[str, Any], port: int) -> str:
    """Return the lines for a root directory, and a PostgreSQL without a port."""
    script = re.sub(r"(?<![\w.])/(opt|etc|var)/", rf"{place}/\1/", script)
    for ours, theirs in (
        ("@127.0.0.1/minerals", f"@/minerals?host={target['host']}&port={target['port']}"),
        ("127.0.0.1:8000", f"127.0.0.1:{port}"),
        ("-o tracker -g tracker ", ""),
    ):
        assert ours in script, ours
        script = script.replace(ours, theirs)
    return script


@pytest.mark.nightly
@pytest.mark.skipif(not BINARIES, reason="psql is not installed")
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_one_machine_is_installed_by_copying_the_lines(place: Path, server: Postgres) -> None:
    text = (OPERATING / "install.md").read_text(encoding="utf-8")
    told = text.split("## One machine\n")[1].split("### A proxy")[0]
    target = server.connection.kwargs()
    port = free_port()
    result = subprocess.run(
        ["bash", "-c", PRELUDE + here("".join(blocks(told)), place, target, port)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=within(100),
        check=False,
        env={
            **os.environ,
            "PATH": f"{BINARIES[0]}:{os.environ['PATH']}",
            "PGHOST": target["host"],
            "PGPORT": str(target["port"]),
            "PGUSER": target["user"],
            "PGDATABASE": target["database"],
            "PLACE": str(place),
            "PYTHON": sys.executable,
            "TRACKER_PORT": str(port),
        },
    )
    assert result.returncode == 0, result.stdout + result.stderr
    [ready] = re.findall(r'\{"ready":.*?"warnings":\[\]\}', result.stdout)
    assert json.loads(ready)["ready"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/log/checkpoint") as signed:
        assert signed.read().startswith(b"minerals.example.org/log\n")
    assert "verified: " in result.stdout
    for name in ("admin.toml", "settings.toml"):
        assert stat.S_IMODE((place / "etc" / "tracker" / name).stat().st_mode) == 0o600
    [token] = re.findall(r"^(\S{30,})$", result.stdout, re.MULTILINE)
    mutation = """mutation { foundAlliance(input: {id: "a", on: "2026-01-01", name: "A",
        source: {publisher: "test", name: "Test", publishedOn: "2026-01-01"}}) { position } }"""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps({"query": mutation}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["data"]["foundAlliance"]["position"]
