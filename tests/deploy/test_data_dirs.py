"""Which database a command works on: a demo has its own, and none is made by mistake."""

import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.demo_log import is_local
from deploy.cli.main import app
from deploy.cli.process import Exit
from deploy.postgres import default_data_dir, demo_data_dir
from tests.deploy.test_cli import control
from tests.support.processes import TRACKER, Running, command
from tests.support.time_limits import within


def test_the_demo_has_a_directory_of_its_own() -> None:
    assert demo_data_dir().parent == default_data_dir().parent
    assert demo_data_dir().name == f"{default_data_dir().name}-demo"


def test_a_demo_refuses_a_log_that_it_did_not_begin(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "facts.jsonl"
    file.write_bytes(control("real"))
    made = command("import", str(file), data_dir=data_dir)
    assert (made.returncode, f"A new database is made in {data_dir}" in made.stderr) == (
        Exit.OK,
        True,
    )
    refused = command("demo", "--port", "0", data_dir=data_dir)
    assert (refused.returncode, "(NOT_A_DEMO)" in refused.stderr) == (Exit.REFUSED, True)
    asked = command("query", "{ head }", data_dir=data_dir)
    assert (asked.stdout.split(), asked.stderr) == (
        ["{", '"data":', "{", '"head":', '"2"', "}", "}"],
        "",
    )


def test_continuing_a_demo_needs_an_option(demo: Running, start: Callable[..., Running]) -> None:
    refused = command("serve", "--port", "0", data_dir=demo.data_dir)
    assert (refused.returncode, "(DEMO_LOG)" in refused.stderr) == (Exit.REFUSED, True)
    assert "--continue-demo" in refused.stderr
    serving = start("serve", "--continue-demo", data_dir=demo.data_dir)
    assert int(serving.ask("{ head }")["data"]["head"]) > 9000


def test_a_demo_goes_on_with_its_own_log_and_says_who_can_write_and_where_it_is(
    demo: Running, start: Callable[..., Running]
) -> None:
    assert f"export TRACKER_DATA_DIR={demo.data_dir}" in demo.output
    assert "may write" not in demo.output
    head = demo.ask("{ head }")
    open_demo = start("demo", "--host", "0.0.0.0", data_dir=demo.data_dir)
    said = open_demo.rest("Ctrl-C stops")
    assert f"Anyone who can reach {open_demo.url} may write to this log" in said
    assert demo.ask("{ head }") == head


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("example.org", False),
    ],
)
def test_only_this_machine_reaches_a_local_address(host: str, local: bool) -> None:
    assert is_local(host) is local


ASKING = [
    ("query", "{ head }"),
    ("snapshot",),
    ("follow",),
    ("replay",),
    ("imports",),
    ("rebuild",),
    ("changes", "--from", "2025-01-01", "--to", "2025-02-01"),
    ("upcoming",),
    ("export", "bundle"),
    ("verify", "--database"),
    ("token", "list"),
    ("token", "revoke", "1"),
    ("token", "create", "--name", "n", "--scope", "read"),
    ("redact", "e", "--reason", "r", "--source", "s", "--yes"),
]


@pytest.mark.parametrize("arguments", ASKING, ids=lambda arguments: " ".join(arguments[:2]))
def test_a_mistyped_directory_is_refused_by_what_needs_data(
    tmp_path: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRACKER_DATABASE_URL", raising=False)
    for place in (tmp_path / "mistyped", tmp_path):
        result = CliRunner().invoke(app, [*arguments, "--data-dir", str(place)])
        assert result.exit_code == Exit.UNAVAILABLE, result.output
        assert f"There is no database in {place}." in result.stderr
        assert "--data-dir" in result.stderr
        assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_can_not_be_is_said_without_a_traceback(tmp_path: Path) -> None:
    place = str(tmp_path / ("x" * 300))
    result = CliRunner().invoke(app, ["query", "{ head }", "--data-dir", place])
    assert (result.exit_code, "File name too long" in result.stderr) == (Exit.UNAVAILABLE, True)


def test_a_person_at_a_terminal_is_asked(data_dir: Path) -> None:
    for answer, code in ((b"n\n", Exit.UNAVAILABLE), (b"y\n", Exit.OK)):
        own, theirs = pty.openpty()
        asking = subprocess.Popen(
            [*TRACKER, "query", "{ head }", "--data-dir", str(data_dir)],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
        )
        os.close(theirs)
        question = b""
        while b"Make an empty one?" not in question:
            question += os.read(own, 1000)
        assert not data_dir.exists()
        os.write(own, answer)
        said = asking.communicate(timeout=within(100))[0]
        os.close(own)
        assert asking.returncode == code
        assert (b'"head": "0"' in said) == (code == Exit.OK)
