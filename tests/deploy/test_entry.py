"""Common behaviour of commands: settings, log, exit codes, version."""

import asyncio
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
import websockets
from typer.testing import CliRunner

from deploy.cli.main import COMMANDS, app
from deploy.cli.process import Exit
from deploy.config import settings
from deploy.config.table import WrongSetting
from projections.runner.release import RELEASE
from tests.support.cases import each_case
from tests.support.processes import TRACKER, Running, begin, command, read_text, run
from tests.support.tampered_logs import KEY
from tests.support.time_limits import within
from tracker.audit.verify import http_source

Start = Callable[..., Running]


@each_case(
    ("wrong", "meant"),
    [
        ("TRACKER_REED", "TRACKER_READ"),
        ("TRACKER_DATABASE", "TRACKER_DATABASE_URL"),
        ("TRACKER_WRITETOKEN", "TRACKER_WRITE_TOKEN"),
        ("TRACKER_OIDC_ISSUERS", "TRACKER_OIDC_ISSUER"),
        ("TRACKER_", "TRACKER_"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_nearest_one(wrong: str, meant: str) -> None:
    with pytest.raises(WrongSetting, match=f"^{wrong} is not a setting: did you mean {meant}"):
        settings.check({wrong: "token", "PATH": "/bin"})


@pytest.mark.parametrize("arguments", [("serve",), ("verify", "x")])
def test_every_command_refuses_a_misspelt_setting(
    data_dir: Path, arguments: tuple[str, ...]
) -> None:
    result = run(*arguments, TRACKER_REED="token", TRACKER_DATA_DIR=str(data_dir))
    assert (result.returncode, result.stderr) == (
        Exit.USAGE,
        "TRACKER_REED is not a setting: did you mean TRACKER_READ?\n",
    )
    assert not data_dir.exists()


@each_case(
    ("variable", "value"),
    [
        ("TRACKER_READ", "closed"),
        ("TRACKER_RATE", "٣"),
        ("TRACKER_RATE", "9" * 5000),
        ("TRACKER_WRITE_TOKEN", "a b"),
        ("TRACKER_TOKEN", "geheimł"),
        ("TRACKER_LOG_FORMAT", "xml"),
        ("TRACKER_OIDC_ISSUER", "https://ann:secret@id.example"),
        ("TRACKER_DATABASE_URL", "postgresql://ann:sec/ret@db/m"),
    ],
)
def test_a_wrong_value_is_wrong_usage_of_any_command(variable: str, value: str) -> None:
    result = run("sources", **{variable: value})
    assert (result.returncode, result.stderr.startswith(variable)) == (Exit.USAGE, True)
    for secret in ("secret", "sec/ret", "ret@", "geheim", "a b"):
        assert secret not in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments", [("serve", "--port", "99999"), ("serve", "--log-level", "loud"), ("nothing",)]
)
def test_wrong_usage_has_its_exit_code_and_no_traceback(
    data_dir: Path, arguments: tuple[str, ...]
) -> None:
    result = run(*arguments, TRACKER_DATA_DIR=str(data_dir))
    assert (result.returncode, "Traceback" in result.stderr) == (Exit.USAGE, False)
    assert not data_dir.exists()


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 300, "192.0.2.1"])
def test_an_address_that_is_not_ours_is_said(data_dir: Path, host: str) -> None:
    result = command("serve", "--host", host, data_dir=data_dir)
    assert (result.returncode, "Can't listen on" in result.stderr) == (Exit.UNAVAILABLE, True)
    assert "Traceback" not in result.stderr


def test_the_version_is_that_of_the_package_of_python_and_of_the_tables() -> None:
    lines = run("--version").stdout.splitlines()
    root = Path(__file__).parents[2]
    declared = re.search(r'^version = "(.*)"', (root / "pyproject.toml").read_text(), re.MULTILINE)
    steps = sorted((root / "tracker" / "postgres" / "migrations").glob("*.sql"))
    assert declared
    assert lines == [
        f"tracker {declared[1]}",
        f"Python {sys.version.split()[0]}",
        f"tables: migration {int(steps[-1].name[:4])}",
        f"rows: release {RELEASE}",
    ]


