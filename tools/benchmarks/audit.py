"""Cost of the audit log: appends beside a publisher, publishing, proofs.

    python -m tools.benchmarks.audit [--rounds 3] [--seconds 3] [--only KEY…] [--write PAGE]

Appends are measured without a publisher, with a publisher (this log), and with entry hashes in a generated
column, which this log does not have. Proofs are the median of many, each for a random event in a log of a
million.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from deploy.bootstrap import open_connection, open_pool, running_publisher
from tests.support.published_log import fill, publisher
from tools.benchmarks.appending import recorder
from tools.benchmarks.harness import OURS, Column, Table, main
from tools.benchmarks.load import BYTES, Load
from tracker.audit.serve.proofs import ProofService
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import Publisher, SigningOptions
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import PUBLISHER, Target

MANY = 1_000_000
PROOFS = 200
COLUMN = """ALTER TABLE log.events
            ADD leaf bytea GENERATED ALWAYS AS (sha256('\\x00'::bytea || entry)) STORED"""


async def published(target: Target, load: Load) -> float:
    """Measure appends beside a publisher."""
    with tempfile.TemporaryDirectory() as directory:
        async with (
            open_pool(target) as pool,
            Follower(Recorder(pool), target) as follower,
            running_publisher(target, follower, SigningOptions(KeyStore(Path(directory)))),
        ):
            return await recorder(target, load)


async def hashed(target: Target, load: Load) -> float:
    """Measure appends to a table with a column of hashes."""
    async with open_connection(target) as connection:
        await connection.execute(COLUMN)
    return await recorder(target, load)


@asynccontextmanager
async def publisher_of(target: Target) -> AsyncIterator[Publisher]:
    """Run a publisher that publishes on request."""
    with tempfile.TemporaryDirectory() as directory:
        keystore = KeyStore(Path(directory))
        keystore.load_or_create()
        async with open_pool(target, role=PUBLISHER) as pool:
            yield publisher(pool, target, keystore)


async def publish(target: Target, events: int, before: int = 0) -> float:
    """Return the milliseconds from append to publication of `events` events after `before` others."""
    async with publisher_of(target) as publishing:
        await fill(target, before, bytes=BYTES)
        await publishing.catch_up()
        await fill(target, events, bytes=BYTES)
        started = time.perf_counter()
        await publishing.catch_up()
        return (time.perf_counter() - started) * 1000


async def prove(target: Target, events: int) -> float:
    """Return the median milliseconds of the proof of one event."""
    async with publisher_of(target) as publishing, open_pool(target) as pool:
        await fill(target, events, bytes=BYTES)
        await publishing.catch_up()
        publications, taken = ProofService(pool), []
        for _ in range(PROOFS):
            position = random.randint(1, events)
            started = time.perf_counter()
            await publications.inclusion(position)
            taken.append((time.perf_counter() - started) * 1000)
        return statistics.median(taken)


def tables(seconds: float, many: int = MANY) -> Sequence[Table]:
    """Return the measured tables."""
    loads = {"append": Load(seconds=seconds), "append-16": Load(16, seconds=seconds)}
    return [
        Table(
            "appends a second",
            [
                Column(
                    key,
                    load.title,
                    {
                        OURS: partial(published, load=load),
                        "without a publisher": partial(recorder, load=load),
                        "hashes in a column": partial(hashed, load=load),
                    },
                )
                for key, load in loads.items()
            ],
        ),
        Table(
            "milliseconds",
            [
                Column(
                    "publish-1", "publish 1 event", {OURS: partial(publish, events=1, before=999)}
                ),
                Column(
                    "publish-10000",
                    "publish 10,000",
                    {OURS: partial(publish, events=10_000, before=999)},
                ),
                Column("prove", f"prove one of {many:,}", {OURS: partial(prove, events=many)}),
            ],
            digits=1,
        ),
    ]


if __name__ == "__main__":
    main("audit", __doc__, tables)
