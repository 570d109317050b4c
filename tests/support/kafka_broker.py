"""The test broker of librdkafka: it speaks Kafka's protocol over TCP, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.time_limits import within


@contextmanager
def running_kafka() -> Iterator[str]:
    """Run a broker for the duration of a block and yield its address; topics are created on demand."""
    kafka = pytest.importorskip("confluent_kafka", reason="this needs confluent-kafka")
    owner = kafka.Producer(
        {
            "bootstrap.servers": "ignored:1",
            "test.mock.num.brokers": 1,
            "log_level": 2,  # it warns that it is for tests
        }
    )
    [broker] = owner.list_topics(timeout=within(10)).brokers.values()
    yield f"{broker.host}:{broker.port}"
    owner.flush(0)