def imported_by(argument: str) -> tuple[set[str], str]:
    """Return the modules that a command imports besides Python's own, and its output."""
    script = (
        "import sys; sys.argv = ['tracker', *sys.argv[1:]]; import deploy.start as start\n"
        "try: start.main()\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done, plain = (
        subprocess.run([sys.executable, "-c", *code], capture_output=True, text=True, check=True)
        for code in ([script, argument], ["import sys; print(*sys.modules, file=sys.stderr)"])
    )
    return set(done.stderr.split()) - set(plain.stderr.split()), done.stdout


def test_the_version_imports_nothing_heavy() -> None:
    added, printed = imported_by("--version")
    assert printed == run("--version").stdout
    assert {each.partition(".")[0] for each in added} <= {"deploy", "tracker", "__future__"}
    assert len(added) < 10, added


def test_the_help_imports_no_command_and_no_library_but_those_that_draw_it() -> None:
    added, printed = imported_by("--help")
    assert printed == run("--help").stdout
    commands = {each for each in added if each.startswith("deploy.cli.")}
    assert commands == {
        f"deploy.cli.{name}" for name in ("entry", "import_names", "main", "version")
    }
    heavy = {"aiohttp", "asyncio", "asyncpg", "eventsourcing", "graphql", "msgspec", "strawberry"}
    heavy |= {"projections", "schema", "uvloop", "yarl"}
    assert not {each.partition(".")[0] for each in added} & heavy


@each_case("name", COMMANDS)
def test_the_help_lists_a_command_as_the_command_describes_itself(name: str) -> None:
    listed = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    listed.read_help()
    assert inspect.cleandoc(listed.load().help) == listed.help


def test_a_version_with_closed_output_is_printed_in_silence() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tracker", "--version"],
            stdout=writing,
            stderr=subprocess.PIPE,
            env={name: os.environ[name] for name in os.environ if name != "PYTHONUNBUFFERED"},
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (Exit.OK, b"")


def test_the_module_is_the_command() -> None:
    named = subprocess.run(
        [sys.executable, "-m", "tracker", "--version"], capture_output=True, text=True, check=True
    )
    assert named.stdout == run("--version").stdout


def test_a_shell_can_complete_commands() -> None:
    completed = run(_TRACKER_COMPLETE="complete_bash", COMP_WORDS="tracker ver", COMP_CWORD="1")
    assert completed.stdout.split() == ["verify"]
    assert "_TRACKER_COMPLETE" in run("--show-completion", "bash").stdout


def test_the_bare_command_prints_its_help() -> None:
    result = run()
    assert "Usage: tracker" in result.stdout + result.stderr
    assert "rebuild" in result.stdout + result.stderr


def test_every_line_of_a_server_that_logs_json_is_json(
    data_dir: Path, demo_files: Path, start: Start
) -> None:
    subprocess.run(["cp", "-a", demo_files, data_dir.with_name("demo")], check=True)
    for name, more in (("demo", "4"), ("serve", "3")):
        running = start(
            name, "--log-format", "json", "--log-level", "debug", data_dir=data_dir.with_name(name)
        )
        running.ask("{ head }")
        assert running.stop() == Exit.OK
        lines = [json.loads(line) for line in running.output.splitlines()]
        assert len(lines) >= int(more) - 2
        assert all({"time", "level", "logger"} <= line.keys() for line in lines)


@pytest.mark.parametrize(
    "arguments", [("nothing",), ("verify", "/nowhere"), ("replay", "--known-at", "x")]
)
def test_errors_are_json_too_where_that_is_the_form(
    data_dir: Path, arguments: tuple[str, ...]
) -> None:
    result = run(*arguments, TRACKER_LOG_FORMAT="json", TRACKER_DATA_DIR=str(data_dir))
    assert result.returncode in (Exit.REFUSED, Exit.USAGE)
    levels = [json.loads(line)["level"] for line in result.stderr.splitlines()]
    assert levels[-1] == "error"


FAIL = """
import deploy.cli.main
from deploy.cli.entry import run_command_line
@deploy.cli.main.app.command()
def fail():
    raise KeyError("a-secret-word of ours")
run_command_line(deploy.cli.main.app)
"""


