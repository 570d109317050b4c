"""The programs for brokers in docs/brokers.md work as described."""

import asyncio
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from schema.services import Access, Services
from tests.support.documents import Program, block, running_program
from tests.support.kafka_broker import running_kafka
from tests.support.nats_server import running_nats
from tests.support.relays import append, reached, running, until
from tests.support.time_limits import within
from tests.support.web_server import serving
from tracker.delivery.relay.jetstream import StreamOptions, headers_of, subject_of
from tracker.delivery.relay.sink import LinkedEvent
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "brokers.md").read_text(encoding="utf-8")
EVENTS = 700


def program(name: str, directory: Path, *arguments: str) -> AbstractContextManager[Program]:
    """Run a program of the page in a separate process."""
    text = block("docs/brokers.md", "python", f'"""python {name} ')
    return running_program(directory, name, text, *arguments)


async def test_the_consumer_has_each_event_once_also_when_the_stream_was_filled_again(
    target: Target, recorder: Recorder, tmp_path: Path
) -> None:
    async with running_nats() as broker, running(target, broker.url):
        await append(recorder, "a", 5)
        await reached(broker, 5)
        broker.back_up()
        with program("consumer.py", tmp_path, broker.url) as consumer:
            await append(recorder, "b", 5)
            await until(lambda: consumer.read().count("\n") == 10)
            broker.restore()
            await append(recorder, "c", 5)
            await until(lambda: "15 " in consumer.read())
            printed = re.findall(r"^(\d+) ExportControl\.Announced$", consumer.read(), re.MULTILINE)
    assert [*map(int, printed)] == [*range(1, 16)]


async def test_the_consumer_ends_where_an_event_is_missing(
    target: Target, recorder: Recorder, tmp_path: Path
) -> None:
    await append(recorder, "a", 9)
    async with running_nats() as broker, broker.jetstream() as jetstream:
        await jetstream.add_stream(name="MINERALS", subjects=["minerals.>"])
        async with running(target, broker.url):
            await reached(broker, 9)
        await jetstream.delete_msg("MINERALS", 5)
        with program("consumer.py", tmp_path, broker.url) as consumer:
            said = consumer.output
            await until(lambda: "events are missing after 4: " in said.read_text())


async def test_the_relay_to_kafka_goes_on_behind_the_last_event_of_its_topic(
    services: Services, tmp_path: Path
) -> None:
    aiokafka = pytest.importorskip("aiokafka", reason="this needs aiokafka")
    await append(services.recorder, "a", EVENTS)
    with running_kafka() as servers:
        partition = aiokafka.TopicPartition("minerals", 0)
        async with (
            serving(services, Access()) as (address, *_),
            aiokafka.AIOKafkaConsumer(bootstrap_servers=servers) as reader,
        ):
            reader.assign([partition])
            await reader.seek_to_beginning(partition)
            arguments = tmp_path, f"http://{address}", servers, "minerals"
            with program("kafka_relay.py", *arguments):
                found = await received(reader, 300)
            head = (await reader.end_offsets([partition]))[partition]
            found += await received(reader, head - len(found))  # sent before it was killed
            with program("kafka_relay.py", *arguments):
                found += await received(reader, EVENTS - len(found))
    entries = [event.entry for event in await services.recorder.read(0, limit=EVENTS)]
    assert [message.value for message in found] == entries
    assert found[-1].headers == (("content-type", b"application/cloudevents+json"),)


async def received(reader: Any, count: int) -> list[Any]:
    """Return the next messages."""
    async with asyncio.timeout(within(15)):
        return [await reader.getone() for _ in range(count)]


async def test_the_table_has_the_headers_of_a_message_and_no_others(recorder: Recorder) -> None:
    await append(recorder, "a", 1)
    [event] = await recorder.read(0)
    table = set(re.findall(r"^\| `([A-Z][A-Za-z-]+)` \|", PAGE, re.MULTILINE))
    assert table == headers_of(LinkedEvent(event, 0), StreamOptions("r"), 0).keys()
    assert f"`{subject_of('minerals', 'ExportControl.Suspended')}`" in PAGE


def test_the_unit_of_the_relay_is_as_closed_as_that_of_the_server() -> None:
    server, relay = (
        unit((ROOT / "deploy" / "manifests" / "systemd" / name).read_text(encoding="utf-8"))
        for name in ("tracker.service", "tracker-relay.service")
    )
    assert "NoNewPrivileges" in server
    assert relay == server


def unit(text: str) -> dict[str, list[str]]:
    """Return the sandbox settings of a unit, from its user on. A name may occur several times."""
    section = text[text.index("User=") : text.index("[Install]")]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", section, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found
