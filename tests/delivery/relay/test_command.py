"""`tracker relay` as a process: killed and started again, stopped, two at a time."""

import os
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.cli import relay as command_line
from deploy.cli.process import Exit
from tests.support.database_urls import database_url
from tests.support.nats_server import NatsServer, running_nats
from tests.support.processes import TRACKER
from tests.support.relays import append, headers, reached, until
from tests.support.time_limits import within
from tracker.delivery.relay.nats_address import NatsAddress, parse_servers
from tracker.errors import TrackerError
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target

LOGIN = 'authorization { user: relay, password: "s3cret" }'


@pytest.fixture
async def broker() -> AsyncIterator[NatsServer]:
    """Run a server with a password."""
    async with running_nats(LOGIN) as server:
        yield server


class RelayProcess:
    """The command in a process of its own."""

    def __init__(self, target: Target, broker: NatsServer, output: Path, *options: str):
        self._output = output
        url = f"nats://relay:s3cret@127.0.0.1:{broker.port}"
        database = database_url(target)
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [*TRACKER, "relay", "--after", "0", "--log-level", "debug", *options],
                stdout=file,
                stderr=file,
                env={**os.environ, "TRACKER_RELAY_URL": url, "TRACKER_DATABASE_URL": database},
            )

    @property
    def output(self) -> str:
        """Return its output."""
        return self._output.read_text()

    def end(self) -> int:
        """End it as a supervisor does, and return the exit code."""
        self.process.terminate()
        return self.process.wait(within(20))


@pytest.fixture
def relay(target: Target, broker: NatsServer, tmp_path: Path) -> Iterator[type[RelayProcess]]:
    """Return a function that starts the command, and end it after a failed test."""
    started: list[RelayProcess] = []

    class Started(RelayProcess):
        def __init__(self, *options: str):
            super().__init__(target, broker, tmp_path / f"output-{len(started)}", *options)
            started.append(self)

    yield Started  # type: ignore[misc]
    for one in started:
        one.process.kill()
        one.process.wait()


async def test_killed_and_started_again_it_misses_nothing_and_shows_no_password(
    recorder: Recorder, broker: NatsServer, relay: type[RelayProcess]
) -> None:
    login = {"user": "relay", "password": "s3cret"}
    first = relay()  # type: ignore[call-arg]
    for round in range(3):
        await append(recorder, f"r{round}", 200)
    await until(lambda: "created the stream" in first.output)
    first.process.kill()
    await append(recorder, "late", 100)
    second, third = relay(), relay("--window", "7")  # type: ignore[call-arg]
    await until(lambda: all("Ctrl-C stops" in one.output for one in (second, third)))
    assert await reached(broker, 700, **login) == [*range(1, 701)]
    chain = [headers(message) for message in await broker.messages(**login)]
    assert [before for _, before in chain] == [0, *(position for position, _ in chain[:-1])]
    assert [second.end(), third.end()] == [Exit.INTERRUPTED, Exit.INTERRUPTED]
    told = second.output + third.output
    counts = [int(n) for n in re.findall(r"(\d+) events were acknowledged", told)]
    assert len(counts) == 2
    assert min(counts) == 0 < max(counts) <= 700
    assert "s3cret" not in told + first.output


def test_without_the_client_library_it_says_which_extra_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command_line, "SINK_MODULE", "no_such_module")
    with pytest.raises(TrackerError, match="the extra `nats` has it"):
        command_line.jetstream_sink(NatsAddress(parse_servers("nats://a")))