@each_case("form", ["text", "json"])
def test_an_unforeseen_error_is_a_line_unless_more_is_asked_for(form: str) -> None:
    def failed(level: str) -> str:
        result = subprocess.run(
            [sys.executable, "-c", FAIL, "fail"],
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "TRACKER_LOG_LEVEL": level,
                "TRACKER_LOG_FORMAT": form,
                "TRACKER_WRITE_TOKEN": "a-secret-word",
            },
        )
        assert (result.returncode, "a-secret-word" in result.stderr) == (Exit.FAILED, False)
        return result.stderr

    line, details = failed("warning"), failed("debug")
    assert line.count("\n") == 1
    assert "KeyError" in line
    assert "of ours" in details
    assert "Traceback" in details


def test_no_token_is_logged_however_much_is(data_dir: Path, start: Start) -> None:
    token = "tracker_of-the-test-alone"
    serving = start(
        "serve",
        "--log-level",
        "debug",
        data_dir=data_dir,
        TRACKER_WRITE_TOKEN=token,
        TRACKER_READ="token",
    )

    async def talk(secret: str) -> None:
        headers = {"Authorization": f"Bearer {secret}"}
        try:
            async with websockets.connect(
                serving.url.replace("http", "ws") + "/graphql",
                additional_headers=headers,
                subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
            ) as socket:
                await socket.send(json.dumps({"type": "connection_init", "payload": headers}))
                await socket.recv()
        except websockets.ConnectionClosed:
            pass

    for secret in (token, "tracker_another-of-the-test"):
        asyncio.run(talk(secret))
    serving.ask("{ head }", token)
    serving.stop()
    assert "of-the-test" not in serving.output


def test_a_reader_that_has_enough_is_not_an_error(demo: Running) -> None:
    following = f"{' '.join(TRACKER)} follow --after 0 --data-dir {demo.data_dir} | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"{following}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=within(60),
    )
    assert (done.returncode, done.stderr) == (Exit.OK, "")
    assert done.stdout.count("\n") == 1


def run_without_reader(*arguments: str, data_dir: Path) -> tuple[int, str]:
    """Return the exit code of a command with closed output, and its error output."""
    reading, writing = os.pipe()
    os.close(reading)
    with tempfile.TemporaryFile() as errors:
        try:
            process = begin(
                arguments,
                output=writing,
                errors=errors.fileno(),
                env={"TRACKER_DATA_DIR": str(data_dir)},
            )
        finally:
            os.close(writing)
        return process.wait(within(60)), read_text(errors)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        ("schema", "corpus"),
        ("upcoming", "--days", "1000"),
        ("query", "{ events(first: 200) { nodes { data } } }"),
        ("follow", "--after", "0"),
    ],
)
def test_a_command_with_closed_output_is_done_in_silence(
    demo: Running, arguments: tuple[str, ...]
) -> None:
    assert run_without_reader(*arguments, data_dir=demo.data_dir) == (Exit.OK, "")


def test_a_question_refused_and_a_log_rejected_are_it_also_where_nobody_reads_why(
    demo: Running, tmp_path: Path
) -> None:
    refused = run_without_reader("query", "{ nothing }", data_dir=demo.data_dir)
    assert refused == (Exit.REFUSED, "")
    code, said = run_without_reader(
        "verify", "--json", "--key", str(KEY.verifier), str(tmp_path), data_dir=demo.data_dir
    )
    assert (code, "checkpoint" in said) == (Exit.REFUSED, True)


@pytest.mark.parametrize(
    "address",
    [
        "https://ann:hidden@127.0.0.1:1/log",
        "http://hidden@127.0.0.1:1",
        "HTTPS://ann:hidden@x/log",
        "http://ann:hid/den@127.0.0.1:1/log",
        "http://ann:hid?den@127.0.0.1/log",
        "http://ann:hid#den@127.0.0.1/log",
        "http://ann:hid den@127.0.0.1/log",
        "http://ann:hid%40den@127.0.0.1/log",
        "http://ann:hid\\den@127.0.0.1/log",
        "http://ann:hid@den@127.0.0.1:1/log",
        "http://ann:hidden\uff20127.0.0.1/log",
        "http://hidden\uff20127.0.0.1/log",
        "http://[hidden]/log",
        "http://ann:hidden",
        "http:/ann:hidden@127.0.0.1/log",
        "https:ann:hidden@127.0.0.1/log",
        "ftp://ann:hidden@x/log",
        "http://127.0.0.1:1/hidden@log",
        "http://127.0.0.1:1/log?token=hidden",
        "http://127.0.0.1:1/log#hidden",
        "http://127.0.0.1:99999/hidden@log",
        "://ann:hidden@x",
    ],
)
def test_no_password_in_an_address_is_shown(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_source, "RETRY_DELAYS_SECONDS", ())
    report = tmp_path / "report.md"
    for arguments in (
        ["import", address],
        ["verify", address, "--report", str(report)],
        ["export", str(tmp_path / "copy"), "--from", address],
    ):
        result = CliRunner().invoke(
            app, [*arguments, *([] if arguments[0] == "import" else ["--key", str(KEY.verifier)])]
        )
        told = result.output + (report.read_text() if report.exists() else "")
        assert result.exit_code in (Exit.REFUSED, Exit.UNAVAILABLE), told
        assert [part for part in ("hid", "den") if part in told.replace("hidden", "")] == []
        assert "hidden" not in told


