"""Queries and mutations of endpoints for their owners."""

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Annotated, Any

from strawberry import argument, field

from projections.query.lists import Keyed
from schema.base.context import Info
from schema.base.decorators import input_object, object_type, resolver_field
from schema.base.scalars import Position
from schema.inputs.arguments import parse_position, parse_required_position
from schema.inputs.endpoint_filter import parse_endpoint_filter
from schema.inputs.input_types import check_text
from schema.inputs.order_by import KeyOrder
from schema.root.commands import input_errors, scoped_mutations
from schema.types.connection import PageSource, shown_pages
from schema.types.endpoint import Endpoint, manager
from schema.types.list_field import list_field
from tracker.delivery import endpoint as delivery
from tracker.delivery.endpoint import (
    MAX_BATCH_EVENTS,
    MAX_FILTER_WORDS,
    MAX_NAME_CHARACTERS,
    SLACK_EVENTS,
    TEAMS_EVENTS,
    EndpointFormat,
    EndpointState,
    Manager,
    NewEndpoint,
)
from tracker.delivery.endpoints import DEFAULT_OVERLAP_HOURS, MAX_OVERLAP_HOURS, Endpoints
from tracker.errors import Forbidden, NotFound

NAME = "Its name, as in `endpoints`."
REASON = "The reason. It is stored with the name of the caller."
NEW = argument(description="The endpoint to add.")
ORDER = argument(description="The endpoint, with the reason.")
NEEDS_SCOPE = "Needs a token of scope `endpoint`; for endpoints of other owners, of scope `admin`."


@object_type
class EndpointQueries:
    """Queries of owners of endpoints."""

    @list_field(Endpoint, KeyOrder)
    async def endpoints(
        self, info: Info, order: Enum, owner: str | None = None, state: EndpointState | None = None
    ) -> PageSource[Endpoint]:
        """The endpoints that the caller may manage: its own, and with scope `admin` all. Their keys are
        their names. Needs a token of scope `endpoint`.

        - owner: Only endpoints of this owner: the name of a caller.
        - state: Only endpoints in this state.
        """
        mine = await info.context.services.endpoints.all(manager(info))
        keyed: list[Keyed[delivery.Endpoint]] = [
            ((of.name,), of)
            for of in mine
            if state in (None, of.state) and owner in (None, of.owner)
        ]
        return shown_pages(keyed, lambda of: Endpoint(of=of), "endpoints", order.value.down)

    @resolver_field
    async def endpoint(self, info: Info, name: Annotated[str, NAME]) -> Endpoint | None:
        """One endpoint; null if the caller may manage none with this name. Needs a token of scope
        `endpoint`."""
        caller = manager(info)
        try:
            return Endpoint(of=await info.context.services.endpoints.get(name, caller))
        except NotFound:
            return None


@input_object
class AddEndpointInput:
    """Adds an endpoint: an address that events are sent to from now on, one after the other, signed
    according to Standard Webhooks."""

    url: str
    """The address, with https. Private networks are refused, unless the operator allows them."""
    name: str | None = field(
        description=f"A unique name of at most {MAX_NAME_CHARACTERS} of a to z, digits, `.`,"
        " `_` and `-`. The host of the address if left out.",
        default=None,
    )
    after: Position | None = None
    """The position after which its events begin; the last of the log if left out, and 0 for all events."""
    types: list[str] | None = field(
        description="Only events of these types, such as `ExportControl.Suspended`; at most"
        f" {MAX_FILTER_WORDS}, like the other lists.",
        default=None,
    )
    commodities: list[str] | None = None
    """Only events about one of these commodities, or one below it, as in `events`."""
    places: list[str] | None = None
    """Only events about one of these places or alliances, as in `events`."""
    entity: str | None = None
    """Only events of this entity, such as `alliance/quad`. It need not exist yet."""
    format: EndpointFormat = EndpointFormat.EVENTS
    """The format of deliveries: the events, or messages for a chat."""
    max_batch_events: int = field(
        description=f"The maximum number of events in one request, up to {MAX_BATCH_EVENTS};"
        f" up to {SLACK_EVENTS} with the format `SLACK`, {TEAMS_EVENTS} with `TEAMS`."
        " In the format `EVENTS`, 1 sends each event alone (`application/cloudevents+json`), and a"
        " higher number sends lists (`application/cloudevents-batch+json`).",
        default=1,
    )
    with_proof: bool = False
    """Whether each event includes its inclusion proof, as soon as a checkpoint includes the event. Messages
    for a chat have none."""
    with_hmac: bool = False
    """Whether to sign with a shared secret too (`v1`), for libraries without Ed25519 (`v1a`)."""
    owner: str | None = None
    """The name of the caller who may manage it; the caller itself if left out. Another name needs scope
    `admin`."""
    reason: str | None = None
    """The purpose. It is stored with the name of the caller."""


