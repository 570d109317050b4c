"""The deliverer: sends the events of the log to endpoints, in one server at a time.

Steps of a delivery, with their state after a crash:

1. One server takes a lease. Another server takes it when it has not been renewed in time.
2. A request is made only while the lease is held, and one at a time for each endpoint.
3. When the receiver accepts it, the cursor advances in memory. Then the next request may be made.
4. Progress of all endpoints is written together, many times a second. Deliveries whose progress is lost in a
crash are repeated with the same ids.

After a server was frozen, its lease has expired. It begins no request, and its writes are refused, because
they belong to an older epoch.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg

from tracker.audit.serve.proofs import ProofService
from tracker.delivery.endpoint import EndpointState
from tracker.delivery.endpoint_settings import delivery_state_of, parked_of, replay_of, settings_of
from tracker.delivery.endpoint_worker import DeliveryTools, EndpointWorker, Observe
from tracker.delivery.endpoints import CHANNEL
from tracker.delivery.message_builder import MessageBuilder
from tracker.delivery.progress import Progress
from tracker.delivery.schedule import STANDARD_SCHEDULE, Schedule
from tracker.delivery.selected_events import MAX_SHARED_EVENTS, SharedEvents
from tracker.delivery.sender import Sender
from tracker.delivery.summary import LEASE
from tracker.delivery.waiting_proofs import WaitingProofs
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import (
    CONNECTION_ERRORS,
    DELIVERER,
    Pool,
    Target,
    create_pool,
    named_queries,
)
from tracker.postgres.lease import LEASE_SECONDS, POOL_SETTINGS, Lease, LeaseLost
from tracker.postgres.leased_task import LeasedTask, Work
from tracker.web.networks import Networks

SQL = named_queries(Path(__file__).with_name("deliverer.sql"))

POOL_SIZE = 5
"""Database connections: lease, progress, changed endpoints, and two for endpoints that lag behind."""
POOL_TIMEOUT_SECONDS = 20
GATHERING_SECONDS = 0.02
"""Seconds in which changes by people are collected before they are read together."""
IDLE_INTERVAL_SECONDS = 2.0
"""Seconds after which the cursors of waiting endpoints advance over unselected events."""
PRUNING_INTERVAL_SECONDS = 30.0
RETRY_SECONDS = 0.5
STOP_SECONDS = 2.0
"""Seconds that requests in flight have to finish when the server stops."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeliveryOptions:
    """Options of the deliverer: network access, sender name, retry schedule and lease time."""

    networks: Networks = Networks()  # noqa: RUF009 - it never changes
    origin: str = "localhost"
    schedule: Schedule = STANDARD_SCHEDULE
    lease_seconds: float = LEASE_SECONDS
    """Seconds after which another server takes over if this one stopped without releasing the lease."""
    site: str = "http://localhost"
    """Scheme and host of links in messages to chats."""
    release: str | None = None
    """Number of this release, to which older ones leave the lease."""


class Deliverer(LeasedTask):
    """Delivers events while this process holds the lease.

    It must be created before the follower begins to listen.
    """

    name = "deliveries"

    def __init__(
        self,
        target: Target,
        follower: Follower,
        proofs: ProofService,
        options: DeliveryOptions = DeliveryOptions(),
    ):
        super().__init__()
        self._target = target
        self._follower = follower
        self._proofs = proofs
        self._options = options
        self.observe: Observe = lambda *_: None
        """Callback for each request: its result, its number of events and its duration in seconds."""
        self._changes = Changes()
        follower.listen_to(CHANNEL, self._changes.add)

    def reason_to_end(self) -> str | None:
        """Return the shown data that the log has lost, if it was set back: the server stops."""
        set_back = self._follower.durability.set_back
        return set_back and f"the log was set back: {set_back}"

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[Lease, Work]]:
        """Connect with the role of the deliverer, and open the client of the endpoints."""
        pool = await create_pool(
            self._target,
            role=DELIVERER,
            size=POOL_SIZE,
            settings=POOL_SETTINGS,
            seconds=POOL_TIMEOUT_SECONDS,
            check=self._follower.durability.check,
        )
        try:
            async with Sender(self._options.networks, self._options.origin) as sender:
                lease = Lease(pool, LEASE, self._options.lease_seconds, self._options.release)
                yield lease, partial(self._deliver, pool, sender, lease)
        finally:
            await pool.close()

    async def _deliver(self, pool: Pool, sender: Sender, lease: Lease) -> None:
        recorder = Recorder(pool, durability=self._follower.durability)
        tools = DeliveryTools(
            lease,
            sender,
            SharedEvents(recorder, self._follower),
            Progress(pool, lease),
            MessageBuilder(recorder.lookup, WaitingProofs(self._proofs), self._options.site),
            self._options.schedule,
            lambda *seen: self.observe(*seen),
        )
        await Deliveries(pool, tools, self._follower, self._changes).run()


