"""Programs of the documents that follow the log go on when nothing was recorded for a while."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.bootstrap import running_tracker
from schema.services import Access, Services
from tests.support.documents import Program, block, running_program
from tests.support.kafka_broker import running_kafka
from tests.support.nats_server import running_nats
from tests.support.node import has_node, npm_packages
from tests.support.ports import free_port
from tests.support.relays import append, running
from tests.support.time_limits import within
from tests.support.waiting import until
from tests.support.web_server import serving
from tracker.delivery.deliverer import DeliveryOptions
from tracker.delivery.endpoint import Manager, NewEndpoint
from tracker.delivery.schedule import Schedule
from tracker.postgres.database import Target
from tracker.web.networks import Networks

BROKERS, INTEGRATIONS = "docs/brokers.md", "docs/integrations.md"
HERE = Networks.parse(["127.0.0.0/8"])
ANN = Manager("ann")
IDLE_SECONDS = 30
CONSUMERS = 5
"""Of NATS: one that is wrong about a timeout does not always fail within half a minute."""


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Path]:
    """Create a directory for programs, below the packages of those for Node."""
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
    target: Target, workplace: Path
) -> None:
    quick = DeliveryOptions(HERE, "tracker.example.com", Schedule((0, 0.05), 0.05))
    async with (
        running_nats() as nats,
        running_tracker(target, delivery=quick) as services,
        running(target, nats.url),
        serving(services, Access()) as (address, *_),
    ):
        with running_kafka() as kafka, ExitStack() as stack:
            await append(services.recorder, "a", 1)
            consumers, others = Programs(workplace, stack), Programs(workplace, stack)
            consumers.start(BROKERS, "consumer.py", nats.url, copies=CONSUMERS)
            arguments = f"http://{address}", kafka, "minerals"
            others.start(BROKERS, "kafka_relay.py", *arguments)
            others.start(INTEGRATIONS, "receiver.py", *await endpoint(services, "python"))
            if has_node():
                others.start(INTEGRATIONS, "receiver.mjs", *await endpoint(services, "node"))
                others.start("docs/subscriptions.md", "follow.mjs", f"ws://{address}/graphql")
            for _ in range(IDLE_SECONDS):
                await asyncio.sleep(1)
                assert "rror" not in consumers.read() + others.read()
            await append(services.recorder, "b", 1)
            await until(lambda: "2 Exp" in consumers.read(), 20)
            await until(lambda: "2 Exp" in others.read() or not has_node(), 20)
            for name in ("python", "node") if has_node() else ("python",):
                await accepted(services, name, 2)
            assert await values(kafka, 2) == await entries(services)
            others.read()


async def endpoint(services: Services, name: str) -> tuple[str, str]:
    """Return the port and key of an endpoint of the tracker."""
    port = str(free_port())
    new = NewEndpoint(f"http://127.0.0.1:{port}/", name, after=0)
    added, _ = await services.endpoints.add(new, ANN)
    [key] = added.keys
    assert key.public_key
    return port, key.public_key


async def accepted(services: Services, name: str, position: int) -> None:
    """Wait until an endpoint has accepted everything up to a position."""
    async with asyncio.timeout(within(20)):
        while (await services.endpoints.get(name, ANN)).position < position:
            await asyncio.sleep(0.02)


async def values(kafka: str, count: int) -> list[bytes]:
    """Return the first messages of the topic."""
    aiokafka = pytest.importorskip("aiokafka", reason="this needs aiokafka")
    options = {"bootstrap_servers": kafka, "auto_offset_reset": "earliest"}
    async with aiokafka.AIOKafkaConsumer("minerals", **options) as reader:
        async with asyncio.timeout(within(20)):
            return [(await reader.getone()).value for _ in range(count)]


async def entries(services: Services) -> list[bytes]:
    """Return the entries of the log."""
    return [event.entry for event in await services.recorder.read(0)]