DAY_OPTIONS = (
    ("snapshot", "--valid-at"),
    ("replay", "--valid-at"),
    ("changes", "--from"),
    ("changes", "--to"),
    ("upcoming", "--valid-at"),
    ("token", "create", "--name", "n", "--scope", "read", "--expires"),
)
WRONG_DAYS = (
    "2025-1-2",
    "20250102",
    "٢٠٢٥-٠١-٠٢",
    "2025-01-02T00:00",
    " 2025-01-02",
    "2025-01-02\n",
    "2025-W01-1",
    "02.01.2025",
    "today",
    "",
    "-1",
    "12025-01-02",
)


@each_case(
    ("arguments", "day"),
    [(DAY_OPTIONS[0], day) for day in WRONG_DAYS] + [(other, "today") for other in DAY_OPTIONS],
)
def test_a_day_has_one_form(arguments: tuple[str, ...], day: str) -> None:
    result = CliRunner().invoke(app, [*arguments, day], env={"COLUMNS": "200"})
    assert result.exit_code == Exit.USAGE
    assert "expected a day as YYYY-MM-DD, such as 2025-11-20" in result.output


@each_case("command", ["snapshot", "replay", "upcoming"])
def test_a_day_that_the_calendar_lacks_is_refused_as_such(command: str) -> None:
    arguments = [command, "--valid-at", "2025-02-30"]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert result.exit_code == Exit.USAGE
    assert "'2025-02-30' is not in the calendar: expected a day from 01 to 28" in result.output


def test_the_table_of_exit_codes_is_that_of_the_code() -> None:
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    table = page[page.index("| code | means |") :].partition("\n\n")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == [*Exit]


IMPORT_COMMANDS = """
import importlib, sys
from deploy.cli.main import COMMANDS
for module, _ in COMMANDS.values():
    importlib.import_module(module)
"""


def test_a_command_that_asks_no_graphql_starts_without_its_schema_and_the_pages() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", IMPORT_COMMANDS + "print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "deploy.cli.export" in loaded
    assert not {"schema.app", "schema.execution.schema", "schema.pages.registry"}.intersection(
        loaded
    )


COUNT_IMPORTS = """
import dataclasses, sys
import deploy.cli.serve, schema.app
layers = {"deploy", "schema", "projections", "tracker"}
own = [sys.modules[name] for name in list(sys.modules) if name.partition(".")[0] in layers]
classes = {of for module in own for of in vars(module).values() if isinstance(of, type)}
ours = [of for of in classes if of.__module__.partition(".")[0] in layers]
print(len(own), sum(map(dataclasses.is_dataclass, ours)), *sys.modules)
"""
MAX_OWN_MODULES, MAX_DATACLASSES, MAX_MODULES = 770, 388, 1822
"""The start of a server takes about 0.3 ms for each module, and 0.4 to 0.9 ms for each dataclass."""
LOADED_ON_USE = {
    "markdown_it",
    "pygments",
    "tracker.sources.registry",
    "openpyxl",
    "pyarrow",
    "icalendar",
}
"""Modules that a server imports when a request or a task needs them."""


def test_a_server_starts_with_a_limited_number_of_modules_and_dataclasses() -> None:
    own, dataclasses, *modules = subprocess.run(
        [sys.executable, "-c", COUNT_IMPORTS], capture_output=True, text=True, check=True
    ).stdout.split()
    assert int(own) <= MAX_OWN_MODULES
    assert int(dataclasses) <= MAX_DATACLASSES
    assert len(modules) <= MAX_MODULES
    assert not LOADED_ON_USE.intersection(modules)
