"""Settings of an endpoint for the deliverer: address, selection and keys. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import asyncpg

from tracker import clock
from tracker.delivery.endpoint import EndpointFilter, EndpointFormat, EndpointState
from tracker.delivery.parked_events import ParkedEvent
from tracker.delivery.progress import DeliveryState, Place, ReplayPlace
from tracker.delivery.signatures import Algorithm, SigningKey
from tracker.log.selection import Selection


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Settings of an endpoint that people decide."""

    id: int
    name: str
    url: str = field(repr=False)
    selection: Selection
    format: EndpointFormat
    max_batch_events: int
    with_proof: bool
    active: bool
    all_keys: tuple[tuple[SigningKey, datetime | None], ...]

    @property
    def disabled(self) -> EndpointSettings:
        """Return these settings with the endpoint disabled."""
        return replace(self, active=False)

    @property
    def keys(self) -> list[SigningKey]:
        """Return the keys that sign now, newest first."""
        now = clock.now()
        return [key for key, retires_at in self.all_keys if retires_at is None or retires_at > now]


def settings_of(row: asyncpg.Record) -> EndpointSettings:
    """Return the settings in a row of the query `endpoints`."""
    types, commodities, places = (
        None if row[name] is None else tuple(row[name])
        for name in ("types", "commodities", "places")
    )
    return EndpointSettings(
        row["id"],
        row["name"],
        row["url"],
        EndpointFilter(types, commodities, places, row["entity"]).selection,
        EndpointFormat(row["format"]),
        row["max_batch_events"],
        row["with_proof"],
        row["state"] == EndpointState.ACTIVE.value,
        tuple(
            (SigningKey(Algorithm(algorithm), secret), retires_at)
            for algorithm, secret, retires_at in row["keys"]
        ),
    )


def delivery_state_of(row: asyncpg.Record) -> DeliveryState:
    """Return the delivery state in a row."""
    return DeliveryState(
        row["id"],
        Place(row["position"], row["previous_position"]),
        row["last_accepted_at"],
        row["failures"],
        row["failing_since"],
        row["next_attempt_at"],
        row["last_error"],
        row["last_status"],
        row["handshake_at"],
        row["requests_a_minute"],
    )


def replay_of(row: asyncpg.Record) -> ReplayPlace | None:
    """Return the replay in a row."""
    if row["replay_id"] is None:
        return None
    return ReplayPlace(
        row["replay_position"], row["replay_previous"], row["replay_id"], row["replay_last"]
    )


def parked_of(row: asyncpg.Record) -> Mapping[int, ParkedEvent]:
    """Return the parked events in a row, by position."""
    return {position: ParkedEvent(previous, retry) for position, previous, retry in row["parked"]}
