"""Endpoints as GraphQL shows them: where each is, what is wrong, and what was done with it."""

from __future__ import annotations

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
from tracker.delivery.endpoint import EndpointState, Manager
from tracker.delivery.lag import Lag, read_lag

NEWEST = argument(description=f"At most so many of them, 0 to {MAX_PAGE_SIZE}.")


@output_type(of=delivery.Endpoint, only_spelled=True)
class EndpointFailure:
    """What is wrong with an endpoint, since something was last accepted."""

    of: strawberry.Private[delivery.Endpoint]

    failures: int = struct_field(description="How often the delivery has failed.")
    since: Instant = struct_field(
        "failing_since", description="The time of the first of these failures."
    )
    next_attempt_at: Instant | None = struct_field(
        description="The time of the next attempt, if the endpoint is active; null: at once."
    )
    error: str | None = struct_field("last_error", description="What went wrong the last time.")
    status: int | None = struct_field(
        "last_status",
        description="The status of HTTP that the receiver answered it with; null where it did not answer.",
    )


@output_type(of=Lag, only_spelled=True)
class EndpointLag:
    """How far an endpoint is behind the log."""

    of: strawberry.Private[Lag]

    head: Position = struct_field(description="The last position of the log.")
    events: int = struct_field(
        description="The number of events of its filter that wait: those after its cursor, parked ones"
        " included."
    )
    oldest_at: Instant | None = struct_field(
        description="The time at which the first of them was recorded; null where none waits."
    )

    @made_field
    def seconds(self) -> float:
        """For how long that one has waited; 0 where none waits."""
        return self.of.seconds(clock.now())


@output_type(of=delivery.Replay, only_spelled=True)
class EndpointReplay:
    """Events that are sent once more, before new ones; the cursor stays where it is."""

    of: strawberry.Private[delivery.Replay]

    first_position: Position = struct_field(name="from", description="The first position.")
    last_position: Position = struct_field(name="to", description="The last position.")
    position: Position = struct_field(description="How far it has come.")
    events: int = struct_field(description="The number of events of the endpoint's filter in it.")
    requested_at: Instant = struct_field(description="The time at which it was asked for.")


@output_type(of=delivery.EndpointKey, only_spelled=True)
class EndpointKey:
    """A public key by which receivers verify deliveries of one endpoint."""

    of: strawberry.Private[delivery.EndpointKey]

    key: str = struct_field(
        "public_key",
        description="The key as text, `whpk_` and 32 bytes in base64, as libraries of Standard Webhooks"
        " read it (Ed25519, signatures `v1a`).",
    )
    created_at: Instant = struct_field(description="The time at which it was made.")
    retires_at: Instant | None = struct_field(
        description="The time until which it signs beside its successor; null while it has none."
    )


@output_type(
    of=delivery.Attempt,
    only_spelled=True,
    first="at message_id first_position last_position events attempt accepted",
)
class DeliveryAttempt:
    """A request that was made to a receiver."""

    of: strawberry.Private[delivery.Attempt]

    at: Instant = struct_field("attempted_at", description="The time of the request.")
    message_id: str = struct_field(
        description="Its `webhook-id`: the id of the event, the same on every try; empty for the question"
        " before the first delivery whether the receiver wants any."
    )
    first_position: Position = struct_field(description="The position of the first event in it.")
    last_position: Position = struct_field(
        description="The position of the last event in it: the same, unless it is a batch."
    )
    events: int = struct_field(description="The number of events in it; 0 for that question.")
    attempt: int = struct_field(description="Which try it was: 1, 2, 3, ….")

    @made_field
    def accepted(self) -> bool:
        """Whether the receiver accepted it, with a status of 200 to 299."""
        return self.of.error is None

    duration_seconds: float = struct_field(
        description="The time until the answer was read, in seconds."
    )
    status: int | None = struct_field(
        description="The status of HTTP of the answer; null where there was none."
    )
    error: str | None = struct_field(description="What went wrong; null where it was accepted.")
    response: str | None = struct_field(description="The beginning of the answer's body.")


@output_type(of=delivery.ParkedDelivery, only_spelled=True)
class ParkedDelivery:
    """An event that a person set aside, so that those after it go on."""

    of: strawberry.Private[delivery.ParkedDelivery]

    position: Position = struct_field(description="Its position in the log.")
    parked_at: Instant = struct_field(description="The time at which it was set aside.")
    parked_by: str = struct_field(description="Who did that.")
    reason: str = struct_field(description="Why.")
    retry_at: Instant | None = struct_field(
        description="The time at which it is tried again, where somebody asked for that."
    )
    last_error: str | None = struct_field(
        description="What went wrong when it was last tried again; null where it was not."
    )

    @resolver_field
    async def event(self, info: Info) -> Event:
        """The event."""
        found = await info.context.loaders.event_at.load(self.of.position)
        assert found is not None  # only events of the log are parked
        return Event(of=found)


