"""Several processes on one data directory: one runs PostgreSQL, the others use it."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.cli.process import Exit
from deploy.postgres import Postgres
from tests.support.loaded_tracker import Forked
from tests.support.processes import Running, begin, postmasters
from tests.support.time_limits import within
from tests.support.waiting import until


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_server_ends_with_the_process_whose_postgresql_it_uses(
    data_dir: Path, start: Callable[..., Running], number: signal.Signals
) -> None:
    owner = start("serve", data_dir=data_dir)
    joined = start("serve", data_dir=data_dir)
    assert joined.ask("{ head }") == {"data": {"head": "0"}}
    owner.stop(number)
    assert joined.ended() == Exit.UNAVAILABLE
    assert f"Process {owner.process.pid} ran PostgreSQL on {data_dir} and has ended." in (
        joined.output
    )
    assert "Traceback" not in joined.output
    again = start("serve", data_dir=data_dir)
    assert again.ask("{ head }") == {"data": {"head": "0"}}


def begin_serving(data_dir: Path, output: Path) -> Forked | subprocess.Popen[bytes]:
    """Start a server that may not be able to serve yet, with its output in a file."""
    with output.open("wb") as file:
        arguments = ["serve", "--port", "0", "--data-dir", str(data_dir)]
        return begin(arguments, output=file.fileno(), errors=file.fileno())


async def test_a_server_waits_for_a_short_command_and_then_runs_postgresql_itself(
    data_dir: Path, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    with Postgres.start(data_dir):
        serving = begin_serving(data_dir, output)
        await until(lambda: "waits for process" in output.read_text(), 60)
    try:
        await until(lambda: "Serving" in output.read_text() or serving.poll() is not None, 60)
        [server] = postmasters(data_dir)
        assert server.ppid() == serving.pid
    finally:
        serving.send_signal(signal.SIGTERM)
    assert serving.wait(within(30)) == Exit.OK


async def test_a_server_that_waits_for_a_short_command_can_be_stopped(
    data_dir: Path, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    with Postgres.start(data_dir) as short:
        serving = begin_serving(data_dir, output)
        await until(lambda: "waits for process" in output.read_text(), 60)
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(within(60)) == Exit.INTERRUPTED
        assert short.ended is None