class Changes:
    """Endpoints that people have changed and that must be reloaded."""

    def __init__(self) -> None:
        self._ids: set[int] = set()
        self._all = False
        self._came = asyncio.Event()

    def add(self, payload: str) -> None:
        """Add the endpoint of a notification by its id, or all endpoints."""
        if payload.isascii() and payload.isdecimal():
            self._ids.add(int(payload))
        else:
            self._all = True
        self._came.set()

    async def next(self) -> list[int] | None:
        """Wait for changed endpoints and return their ids; None means all."""
        await self._came.wait()
        await asyncio.sleep(GATHERING_SECONDS)
        return self.take()

    def take(self) -> list[int] | None:
        """Return the ids of the endpoints changed so far; None means all."""
        ids = None if self._all else sorted(self._ids)
        self._ids, self._all = set(), False
        self._came.clear()
        return ids


class Deliveries:
    """The deliveries of one epoch of the lease."""

    def __init__(self, pool: Pool, tools: DeliveryTools, follower: Follower, changes: Changes):
        self._pool = pool
        self._tools = tools
        self._follower = follower
        self._changes = changes
        self._workers: dict[int, EndpointWorker] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Deliver until the lease is lost, or the server stops."""
        session = self._follower.session
        self._changes.take()
        rows = await self._pool.fetch(SQL.endpoints, None)
        head = await self._tools.events.recorder.head()
        places = [row["position"] for row in rows if row["state"] == EndpointState.ACTIVE.value]
        self._tools.events.begin(
            min(head, max(min(places, default=head), head - MAX_SHARED_EVENTS))
        )
        try:
            for row in rows:
                self._take(row)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tools.events.run())
                tasks.create_task(self._write())
                tasks.create_task(self._reload())
                tasks.create_task(self._tidy(session))
        finally:
            await self._stop()

    def _take(self, row: asyncpg.Record) -> None:
        """Load an endpoint, new or already present, from the database."""
        id, worker = row["id"], self._workers.get(row["id"])
        try:
            settings = settings_of(row)
        except (
            Exception
        ):  # written by a newer version during an upgrade: other endpoints must not be delayed
            logger.exception("this version cannot read an endpoint: %s", row["name"])
            if worker:
                self._end(id)
            return
        if worker:
            # Changes by a request after the row was read are newer than the row.
            newer = id in self._tools.progress.unwritten.states
            state = None if newer else delivery_state_of(row)
            worker.update(settings, state, replay_of(row), parked_of(row))
            return
        worker = EndpointWorker(
            self._tools, settings, delivery_state_of(row), replay_of(row), parked_of(row)
        )
        self._workers[id], self._tasks[id] = worker, asyncio.create_task(worker.run())

    def _end(self, id: int) -> None:
        """Stop delivering to an endpoint."""
        del self._workers[id]
        self._tasks.pop(id).cancel()

    async def _write(self) -> None:
        while True:
            await self._tools.progress.wait()
            await _again(self._tools.progress.flush)

    async def _reload(self) -> None:
        """Reload the endpoints that people have changed."""
        while True:
            ids = await self._changes.next()
            if ids is None or ids:
                await _again(lambda ids=ids: self._update(ids))  # type: ignore[misc]

    async def _update(self, ids: Sequence[int] | None) -> None:
        async with self._tools.progress.hold():
            rows = {row["id"]: row for row in await self._pool.fetch(SQL.endpoints, ids)}
        for id in self._workers.keys() - rows.keys():
            if ids is None or id in ids:
                self._end(id)
        for row in rows.values():
            self._take(row)

    async def _tidy(self, session: int) -> None:
        """Run the periodic maintenance."""
        loop = asyncio.get_running_loop()
        pruned = loop.time()
        while True:
            await asyncio.sleep(IDLE_INTERVAL_SECONDS)
            if session != self._follower.session:  # notifications may have been missed
                session = self._follower.session
                self._changes.add("")
            for number, worker in enumerate(list(self._workers.values()), 1):
                worker.note_idle()
                if number % 100 == 0:
                    await asyncio.sleep(0)
            if loop.time() - pruned > PRUNING_INTERVAL_SECONDS:
                pruned = loop.time()
                await _again(self._tools.progress.prune)

    async def _stop(self) -> None:
        """Begin no further requests, let those in flight finish if possible, and write their results."""
        for worker in self._workers.values():
            worker.stopping = True
        sending = [self._tasks[id] for id, worker in self._workers.items() if worker.sending]
        if sending and self._tools.lease.held:
            await self._finish_requests()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._tools.lease.held:
            with suppress(*CONNECTION_ERRORS, TimeoutError, LeaseLost):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._tools.progress.flush()

    async def _finish_requests(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                while any(worker.sending for worker in self._workers.values()):
                    await asyncio.sleep(0.02)


async def _again(work: Callable[[], Awaitable[None]]) -> None:
    """Run an operation, and retry it while the database is unreachable or refuses it."""
    while True:
        try:
            await work()
            return
        except (*CONNECTION_ERRORS, TimeoutError) as error:
            logger.warning("the deliverer lost its database connection and will retry: %s", error)
            await asyncio.sleep(RETRY_SECONDS)
