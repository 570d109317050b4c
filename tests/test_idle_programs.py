"""Programs of the documents that follow the log go on when nothing was recorded for a while."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from schema.services import Access, Services
from tests.support.documents import Program, block, running_program
from tests.support.kafka_broker import running_kafka
from tests.support.nats_server import running_nats
from tests.support.node import has_node, npm_packages
from tests.support.relays import append, running
from tests.support.time_limits import within
from tests.support.waiting import until
from tests.support.web_server import serving
from tracker.postgres.database import Target

IDLE_SECONDS = 30
CONSUMERS = 5
"""Of NATS: one that is wrong about a timeout does not always fail within half a minute."""


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Path]:
    """A directory for programs, below the packages that those for Node import."""
    if not has_node():
        yield tmp_path
        return
    directory = Path(tempfile.mkdtemp(dir=npm_packages()))
    yield directory
    shutil.rmtree(directory)


class Programs:
    """Several programs that run."""

    def __init__(self, workplace: Path, stack: ExitStack):
        self._workplace, self._stack = workplace, stack
        self._running: list[Program] = []

    def start(self, page: str, name: str, *arguments: str, copies: int = 1) -> None:
        """Start a program that its first line names."""
        stem, _, ending = name.partition(".")
        language = {"py": "python", "mjs": "js"}[ending]
        text = block(page, language, f" {name} ")
        for copy in range(copies):
            file = f"{stem}{copy}.{ending}"
            program = running_program(self._workplace, file, text, *arguments)
            self._running.append(self._stack.enter_context(program))

    def read(self) -> str:
        """Return the output of all. Raises AssertionError once one has ended."""
        return "".join([each.read() for each in self._running])


async def test_programs_have_the_next_event_after_thirty_seconds_of_silence(
    services: Services, target: Target, workplace: Path
) -> None:
    async with (
        running_nats() as nats,
        running(target, nats.url),
        serving(services, Access()) as (address, *_),
    ):
        with running_kafka() as kafka, ExitStack() as stack:
            await append(services.recorder, "a", 1)
            consumers, relay, followers = (Programs(workplace, stack) for _ in range(3))
            consumers.start("docs/integrations.md", "consumer.py", nats.url, copies=CONSUMERS)
            relay.start(
                "docs/integrations.md", "kafka_relay.py", f"http://{address}", kafka, "minerals"
            )
            if has_node():
                followers.start("docs/api.md", "follow.mjs", f"ws://{address}/graphql")
            for _ in range(IDLE_SECONDS):
                await asyncio.sleep(1)
                assert "rror" not in consumers.read() + relay.read() + followers.read()
            await append(services.recorder, "b", 1)
            await until(lambda: "2 Exp" in consumers.read(), 20)
            await until(lambda: "2 Exp" in followers.read() or not has_node(), 20)
            assert await values(kafka, 2) == await entries(services)
            assert relay.read() == ""


async def values(kafka: str, count: int) -> list[bytes]:
    """The first messages of the topic."""
    aiokafka = pytest.importorskip("aiokafka", reason="this needs aiokafka")
    options = {"bootstrap_servers": kafka, "auto_offset_reset": "earliest"}
    async with aiokafka.AIOKafkaConsumer("minerals", **options) as reader:
        async with asyncio.timeout(within(20)):
            return [(await reader.getone()).value for _ in range(count)]


async def entries(services: Services) -> list[bytes]:
    """The entries of the log."""
    return [event.entry for event in await services.recorder.read(0)]
