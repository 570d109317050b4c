"""What an endpoint is: its filter, its place in the log, what is wrong with it. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple
from urllib.parse import urlsplit

import asyncpg

from tracker.delivery.signatures import Algorithm
from tracker.domain.commodities import Commodity, descendants
from tracker.log.selection import Selection


class EndpointState(Enum):
    """Whether an endpoint is sent events. In every state it keeps its place in the log."""

    ACTIVE = "active"
    """Events are sent as they are recorded; after a failure, again and again."""
    PAUSED = "paused"
    """A person has stopped it."""
    DISABLED = "disabled"
    """The receiver has answered 410, that it is gone for good. A person can resume it."""


@dataclass(frozen=True, slots=True)
class EndpointFilter:
    """Which events an endpoint is for, as it was asked for; None is all."""

    types: tuple[str, ...] | None = None
    commodities: tuple[str, ...] | None = None
    places: tuple[str, ...] | None = None
    entity: str | None = None

    @property
    def selection(self) -> Selection:
        """The same as a selection of events, with the commodities below those that are named."""
        goods = self.commodities
        return Selection(
            types=self.types,
            commodities=None
            if goods is None
            else tuple(sorted({below for id in goods for below in descendants(Commodity(id))})),
            places=self.places,
            entity=self.entity,
        )


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """An endpoint that somebody wants: events after a position, or after the present end."""

    url: str
    name: str | None = None
    """Lower-case letters, digits, `.`, `_`, `-`; left out, the host of the address."""
    after: int | None = None
    filter: EndpointFilter = EndpointFilter()
    max_batch_events: int = 1
    with_proof: bool = False
    with_hmac: bool = False
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Manager:
    """Who manages endpoints: the actor that is put on record, and whose endpoints it may see; None
    is everybody's."""

    actor: str
    owner: str | None = None


class EndpointKey(NamedTuple):
    """A key that deliveries are signed with; without its secret."""

    algorithm: Algorithm
    public_key: str | None
    created_at: datetime
    retires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Replay:
    """Positions that are sent once more; `position` is how far that has come, and `events` how many
    of them are selected."""

    first_position: int
    last_position: int
    position: int
    events: int
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as it stands; its fields are the columns of migrations/0022_delivery.sql."""

    id: int
    name: str
    url: str
    owner: str | None
    filter: EndpointFilter
    max_batch_events: int
    with_proof: bool
    state: EndpointState
    created_at: datetime
    started_after: int
    position: int
    previous_position: int
    last_accepted_at: datetime | None
    failures: int
    failing_since: datetime | None
    next_attempt_at: datetime | None
    last_error: str | None
    last_status: int | None
    handshake_at: datetime | None
    requests_a_minute: int | None
    replay: Replay | None
    parked: int
    """How many events are parked."""
    keys: tuple[EndpointKey, ...]

    @property
    def with_hmac(self) -> bool:
        """Whether deliveries are also signed with a secret that the receiver has."""
        return any(key.algorithm is Algorithm.HMAC for key in self.keys)

    @property
    def shown_url(self) -> str:
        """The address without its query, which may hold a secret."""
        return shown_url(self.url)


@dataclass(frozen=True, slots=True)
class ParkedDelivery:
    """An event that a person set aside. `retry_at` is set while it is to be tried again."""

    position: int
    previous_position: int | None
    parked_at: datetime
    parked_by: str
    reason: str
    retry_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request that was made. `error` is None where it was accepted."""

    attempted_at: datetime
    message_id: str
    first_position: int
    last_position: int
    events: int
    attempt: int
    duration_seconds: float
    status: int | None
    error: str | None
    response: str | None


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """What was done with an endpoint, by whom and why."""

    changed_at: datetime
    actor: str
    action: str
    reason: str | None
    detail: str | None


def shown_url(url: str) -> str:
    """An address without its query, which may hold a secret: for logs, errors and metrics."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}{'?…' if parts.query else ''}"


def endpoint_of(row: asyncpg.Record) -> Endpoint:
    """An endpoint from a row of the query `all` of endpoints.sql."""
    replay = None
    if row["replay_first"] is not None:
        replay = Replay(
            row["replay_first"],
            row["replay_last"],
            row["replay_position"],
            row["replay_events"],
            row["replay_requested_at"],
        )
    types, commodities, places = (
        None if row[field] is None else tuple(row[field])
        for field in ("types", "commodities", "places")
    )
    return Endpoint(
        **{field: row[field] for field in SAME_FIELDS},
        filter=EndpointFilter(types, commodities, places, row["entity"]),
        state=EndpointState(row["state"]),
        replay=replay,
        keys=tuple(EndpointKey(Algorithm(kind), *rest) for kind, *rest in row["keys"]),
    )


SAME_FIELDS = tuple(
    field
    for field in Endpoint.__dataclass_fields__
    if field not in {"filter", "state", "replay", "keys"}
)
"""The fields of an endpoint that are as the database has them."""
