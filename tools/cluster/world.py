"""Two trackers on a cluster under load, with their observers."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Self

import httpx2

from deploy.bootstrap import APPEND_TIMEOUT_SECONDS
from tests.faults.deliveries import ENDPOINTS, LOOPBACK, PERSON, Delivered, Receiver
from tests.faults.load import Load
from tests.faults.writers import TOKEN, Mutating, Writer
from tests.support.processes import TRACKER, Running
from tools.cluster.cluster import Cluster, cluster
from tools.cluster.followers import Auditor, Follower, Reader, Subscriber, Where
from tracker.audit.sign.keystore import KeyStore
from tracker.delivery.endpoint import NewEndpoint
from tracker.delivery.endpoints import Endpoints
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target, create_pool
from tracker.web.networks import Networks

RESTART_SECONDS = 1.0
"""Seconds before an ended tracker is restarted, as by systemd."""
START_SECONDS = 240
"""Timeout in seconds for both to serve, on an overloaded machine."""
NOWHERE = "http://127.0.0.1:9"
"""Address of a tracker that has not started yet."""


class Tracker:
    """A `tracker serve` that is restarted whenever it ends."""

    def __init__(self, name: str, directory: Path, settings: Mapping[str, str]):
        self.name = name
        self.url = NOWHERE
        self.ends: list[tuple[int, str]] = []
        """Exit codes and outputs of all ended processes."""
        self.running: Running | None = None
        self._directory = directory / name
        self._settings = {**settings, "TRACKER_AUDIT_DIR": str(self.audit_dir)}

    @property
    def audit_dir(self) -> Path:
        """Return the directory of its keys and last signed head."""
        return self._directory / "audit"

    async def keep(self) -> None:
        """Start it repeatedly until cancelled."""
        while True:
            with suppress(AssertionError):  # it ended before it served
                self.running = await asyncio.to_thread(
                    Running, "serve", data_dir=self._directory / "unused", **self._settings
                )
                self.url = self.running.url
                while self.running.process.poll() is None:
                    await asyncio.sleep(0.05)
                self.ends.append((self.running.ended(), self.running.output[-2000:]))
            await asyncio.sleep(RESTART_SECONDS)

    def stop(self) -> None:
        """Kill it."""
        if self.running and self.running.process.poll() is None:
            self.running.process.kill()
            self.running.ended()

    def last_words(self) -> str:
        """Return its output and that of its predecessors."""
        output = self.running.output[-2000:] if self.running else "it never served"
        return f"--- tracker {self.name}, after {[code for code, _ in self.ends]}\n{output}"


class ClusterUnderLoad(Load):
    """Two trackers on a cluster, with eight writers, two followers and an auditor each, and a receiver."""

    writer_kinds = (Mutating,) * 8
    pause_seconds = 0.25
    retry_seconds = 0.25

    def __init__(self, made: Cluster, hosts: str = ""):
        """Connect the trackers to the primary by a list of hosts, or by a proxy at `hosts`."""
        super().__init__()
        self.cluster = made
        settings = {
            "TRACKER_DATABASE_URL": made.url("web", hosts),
            "TRACKER_WRITE_TOKEN": TOKEN,
            "TRACKER_DELIVERY_NETWORKS": LOOPBACK,
        }
        self.trackers = [Tracker(name, made.directory, settings) for name in "ab"]
        self.http = httpx2.AsyncClient(timeout=30)
        self.followers: list[Follower] = []
        self.auditors: list[Auditor] = []
        for tracker in self.trackers:
            where = _address_of(tracker)
            self.followers += [Reader(f"SSE {tracker.name}", where)]
            self.followers += [Subscriber(f"GraphQL {tracker.name}", where)]
            self.auditors.append(Auditor(where, self.http))
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Migrate, serve, follow, and receive deliveries."""
        await asyncio.to_thread(
            _run, "migrate", TRACKER_DATABASE_URL=self.cluster.url("minerals_admin")
        )
        first, second = (tracker.audit_dir for tracker in self.trackers)
        first.parent.mkdir()
        self.key = str(KeyStore(first).load_or_create("example.org/log").verifiers[0])
        shutil.copytree(first, second)
        watching = [*self.followers, *self.auditors]
        work = [tracker.keep() for tracker in self.trackers]
        work += [each.follow() if isinstance(each, Follower) else each.fetch() for each in watching]
        self._tasks = [asyncio.create_task(each) for each in work]
        await self.until(
            lambda: all(tracker.url != NOWHERE for tracker in self.trackers),
            "both trackers serve",
            START_SECONDS,
        )
        self.pool = await create_pool(self.target, seconds=APPEND_TIMEOUT_SECONDS)
        self.recorder = Recorder(self.pool)
        await self._receive()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all parts."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for tracker in self.trackers:
            await asyncio.to_thread(tracker.stop)
        await self.receiver.stop()
        self.pool.terminate()
        await self.http.aclose()

    async def _receive(self) -> None:
        """Add an endpoint for all events."""
        new, wants = ENDPOINTS["single"]
        self.receiver = Receiver(self.cluster.directory / "kept")
        await self.receiver.start()
        endpoints = Endpoints(self.pool, self.recorder, Networks.parse([LOOPBACK]))
        endpoint = NewEndpoint(self.receiver.url, name="all", after=new.after)
        await endpoints.add(endpoint, PERSON)
        self.endpoint = Delivered(endpoint, self.receiver, wants)

    @property
    def target(self) -> Target:
        """Return the target of this process: the list of hosts."""
        return {
            "host": [node.address for node in self.cluster.nodes],
            "user": "web",
            "password": self.cluster.nodes[0].target["password"],
            "database": "minerals",
            "target_session_attrs": "read-write",
        }

    def url_for(self, writer: Writer) -> str:
        """Return one tracker for every other writer, and the other tracker for the rest."""
        return self.trackers[self.writers.index(writer) % 2].url

    def last_words(self) -> str:
        """Return the output of trackers and nodes."""
        outputs = [tracker.last_words() for tracker in self.trackers]
        return "\n".join([*outputs, self.cluster.last_words()])


def _address_of(tracker: Tracker) -> Where:
    return lambda: tracker.url


def longest_silence(acknowledged: Sequence[float], since: float) -> float:
    """Return the longest time between two consecutive acknowledgements, the second after a moment."""
    ordered = sorted(acknowledged)
    return max((b - a for a, b in pairwise(ordered) if b >= since), default=0)


def silence_after(acknowledged: Sequence[float], moment: float) -> float:
    """Return the seconds from a moment to the first acknowledgement after it."""
    return min(each for each in acknowledged if each >= moment) - moment


def _run(*arguments: str, **environment: str) -> None:
    done = subprocess.run(
        [*TRACKER, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@asynccontextmanager
async def by_hosts() -> AsyncIterator[ClusterUnderLoad]:
    """Run trackers with the list of hosts."""
    async with cluster() as made, ClusterUnderLoad(made) as world:
        yield world


@asynccontextmanager
async def by_proxy() -> AsyncIterator[ClusterUnderLoad]:
    """Run trackers with HAProxy."""
    async with cluster() as made, ClusterUnderLoad(made, made.start_proxy()) as world:
        yield world


async def slept_until(moment: float) -> None:
    """Wait for a moment of the monotonic clock."""
    await asyncio.sleep(max(moment - time.monotonic(), 0))
