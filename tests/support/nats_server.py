"""A real NATS server with JetStream that can be killed, restarted, and reset to an older store."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats
from nats.js import JetStreamContext, api

from tests.support.ports import free_port
from tests.support.time_limits import within

PROGRAM = Path(sys.executable).with_name("nats-server")
START_TIMEOUT_SECONDS = 20.0


class NatsServer:
    """A server on a fixed port, also after restarts."""

    def __init__(self, directory: Path, config: str = "", port: int | None = None):
        self.port = port or free_port()
        self.store = directory / "store"
        self._config = directory / "server.conf"
        self._config.write_text(config)
        self._output = directory / "output"
        self._copy = directory / "copy"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return its address."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        listen = ["-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.store)]
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [PROGRAM, "-c", str(self._config), *listen], stdout=output, stderr=output
            )
        ends = time.monotonic() + within(START_TIMEOUT_SECONDS)
        while not answers(self.port):
            assert self._process.poll() is None, self._output.read_text()
            assert time.monotonic() < ends, "the NATS server does not start"
            time.sleep(0.01)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, such as SIGSTOP."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it, and wait for its end; repeated calls do nothing."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_TIMEOUT_SECONDS)
            self._process = None

    def kill(self) -> None:
        """Kill it as a fault does."""
        self.stop(signal.SIGKILL)

    def back_up(self) -> None:
        """Copy its store; it is stopped for this, and restarted."""
        self.stop()
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(self.store, self._copy)
        self.start()

    def restore(self) -> None:
        """Kill it, restore the copy of its store, and restart it."""
        self.kill()
        shutil.rmtree(self.store)
        shutil.copytree(self._copy, self.store)
        self.start()

    @asynccontextmanager
    async def jetstream(self, **login: Any) -> AsyncIterator[JetStreamContext]:
        """Open a separate client."""
        client = await nats.connect(self.url, **login)
        try:
            yield client.jetstream()
        finally:
            await client.close()

    async def messages(self, stream: str = "MINERALS", **login: Any) -> list[Any]:
        """Return all messages of a stream, through a consumer."""
        async with self.jetstream(**login) as jetstream:
            count = (await jetstream.stream_info(stream)).state.messages
            if not count:
                return []
            unacknowledged = api.ConsumerConfig(ack_policy=api.AckPolicy.NONE)
            consumer = await jetstream.pull_subscribe(">", stream=stream, config=unacknowledged)
            found: list[Any] = []
            while len(found) < count:
                found += await consumer.fetch(min(500, count - len(found)), timeout=within(10))
            return found

    async def positions(self, stream: str = "MINERALS", **login: Any) -> list[int]:
        """Return the positions of all events of a stream, in order."""
        found = await self.messages(stream, **login)
        return [int(message.headers["Tracker-Position"]) for message in found]


def answers(port: int) -> bool:
    """Whether a NATS server sends its greeting on a port, which it does once JetStream is ready."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return connection.recv(4) == b"INFO"
    except OSError:
        return False


@asynccontextmanager
async def running_nats(config: str = "") -> AsyncIterator[NatsServer]:
    """Run a server for the duration of a block."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-nats-", dir=os.environ.get("TMPDIR")))
    server = NatsServer(directory, config)
    server.start()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(directory, ignore_errors=True)
