"""The start of a server is slow, but without errors."""

import logging
import textwrap
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from deploy.output.log_format import LogFormat, LogLevel, log_to_stderr
from tests.support.processes import Running, command

SLOW_IMPORT_SECONDS = 9
"""Longer than any timeout of a background task's transaction or query."""
SLOW_DISK = f"""
import sys, time
from importlib.abc import MetaPathFinder

class SlowDisk(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "schema.execution.schema":
            time.sleep({SLOW_IMPORT_SECONDS})

sys.meta_path.insert(0, SlowDisk())
"""


@pytest.fixture
def slow_disk(tmp_path: Path) -> str:
    """Return the PYTHONPATH of a Python that loads the GraphQL schema slowly."""
    (tmp_path / "sitecustomize.py").write_text(textwrap.dedent(SLOW_DISK))
    return str(tmp_path)


def test_a_server_that_takes_long_to_load_loses_no_connection_meanwhile(
    data_dir: Path, slow_disk: str, start: Callable[..., Running]
) -> None:
    assert command("migrate", data_dir=data_dir).returncode == 0
    serving = start("serve", data_dir=data_dir, PYTHONPATH=slow_disk)
    assert serving.seconds_since_start() > SLOW_IMPORT_SECONDS
    assert serving.ask("{ head }") == {"data": {"head": "0"}}
    assert "lost" not in serving.output
    assert "timeout" not in (data_dir / "postgres.log").read_text()


def test_a_question_that_takes_long_to_load_loses_no_connection_meanwhile(
    data_dir: Path, slow_disk: str
) -> None:
    assert command("migrate", data_dir=data_dir).returncode == 0
    asked = command("query", "{ head }", data_dir=data_dir, PYTHONPATH=slow_disk)
    assert ('"head": "0"' in asked.stdout, asked.stderr) == (True, "")
    assert "timeout" not in (data_dir / "postgres.log").read_text()


@pytest.mark.parametrize("form", LogFormat)
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "no answer in time"),
        (ConnectionResetError(), "ConnectionResetError"),
        (asyncpg.InterfaceError("connection is closed"), "connection is closed"),
    ],
)
def test_the_log_always_has_the_reason_of_a_lost_connection(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    reason: str,
    form: LogFormat,
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.root.level)
    log_to_stderr(LogLevel.WARNING, form)
    logging.getLogger("tests").warning("the connection was lost: %s", error)
    assert f"the connection was lost: {reason}" in capfd.readouterr().err