@output_type(of=delivery.EndpointChange, only_spelled=True)
class EndpointChange:
    """Something that was done with an endpoint, on record for good."""

    of: strawberry.Private[delivery.EndpointChange]

    at: Instant = struct_field("changed_at", description="The time at which it was done.")
    actor: str = struct_field(description="Who did it; `tracker` where a rule did.")
    action: str = struct_field(description="What was done, such as `paused`.")
    reason: str | None = struct_field(description="Why; null where nobody was asked.")
    detail: str | None = struct_field(description="With what, such as the positions of a replay.")


@output_type(
    of=delivery.Endpoint,
    only_spelled=True,
    first="name url owner state types commodities places entity max_batch_events with_proof with_hmac"
    " created_at started_after position previous_position last_accepted_at failure",
)
class Endpoint:
    """An address that events are sent to: a named cursor on the log, strictly in order. Nothing is
    lost, whatever happens to it. Only its owner and administrators see it.
    """

    of: strawberry.Private[delivery.Endpoint]

    name: str = struct_field(description="Its name, which no other endpoint has.")
    url: str = struct_field(
        "shown_url",
        description="Its address, without the query: that may hold a secret, and is never shown.",
    )
    owner: str | None = struct_field(
        description="The name of the caller who may manage it; null: administrators only."
    )
    state: EndpointState = struct_field(description="Whether events are sent to it.")
    types: list[str] | None = struct_field(
        "filter.types", description="The types of the events that are sent; null: all types."
    )
    commodities: list[str] | None = struct_field(
        "filter.commodities",
        description="The commodities that these events are about, or ones below them; null: any.",
    )
    places: list[str] | None = struct_field(
        "filter.places",
        description="The places and alliances that these events are about; null: any.",
    )
    entity: str | None = struct_field(
        "filter.entity", description="The one entity that these events are of; null: any."
    )
    max_batch_events: int = struct_field(
        description="The most events in one request; 1: no batches."
    )
    with_proof: bool = struct_field(
        description="Whether each event comes with its inclusion proof."
    )
    with_hmac: bool = struct_field(
        description="Whether deliveries are signed with a shared secret (`v1`) too, beside the key pair"
        " (`v1a`)."
    )
    created_at: Instant = struct_field(description="The time at which it was added.")
    started_after: Position = struct_field(description="The position after which it began.")
    position: Position = struct_field(
        description="The cursor: of all events up to this position, those of its filter were accepted or"
        " parked."
    )
    previous_position: Position = struct_field(
        description="The last event of its filter up to the cursor, which the next delivery names as"
        " `previousposition`; the position after which it began before there is one."
    )
    last_accepted_at: Instant | None = struct_field(
        description="The time at which something was last accepted; null: never."
    )

    @made_field
    def failure(self) -> EndpointFailure | None:
        """What is wrong; null where the last delivery was accepted, or none was tried."""
        return None if self.of.failing_since is None else EndpointFailure(of=self.of)

    replay: EndpointReplay | None = struct_field(
        description="The replay that is under way; null where none is."
    )
    parked_events: int = struct_field(
        "parked", description="The number of events that are set aside: see `parked`."
    )
    requests_per_minute: int | None = struct_field(
        "requests_a_minute",
        description="The most requests in a minute that the receiver asked for, in the handshake of"
        " CloudEvents' webhooks; null: it asked for none.",
    )

    @made_field
    def public_keys(self) -> list[EndpointKey]:
        """The public keys by which deliveries are verified, the oldest first."""
        return [EndpointKey(of=key) for key in self.of.keys if key.public_key is not None]

    @resolver_field
    async def lag(self, info: Info) -> EndpointLag:
        """How far it is behind the log."""
        recorder = info.context.services.recorder
        return EndpointLag(of=await read_lag(recorder, self.of.filter.selection, self.of.position))

    @resolver_field
    async def attempts(
        self,
        info: Info,
        failed: Annotated[bool, argument(description="Only those that failed.")] = False,
        first: Annotated[int, NEWEST] = DEFAULT_PAGE_SIZE,
    ) -> list[DeliveryAttempt]:
        """The last requests that were made, the newest first. The last 1,000 are kept."""
        kept = await info.context.services.endpoints.attempts(
            self.of.name, manager(info), parse_page(first).size, failed=failed
        )
        return [DeliveryAttempt(of=of) for of in kept]

    @resolver_field
    async def parked(
        self, info: Info, first: Annotated[int, NEWEST] = DEFAULT_PAGE_SIZE
    ) -> list[ParkedDelivery]:
        """The events that were set aside, by position."""
        size = parse_page(first).size
        aside = await info.context.services.endpoints.parked(self.of.name, manager(info))
        return [ParkedDelivery(of=of) for of in aside[:size]]

    @resolver_field
    async def changes(
        self, info: Info, first: Annotated[int, NEWEST] = DEFAULT_PAGE_SIZE
    ) -> list[EndpointChange]:
        """What was done with it, by whom and why, the newest first."""
        done = await info.context.services.endpoints.changes(
            self.of.name, manager(info), parse_page(first).size
        )
        return [EndpointChange(of=of) for of in done]


def manager(info: Info) -> Manager:
    """Who manages endpoints here. Raises Unauthenticated or Forbidden."""
    actor = info.context.require_actor(Scope.ENDPOINT)
    return Manager(actor, None if Scope.ADMIN in info.context.caller.scopes else actor)