@input_object
class EndpointActionInput:
    """An endpoint, with the reason of an action."""

    name: str = field(description=NAME)
    reason: str = field(description=REASON)


@input_object
class ReplayEndpointInput:
    """Sends past events of an endpoint's filter again, before new ones. Its cursor does not move."""

    name: str = field(description=NAME)
    first_position: Position = field(name="from", description="The first position.")
    last_position: Position | None = field(name="to", default=None)
    """The last position; the cursor if left out."""
    reason: str = field(description=REASON)


@input_object
class ParkDeliveryInput:
    """Sets one event aside, so that later events are delivered."""

    name: str = field(description=NAME)
    position: Position = field(description="The position of an event of its filter.")
    reason: str = field(description=REASON)


@input_object
class RetryDeliveryInput:
    """Retries a delivery now."""

    name: str = field(description=NAME)
    position: Position | None = None
    """The position of a parked event; if left out, the delivery that fails."""
    reason: str = field(description=REASON)


@input_object
class RotateEndpointKeysInput:
    """Replaces the keys that sign the deliveries of an endpoint."""

    name: str = field(description=NAME)
    overlap_hours: int = field(
        description="The number of hours for which the old keys sign beside the new ones, up"
        f" to {MAX_OVERLAP_HOURS}; 0 if they were stolen.",
        default=DEFAULT_OVERLAP_HOURS,
    )
    reason: str = field(description=REASON)


@object_type
class EndpointResult:
    """The result of a mutation of an endpoint."""

    endpoint: Endpoint = field(description="The endpoint after the mutation.")


@object_type
class EndpointSecretResult(EndpointResult):
    """The result of a mutation that creates keys."""

    secret: str | None
    """The shared secret, `whsec_…`, if signatures with one were requested. It is shown only once."""


@object_type
class RemoveEndpointResult:
    """The result of removing an endpoint."""

    name: str = field(description="Its name.")


async def add_endpoint(info: Info, input: Annotated[AddEndpointInput, NEW]) -> EndpointSecretResult:
    """Adds an endpoint. The secret in the result is shown only once."""
    caller = manager(info)
    with input_errors():
        new = NewEndpoint(
            url=_text(input.url, "url"),
            name=None if input.name is None else _text(input.name, "name"),
            after=parse_position(input.after, "after"),
            filter=parse_endpoint_filter(
                input.types, input.commodities, input.places, input.entity
            ),
            format=input.format,
            max_batch_events=input.max_batch_events,
            with_proof=input.with_proof,
            with_hmac=input.with_hmac,
            owner=_owner(caller, input.owner),
        )
        added, secret = await info.context.services.endpoints.add(new, caller, input.reason)
    return EndpointSecretResult(endpoint=Endpoint(of=added), secret=secret)


async def pause_endpoint(
    info: Info, input: Annotated[EndpointActionInput, ORDER]
) -> EndpointResult:
    """Stops the deliveries to an active endpoint. Its cursor is kept without a time limit."""
    return await _act(info, input, Endpoints.pause)


async def resume_endpoint(
    info: Info, input: Annotated[EndpointActionInput, ORDER]
) -> EndpointResult:
    """Resumes at once the deliveries to a paused, disabled or failing endpoint, from its cursor."""
    return await _act(info, input, Endpoints.resume)


