"""A deliverer on a log with a receiver, without the rest of a tracker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from deploy.bootstrap import open_pool
from tests.support.event_receiver import EventReceiver, receiving_events
from tests.support.writers import new
from tracker.audit.serve.proofs import ProofService
from tracker.commands.handler import Commands
from tracker.delivery.deliverer import Deliverer, DeliveryOptions
from tracker.delivery.endpoint import Endpoint, Manager, NewEndpoint
from tracker.delivery.endpoints import Endpoints
from tracker.delivery.schedule import Schedule
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import Pool, Target
from tracker.web.networks import Networks

ADMIN = Manager("ann")
HERE = Networks.parse(["127.0.0.0/8"])
QUICK = DeliveryOptions(HERE, "tracker.example", Schedule((0, 0.02, 0.03), 0.05))
PATIENT = DeliveryOptions(HERE, "tracker.example", Schedule((0, 3600), 3600))
"""Options with retries only by hand."""


@dataclass
class DeliveryFixture:
    """A log with endpoints at one receiver."""

    pool: Pool
    recorder: Recorder
    endpoints: Endpoints
    receiver: EventReceiver
    deliverer: Deliverer

    async def add(self, name: str = "a", **options: Any) -> Endpoint:
        """Add an endpoint of this name at the receiver."""
        wanted = NewEndpoint(f"{self.receiver.url}/{name}?key=secret", name, **options)
        endpoint, _ = await self.endpoints.add(wanted, ADMIN)
        return endpoint

    async def get(self, name: str = "a") -> Endpoint:
        """Return an endpoint from the database."""
        return await self.endpoints.get(name, ADMIN)

    async def append(self, count: int, name: str = "e") -> int:
        """Append events one by one, and return the last position."""
        for number in range(count):
            last = await self.recorder.append([new(f"{name}-{number}")])
        return last.positions[-1]

    @property
    def commands(self) -> Commands:
        """Return the command handler."""
        return Commands(self.recorder)


@asynccontextmanager
async def delivering(
    target: Target, options: DeliveryOptions = QUICK, receiver: EventReceiver | None = None
) -> AsyncIterator[DeliveryFixture]:
    """Deliver for the duration of a block, by default to a new receiver."""
    if receiver is None:
        async with receiving_events() as own, delivering(target, options, own) as deliveries:
            yield deliveries
        return
    async with open_pool(target, size=4) as pool:
        recorder = Recorder(pool)
        follower = Follower(recorder, target)
        deliverer = Deliverer(target, follower, ProofService(pool), options)
        async with follower, deliverer:
            endpoints = Endpoints(pool, recorder, options.networks)
            yield DeliveryFixture(pool, recorder, endpoints, receiver, deliverer)
