"""Endpoints as GraphQL shows them: where each is, what is wrong, and what was done with it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import argument, field

from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.scalars import Instant, Position
from schema.inputs.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, parse_page
from schema.types.event import Event, event
from tracker import clock
from tracker.auth.scopes import Scope
from tracker.delivery import endpoint as delivery
from tracker.delivery.endpoint import EndpointState, Manager
from tracker.delivery.lag import Lag, read_lag

NEWEST = argument(description=f"At most so many of them, 0 to {MAX_PAGE_SIZE}.")


@object_type
class EndpointFailure:
    """What is wrong with an endpoint, since something was last accepted."""

    failures: int = field(description="How often the delivery has failed.")
    since: Instant = field(description="The time of the first of these failures.")
    next_attempt_at: Instant | None = field(
        description="The time of the next attempt, if the endpoint is active; null: at once."
    )
    error: str | None = field(description="What went wrong the last time.")
    status: int | None = field(
        description="The status of HTTP that the receiver answered it with; null where it did not answer."
    )


@object_type
class EndpointLag:
    """How far an endpoint is behind the log."""

    head: Position = field(description="The last position of the log.")
    events: int = field(
        description="The number of events of its filter that wait: those after its cursor, parked ones"
        " included."
    )
    oldest_at: Instant | None = field(
        description="The time at which the first of them was recorded; null where none waits."
    )
    seconds: float = field(description="For how long that one has waited; 0 where none waits.")


@object_type
class EndpointReplay:
    """Events that are sent once more, before new ones; the cursor stays where it is."""

    first_position: Position = field(name="from", description="The first position.")
    last_position: Position = field(name="to", description="The last position.")
    position: Position = field(description="How far it has come.")
    events: int = field(description="The number of events of the endpoint's filter in it.")
    requested_at: Instant = field(description="The time at which it was asked for.")


@object_type
class EndpointKey:
    """A public key by which receivers verify deliveries of one endpoint."""

    key: str = field(
        description="The key as text, `whpk_` and 32 bytes in base64, as libraries of Standard Webhooks"
        " read it (Ed25519, signatures `v1a`)."
    )
    created_at: Instant = field(description="The time at which it was made.")
    retires_at: Instant | None = field(
        description="The time until which it signs beside its successor; null while it has none."
    )


@object_type
class DeliveryAttempt:
    """A request that was made to a receiver."""

    at: Instant = field(description="The time of the request.")
    message_id: str = field(
        description="Its `webhook-id`: the id of the event, the same on every try; empty for the question"
        " before the first delivery whether the receiver wants any."
    )
    first_position: Position = field(description="The position of the first event in it.")
    last_position: Position = field(
        description="The position of the last event in it: the same, unless it is a batch."
    )
    events: int = field(description="The number of events in it; 0 for that question.")
    attempt: int = field(description="Which try it was: 1, 2, 3, ….")
    accepted: bool = field(
        description="Whether the receiver accepted it, with a status of 200 to 299."
    )
    duration_seconds: float = field(description="The time until the answer was read, in seconds.")
    status: int | None = field(
        description="The status of HTTP of the answer; null where there was none."
    )
    error: str | None = field(description="What went wrong; null where it was accepted.")
    response: str | None = field(description="The beginning of the answer's body.")


@object_type
class ParkedDelivery:
    """An event that a person set aside, so that those after it go on."""

    position: Position = field(description="Its position in the log.")
    parked_at: Instant = field(description="The time at which it was set aside.")
    parked_by: str = field(description="Who did that.")
    reason: str = field(description="Why.")
    retry_at: Instant | None = field(
        description="The time at which it is tried again, where somebody asked for that."
    )
    last_error: str | None = field(
        description="What went wrong when it was last tried again; null where it was not."
    )

    @resolver_field
    async def event(self, info: Info) -> Event:
        """The event."""
        found = await info.context.loaders.event_at.load(int(self.position))
        assert found is not None  # only events of the log are parked
        return event(found)


@object_type
class EndpointChange:
    """Something that was done with an endpoint, on record for good."""

    at: Instant = field(description="The time at which it was done.")
    actor: str = field(description="Who did it; `tracker` where a rule did.")
    action: str = field(description="What was done, such as `paused`.")
    reason: str | None = field(description="Why; null where nobody was asked.")
    detail: str | None = field(description="With what, such as the positions of a replay.")


@object_type
class Endpoint:
    """An address that events are sent to: a named cursor on the log, strictly in order. Nothing is
    lost, whatever happens to it. Only its owner and administrators see it.
    """

    of: strawberry.Private[delivery.Endpoint]

    name: str = field(description="Its name, which no other endpoint has.")
    url: str = field(
        description="Its address, without the query: that may hold a secret, and is never shown."
    )
    owner: str | None = field(
        description="The name of the caller who may manage it; null: administrators only."
    )
    state: EndpointState = field(description="Whether events are sent to it.")
    types: list[str] | None = field(
        description="The types of the events that are sent; null: all types."
    )
    commodities: list[str] | None = field(
        description="The commodities that these events are about, or ones below them; null: any."
    )
    places: list[str] | None = field(
        description="The places and alliances that these events are about; null: any."
    )
    entity: str | None = field(description="The one entity that these events are of; null: any.")
    max_batch_events: int = field(description="The most events in one request; 1: no batches.")
    with_proof: bool = field(description="Whether each event comes with its inclusion proof.")
    with_hmac: bool = field(
        description="Whether deliveries are signed with a shared secret (`v1`) too, beside the key pair"
        " (`v1a`)."
    )
    created_at: Instant = field(description="The time at which it was added.")
    started_after: Position = field(description="The position after which it began.")
    position: Position = field(
        description="The cursor: of all events up to this position, those of its filter were accepted or"
        " parked."
    )
    previous_position: Position = field(
        description="The last event of its filter up to the cursor, which the next delivery names as"
        " `previousposition`; the position after which it began before there is one."
    )
    last_accepted_at: Instant | None = field(
        description="The time at which something was last accepted; null: never."
    )
    failure: EndpointFailure | None = field(
        description="What is wrong; null where the last delivery was accepted, or none was tried."
    )
    replay: EndpointReplay | None = field(
        description="The replay that is under way; null where none is."
    )
    parked_events: int = field(description="The number of events that are set aside: see `parked`.")
    requests_per_minute: int | None = field(
        description="The most requests in a minute that the receiver asked for, in the handshake of"
        " CloudEvents' webhooks; null: it asked for none."
    )
    public_keys: list[EndpointKey] = field(
        description="The public keys by which deliveries are verified, the oldest first."
    )

    @resolver_field
    async def lag(self, info: Info) -> EndpointLag:
        """How far it is behind the log."""
        recorder = info.context.services.recorder
        return _lag(await read_lag(recorder, self.of.filter.selection, self.of.position))

    @resolver_field
    async def attempts(
        self,
        info: Info,
        failed: Annotated[bool, argument(description="Only those that failed.")] = False,
        first: Annotated[int, NEWEST] = DEFAULT_PAGE_SIZE,
    ) -> list[DeliveryAttempt]:
        """The last requests that were made, the newest first. The last 1,000 are kept."""
        kept = await info.context.services.endpoints.attempts(
            self.name, manager(info), parse_page(first).size, failed=failed
        )
        return [_attempt(of) for of in kept]

    @resolver_field
    async def parked(
        self, info: Info, first: Annotated[int, NEWEST] = DEFAULT_PAGE_SIZE
    ) -> list[ParkedDelivery]:
        """The events that were set aside, by position."""
        size = parse_page(first).size
        aside = await info.context.services.endpoints.parked(self.name, manager(info))
        return [_parked(of) for of in aside[:size]]

    @resolver_field
    async def changes(
        self, info: Info, first: Annotated[int, NEWEST] = DEFAULT_PAGE_SIZE
    ) -> list[EndpointChange]:
        """What was done with it, by whom and why, the newest first."""
        done = await info.context.services.endpoints.changes(
            self.name, manager(info), parse_page(first).size
        )
        return [_change(of) for of in done]


def manager(info: Info) -> Manager:
    """Who manages endpoints here. Raises Unauthenticated or Forbidden."""
    actor = info.context.require_actor(Scope.ENDPOINT)
    return Manager(actor, None if Scope.ADMIN in info.context.caller.scopes else actor)


def endpoint(of: delivery.Endpoint) -> Endpoint:
    """The GraphQL type of an endpoint. It has no secret of it."""
    wanted = of.filter
    return Endpoint(
        of=of,
        name=of.name,
        url=of.shown_url,
        owner=of.owner,
        state=of.state,
        types=None if wanted.types is None else list(wanted.types),
        commodities=None if wanted.commodities is None else list(wanted.commodities),
        places=None if wanted.places is None else list(wanted.places),
        entity=wanted.entity,
        max_batch_events=of.max_batch_events,
        with_proof=of.with_proof,
        with_hmac=of.with_hmac,
        created_at=_instant(of.created_at),
        started_after=_position(of.started_after),
        position=_position(of.position),
        previous_position=_position(of.previous_position),
        last_accepted_at=_maybe(of.last_accepted_at),
        failure=_failure(of),
        replay=None if of.replay is None else _replay(of.replay),
        parked_events=of.parked,
        requests_per_minute=of.requests_a_minute,
        public_keys=[_key(key, key.public_key) for key in of.keys if key.public_key is not None],
    )


def _failure(of: delivery.Endpoint) -> EndpointFailure | None:
    if of.failing_since is None:
        return None
    return EndpointFailure(
        failures=of.failures,
        since=_instant(of.failing_since),
        next_attempt_at=_maybe(of.next_attempt_at),
        error=of.last_error,
        status=of.last_status,
    )


def _lag(of: Lag) -> EndpointLag:
    return EndpointLag(
        head=_position(of.head),
        events=of.events,
        oldest_at=_maybe(of.oldest_at),
        seconds=of.seconds(clock.now()),
    )


def _replay(of: delivery.Replay) -> EndpointReplay:
    return EndpointReplay(
        first_position=_position(of.first_position),
        last_position=_position(of.last_position),
        position=_position(of.position),
        events=of.events,
        requested_at=_instant(of.requested_at),
    )


def _key(of: delivery.EndpointKey, key: str) -> EndpointKey:
    return EndpointKey(
        key=key, created_at=_instant(of.created_at), retires_at=_maybe(of.retires_at)
    )


def _attempt(of: delivery.Attempt) -> DeliveryAttempt:
    return DeliveryAttempt(
        at=_instant(of.attempted_at),
        message_id=of.message_id,
        first_position=_position(of.first_position),
        last_position=_position(of.last_position),
        events=of.events,
        attempt=of.attempt,
        accepted=of.error is None,
        duration_seconds=of.duration_seconds,
        status=of.status,
        error=of.error,
        response=of.response,
    )


def _parked(of: delivery.ParkedDelivery) -> ParkedDelivery:
    return ParkedDelivery(
        position=_position(of.position),
        parked_at=_instant(of.parked_at),
        parked_by=of.parked_by,
        reason=of.reason,
        retry_at=_maybe(of.retry_at),
        last_error=of.last_error,
    )


def _change(of: delivery.EndpointChange) -> EndpointChange:
    return EndpointChange(
        at=_instant(of.changed_at),
        actor=of.actor,
        action=of.action,
        reason=of.reason,
        detail=of.detail,
    )


def _position(of: int) -> Position:
    return Position(str(of))


def _instant(of: datetime) -> Instant:
    return Instant(of)  # type: ignore[arg-type]  # the scalar writes it


def _maybe(of: datetime | None) -> Instant | None:
    return None if of is None else _instant(of)