async def replay_endpoint(
    info: Info, input: Annotated[ReplayEndpointInput, ORDER]
) -> EndpointResult:
    """Sends past events again. It replaces an unfinished replay. Receivers recognise the events by their
    positions, and the ids are the original ones."""
    return await _act(
        info,
        input,
        lambda endpoints, name, caller, reason: endpoints.replay(
            name,
            caller,
            parse_required_position(input.first_position, "from"),
            parse_position(input.last_position, "to"),
            reason,
        ),
    )


async def end_replay(info: Info, input: Annotated[EndpointActionInput, ORDER]) -> EndpointResult:
    """Cancels an unfinished replay; new events are delivered."""
    return await _act(info, input, Endpoints.end_replay)


async def park_delivery(info: Info, input: Annotated[ParkDeliveryInput, ORDER]) -> EndpointResult:
    """Sets one pending event aside, so that later events are delivered. `retryDelivery` sends it."""
    return await _act(
        info,
        input,
        lambda endpoints, name, caller, reason: endpoints.park(
            name, caller, parse_required_position(input.position, "position"), reason
        ),
    )


async def retry_delivery(info: Info, input: Annotated[RetryDeliveryInput, ORDER]) -> EndpointResult:
    """Retries a delivery now: the one that fails, or a parked one."""
    return await _act(
        info,
        input,
        lambda endpoints, name, caller, reason: endpoints.retry(
            name, caller, parse_position(input.position, "position"), reason
        ),
    )


async def rotate_endpoint_keys(
    info: Info, input: Annotated[RotateEndpointKeysInput, ORDER]
) -> EndpointSecretResult:
    """Replaces the keys of an endpoint. During the overlap, deliveries have signatures of both."""
    caller = manager(info)
    with input_errors():
        rotated, secret = await info.context.services.endpoints.rotate(
            input.name, caller, input.overlap_hours, _text(input.reason, "reason")
        )
    return EndpointSecretResult(endpoint=Endpoint(of=rotated), secret=secret)


async def remove_endpoint(
    info: Info, input: Annotated[EndpointActionInput, ORDER]
) -> RemoveEndpointResult:
    """Removes an endpoint with its cursor, its keys and its parked events. The record of its changes
    remains."""
    caller = manager(info)
    with input_errors():
        await info.context.services.endpoints.remove(
            input.name, caller, _text(input.reason, "reason")
        )
    return RemoveEndpointResult(name=input.name)


ENDPOINT_MUTATIONS: dict[str, Callable[..., Any]] = {
    "addEndpoint": add_endpoint,
    "pauseEndpoint": pause_endpoint,
    "resumeEndpoint": resume_endpoint,
    "replayEndpoint": replay_endpoint,
    "endReplay": end_replay,
    "parkDelivery": park_delivery,
    "retryDelivery": retry_delivery,
    "rotateEndpointKeys": rotate_endpoint_keys,
    "removeEndpoint": remove_endpoint,
}


def endpoint_mutations() -> list[Any]:
    """Return the mutations of endpoints."""
    return scoped_mutations(ENDPOINT_MUTATIONS, NEEDS_SCOPE)


async def _act(
    info: Info,
    input: Any,
    act: Callable[[Endpoints, str, Manager, str], Awaitable[delivery.Endpoint]],
) -> EndpointResult:
    """Return an endpoint after an action on it, with the name and the reason of the input."""
    caller = manager(info)
    with input_errors():
        reason = _text(input.reason, "reason")
        of = await act(info.context.services.endpoints, input.name, caller, reason)
    return EndpointResult(endpoint=Endpoint(of=of))


def _owner(caller: Manager, name: str | None) -> str:
    """Return the owner of a new endpoint. Raises Forbidden."""
    if name in (None, caller.actor):
        return caller.actor
    if caller.owner is not None:
        raise Forbidden("another owner needs a token of scope admin", path=("owner",))
    return _text(str(name), "owner")


def _text(text: str, name: str) -> str:
    check_text(text, name)
    return text
