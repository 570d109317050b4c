"""GraphQL types of endpoints, their deliveries and their changes."""

from typing import Annotated

import strawberry
from strawberry import argument

from schema.base.context import Info
from schema.base.decorators import resolver_field
from schema.base.output_types import made_field, output_type, struct_field
from schema.base.scalars import Instant, Position
from schema.inputs.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, parse_page
from schema.types.event import Event
from tracker import clock
from tracker.auth.scopes import Scope
from tracker.delivery import endpoint as delivery
from tracker.delivery.endpoint import Manager
from tracker.delivery.lag import Lag, read_lag

NEWEST = argument(description=f"The maximum number of items, 0 to {MAX_PAGE_SIZE}.")


@output_type(only_spelled=True, first="failures since next_attempt_at")
class EndpointFailure:
    """The failed deliveries of an endpoint since the last accepted one."""

    of: strawberry.Private[delivery.Endpoint]

    since: Instant = struct_field("failing_since")
    """The time of the first of these failures."""
    error: str | None = struct_field("last_error", description="The last error.")
    status: int | None = struct_field("last_status")
    """The HTTP status of the last response; null if there was none."""


@output_type(first="head events oldest_at")
class EndpointLag:
    """The lag of an endpoint behind the log."""

    of: strawberry.Private[Lag]

    head: Position = struct_field()

    @made_field
    def seconds(self) -> float:
        """The age of the oldest pending event in seconds; 0 if none is pending."""
        return self.of.seconds(clock.now())


@output_type(first="first_position last_position position events requested_at")
class EndpointReplay:
    """A replay of events, which are sent before new ones. The cursor does not move."""

    of: strawberry.Private[delivery.Replay]

    first_position: Position = struct_field(name="from", description="The first position.")
    last_position: Position = struct_field(name="to", description="The last position.")
    position: Position = struct_field()


@output_type(only_spelled=True, first="key created_at retires_at")
class EndpointKey:
    """A public key by which receivers verify deliveries of one endpoint."""

    of: strawberry.Private[delivery.EndpointKey]

    key: str = struct_field("public_key")
    """The key as text, `whpk_` and 32 bytes in base64, as libraries of Standard Webhooks read it (Ed25519,
    signatures `v1a`)."""


@output_type(
    only_spelled=True,
    first="at message_id first_position last_position events attempt accepted duration_seconds "
    "status error response",
)
class DeliveryAttempt:
    """A request to a receiver."""

    of: strawberry.Private[delivery.Attempt]

    at: Instant = struct_field("attempted_at", description="The time of the request.")
    first_position: Position = struct_field()
    last_position: Position = struct_field()

    @made_field
    def accepted(self) -> bool:
        """Whether the receiver accepted it, with a status of 200 to 299."""
        return self.of.error is None


@output_type(only_spelled=True, first="position parked_at parked_by reason retry_at last_error")
class ParkedDelivery:
    """An event that a person set aside, so that later events are delivered."""

    of: strawberry.Private[delivery.ParkedDelivery]

    position: Position = struct_field()

    @resolver_field
    async def event(self, info: Info) -> Event:
        """The event."""
        event = await info.context.loaders.event_at.load(self.of.position)
        assert event is not None  # parked events are always in the log
        return Event(of=event)


@output_type(only_spelled=True, first="at actor action reason detail")
class EndpointChange:
    """A permanent record of an action on an endpoint."""

    of: strawberry.Private[delivery.EndpointChange]

    at: Instant = struct_field("changed_at", description="The time of the action.")


@output_type(
    only_spelled=True,
    first="name url owner state types commodities places entity format max_batch_events with_proof "
    "with_hmac created_at started_after position previous_position last_accepted_at failure",
)
class Endpoint:
    """An address that events are sent to: a named cursor on the log, strictly in order. No event is
    lost. Only its owner and administrators see it."""

    of: strawberry.Private[delivery.Endpoint]

    url: str = struct_field("shown_url")
    """Its address, without the query and, for a chat, the path: they may contain a secret and are never
    shown."""
    types: list[str] | None = struct_field("filter.types")
    """The types of the events; null: all types."""
    commodities: list[str] | None = struct_field("filter.commodities")
    """The commodities of the events, including those below them; null: any."""
    places: list[str] | None = struct_field("filter.places")
    """The places and alliances of the events; null: any."""
    entity: str | None = struct_field("filter.entity")
    """The only entity of the events; null: any."""
    started_after: Position = struct_field()
    position: Position = struct_field()
    previous_position: Position = struct_field()

    @made_field
    def failure(self) -> EndpointFailure | None:
        """The failure; null if the last delivery was accepted, or none was attempted."""
        return None if self.of.failing_since is None else EndpointFailure(of=self.of)

    replay: EndpointReplay | None = struct_field()
    parked_events: int = struct_field("parked")
    """The number of parked events: see `parked`."""
    requests_per_minute: int | None = struct_field("requests_a_minute")
    """The rate limit of the receiver in requests per minute, from the handshake of CloudEvents' webhooks;
    null: none."""

    @made_field
    def public_keys(self) -> list[EndpointKey]:
        """The public keys that verify deliveries, the oldest first."""
        return [EndpointKey(of=key) for key in self.of.keys if key.public_key is not None]

    @resolver_field
    async def lag(self, info: Info) -> EndpointLag:
        """Its lag behind the log."""
        recorder = info.context.services.recorder
        return EndpointLag(of=await read_lag(recorder, self.of.filter.selection, self.of.position))

    @resolver_field
    async def attempts(
        self, info: Info, failed: bool = False, first: Annotated[int, NEWEST] = DEFAULT_PAGE_SIZE
    ) -> list[DeliveryAttempt]:
        """The last requests, the newest first. The last 1,000 are stored.

        - failed: Only failed attempts.
        """
        recorded = await info.context.services.endpoints.attempts(
            self.of.name, manager(info), parse_page(first).size, failed=failed
        )
        return [DeliveryAttempt(of=of) for of in recorded]

    @resolver_field
    async def parked(
        self, info: Info, first: Annotated[int, NEWEST] = DEFAULT_PAGE_SIZE
    ) -> list[ParkedDelivery]:
        """The parked events, by position."""
        size = parse_page(first).size
        aside = await info.context.services.endpoints.parked(self.of.name, manager(info))
        return [ParkedDelivery(of=of) for of in aside[:size]]

    @resolver_field
    async def changes(
        self, info: Info, first: Annotated[int, NEWEST] = DEFAULT_PAGE_SIZE
    ) -> list[EndpointChange]:
        """The actions on the endpoint with their actors and reasons, the newest first."""
        done = await info.context.services.endpoints.changes(
            self.of.name, manager(info), parse_page(first).size
        )
        return [EndpointChange(of=of) for of in done]


def manager(info: Info) -> Manager:
    """Return the caller who manages endpoints. Raises Unauthenticated or Forbidden."""
    actor = info.context.require_actor(Scope.ENDPOINT)
    return Manager(actor, None if Scope.ADMIN in info.context.caller.scopes else actor)
