"""Events come to endpoints: in order, none missed, and what people decide takes effect at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.bootstrap import running_tracker
from schema.services import Services
from tests.support.event_receiver import EventReceiver, receiving_events
from tests.support.fact_builders import suspended
from tests.support.writers import new
from tracker.delivery.deliverer import DeliveryOptions
from tracker.delivery.endpoint import Endpoint, EndpointFilter, Manager, NewEndpoint
from tracker.delivery.networks import Networks
from tracker.delivery.schedule import Schedule
from tracker.postgres.database import Target

ADMIN = Manager("ann")
HERE = Networks.parse(["127.0.0.0/8"])
QUICK = DeliveryOptions(HERE, "tracker.example", Schedule((0, 0.02, 0.03), 0.05))
SUSPENDED = EndpointFilter(types=("ExportControl.Suspended",))
PATIENT = DeliveryOptions(HERE, "tracker.example", Schedule((0, 3600), 3600))
"""A failure is tried again when a person says so."""


@asynccontextmanager
async def delivering(
    target: Target, options: DeliveryOptions = QUICK
) -> AsyncIterator[tuple[Services, EventReceiver]]:
    """A tracker that delivers, and a receiver."""
    async with (
        receiving_events() as receiver,
        running_tracker(target, delivery=options) as services,
    ):
        yield services, receiver


async def add(
    services: Services, receiver: EventReceiver, name: str = "a", **options: object
) -> Endpoint:
    """Add an endpoint of this name at the receiver."""
    asked = NewEndpoint(f"{receiver.url}/{name}?key=secret", name, **options)  # type: ignore[arg-type]
    endpoint, _ = await services.endpoints.add(asked, ADMIN)
    return endpoint


async def append(services: Services, count: int, name: str = "e") -> int:
    """Append so many events; the last position."""
    for number in range(count):
        last = await services.recorder.append([new(f"{name}-{number}")])
    return last.positions[-1]


async def test_every_event_comes_in_order_and_tells_which_one_was_before(target: Target) -> None:
    async with delivering(target) as (services, receiver):
        await append(services, 30, "past")
        await add(services, receiver, after=0)
        await receiver.wait_until("a", 30)
        await append(services, 30, "new")
        await receiver.wait_until("a", 60)
        assert receiver.links("a") == [(n - 1, n) for n in range(1, 61)]
        assert receiver.got[0].id == receiver.got[0].events[0]["id"]


async def test_a_batch_has_as_many_events_as_were_asked_for_and_no_event_waits_for_others(
    target: Target,
) -> None:
    async with delivering(target) as (services, receiver):
        await append(services, 25, "past")
        await add(services, receiver, after=0, max_batch_events=10)
        await receiver.wait_until("a", 25)
        assert [len(one.events) for one in receiver.accepted["a"]] == [10, 10, 5]
        assert receiver.links("a") == [(n - 1, n) for n in range(1, 26)]
        await append(services, 1, "new")
        await receiver.wait_until("a", 26)


async def test_only_what_the_endpoint_is_for_comes_and_the_positions_before_are_of_its_filter(
    target: Target,
) -> None:
    async with delivering(target) as (services, receiver):
        await append(services, 5)
        only = EndpointFilter(entity="export-control/e-2")
        await add(services, receiver, "one", after=0, filter=only)
        await receiver.wait_until("one", 3)
        await services.commands.record("export-control/e-2", suspended("1"))
        await receiver.wait_until("one", 6)
        assert receiver.links("one") == [(0, 3), (3, 6)]
        await append(services, 3, "new")
        await add(services, receiver, "types", after=0, filter=SUSPENDED)
        await receiver.wait_until("types", 6)
        assert receiver.links("types") == [(0, 6)]
