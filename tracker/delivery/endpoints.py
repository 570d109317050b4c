"""Endpoints: create, read and manage the addresses that receive events.

Each change by a person is one transaction with the record of its author and reason, and wakes the deliverer
(`NOTIFY delivery`). Only the deliverer writes the progress of an endpoint. A person changes progress only by
a replay, which runs independently of the cursor.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from tracker.delivery.endpoint import (
    MAX_NAME_CHARACTERS,
    Attempt,
    Endpoint,
    EndpointChange,
    EndpointState,
    Manager,
    NewEndpoint,
    ParkedDelivery,
    endpoint_of,
    is_name,
    shown_url,
)
from tracker.delivery.lag import count_selected
from tracker.delivery.relay.store import RelayProgress, read_relays
from tracker.delivery.signatures import Algorithm, SigningKey, generate_key
from tracker.delivery.summary import DeliverySummary, read_summary
from tracker.domain.basics.text_rules import check_explanation
from tracker.errors import InvalidInput, NotFound, TooLarge
from tracker.log.recorder import Recorder
from tracker.log.selection import Selection, filter_selected
from tracker.postgres.batching import confirmed_transaction
from tracker.postgres.database import Connection, Pool, named_queries
from tracker.web.networks import Networks

SQL = named_queries(Path(__file__).with_name("endpoints.sql"))

CHANNEL = "delivery"
"""Channel that notifies deliverers of a change; the payload is the id of the endpoint."""
MAX_ENDPOINTS = 10_000
MAX_OWNED_ENDPOINTS = 100
"""Maximum number of endpoints per owner."""
MAX_OVERLAP_HOURS = 720
DEFAULT_OVERLAP_HOURS = 24
"""Hours for which an old key signs together with a new one."""


class Endpoints:
    """The endpoints of one database. Managing a missing one or one of another owner raises NotFound."""

    def __init__(self, pool: Pool, recorder: Recorder, networks: Networks):
        self._pool = pool
        self._recorder = recorder
        self._networks = networks

    async def add(
        self, new: NewEndpoint, manager: Manager, reason: str | None = None
    ) -> tuple[Endpoint, str | None]:
        """Add an endpoint and return it with the receiver's secret, if it has one.

        The secret is never shown again. Raises InvalidInput and TooLarge.
        """
        self._networks.check_url(new.url)
        new.check()
        head = await self._recorder.head()
        after = head if new.after is None else new.after
        if not 0 <= after <= head:
            raise InvalidInput(
                f"expected a position from 0 to {head}, the last one", path=("after",)
            )
        keys = [generate_key(Algorithm.ED25519), *[generate_key(Algorithm.HMAC)] * new.with_hmac]
        async with confirmed_transaction(self._pool) as connection:
            name = await _check_room(connection, new)
            filter = new.filter
            words = filter.types, filter.commodities, filter.places, filter.entity
            id = await connection.fetchval(
                SQL.add,
                *(name, new.url, new.owner, *words, new.format.value),
                *(new.max_batch_events, new.with_proof, after),
            )
            await _add_keys(connection, id, keys)
            where = f"{shown_url(new.url, new.format)} after {after}"
            await _record(connection, id, name, manager, "added", reason, where)
        return await self.get(name, manager), _secret_of(keys)

    async def all(self, manager: Manager) -> list[Endpoint]:
        """Return all endpoints visible to a manager, by name."""
        return [endpoint_of(row) for row in await self._pool.fetch(SQL.all, manager.owner, None)]

    async def summary(self) -> DeliverySummary:
        """Return the state of deliveries to all endpoints."""
        return await read_summary(self._pool)

    async def relays(self) -> list[RelayProgress]:
        """Return the state of the relays to brokers."""
        return await read_relays(self._pool)

    async def get(self, name: str, manager: Manager) -> Endpoint:
        """Return an endpoint. Raises NotFound."""
        _check_existing(name)
        row = await self._pool.fetchrow(SQL.all, manager.owner, name)
        if row is None:
            raise _not_found(name)
        return endpoint_of(row)

    async def pause(self, name: str, manager: Manager, reason: str | None = None) -> Endpoint:
        """Stop sending; the place in the log is kept indefinitely."""
        return await self._set_state(name, manager, EndpointState.PAUSED, reason)

    async def resume(self, name: str, manager: Manager, reason: str | None = None) -> Endpoint:
        """Resume at the cursor immediately, with failures cleared."""
        return await self._set_state(name, manager, EndpointState.ACTIVE, reason)

    async def _set_state(
        self, name: str, manager: Manager, state: EndpointState, reason: str | None
    ) -> Endpoint:
        pausing = state is EndpointState.PAUSED
        async with self._changing(name, manager) as (connection, endpoint):
            if pausing:
                _require_active(name, endpoint["state"])
            await connection.execute(SQL.pause if pausing else SQL.resume, endpoint["id"])
            action = "paused" if pausing else "resumed"
            await _record(connection, endpoint["id"], name, manager, action, reason)
        return await self.get(name, manager)

    async def remove(self, name: str, manager: Manager, reason: str | None = None) -> None:
        """Remove an endpoint with its place in the log, its keys and its parked events."""
        async with self._changing(name, manager) as (connection, endpoint):
            await connection.execute(SQL.remove, endpoint["id"])
            where = f"at {endpoint['position']}"
            await _record(connection, endpoint["id"], name, manager, "removed", reason, where)

    async def replay(
        self, name: str, manager: Manager, first: int, last: int | None, reason: str | None = None
    ) -> Endpoint:
        """Send the events of some positions again, before new ones; by default up to the cursor.

        It replaces an unfinished replay. Raises InvalidInput for positions that the cursor has not passed.
        """
        endpoint = await self.get(name, manager)
        until = endpoint.position if last is None else last
        if not 0 < first <= endpoint.position:
            raise InvalidInput(
                f"expected a position up to {endpoint.position}: later ones have not been delivered yet",
                path=("from",),
            )
        if not first <= until <= endpoint.position:
            raise InvalidInput(
                f"expected a position from {first} to {endpoint.position}", path=("to",)
            )
        events = await count_selected(self._recorder, endpoint.filter.selection, first - 1, until)
        async with self._changing(name, manager) as (connection, row):
            await connection.fetchval(SQL.end_replay, row["id"])
            await connection.fetchval(SQL.replay, row["id"], first, until, events)
            detail = f"{first} to {until}: {events} events"
            await _record(connection, row["id"], name, manager, "replayed", reason, detail)
        return await self.get(name, manager)

    async def end_replay(self, name: str, manager: Manager, reason: str | None = None) -> Endpoint:
        """End an unfinished replay. Raises NotFound if there is none."""
        async with self._changing(name, manager) as (connection, endpoint):
            position = await connection.fetchval(SQL.end_replay, endpoint["id"])
            if position is None:
                raise NotFound(f"{name} has no replay that is not done", path=("name",))
            detail = f"after {position}"
            await _record(connection, endpoint["id"], name, manager, "replay ended", reason, detail)
        return await self.get(name, manager)

    async def park(self, name: str, manager: Manager, position: int, reason: str) -> Endpoint:
        """Park an event that is still to be sent, so that later events are delivered.

        Raises InvalidInput for an unselected or delivered event.
        """
        endpoint = await self.get(name, manager)
        if not await is_event_selected(self._recorder, endpoint.filter.selection, position):
            raise InvalidInput(
                f"expected the position of an event that {name} is for", path=("position",)
            )
        async with self._changing(name, manager) as (connection, row):
            if position <= row["position"]:
                raise InvalidInput(
                    f"expected a position after {row['position']}: this one was delivered",
                    path=("position",),
                )
            if await connection.fetchval(SQL.park, row["id"], position, manager.actor, reason):
                detail = str(position)
                await _record(connection, row["id"], name, manager, "parked", reason, detail)
        return await self.get(name, manager)

    async def parked(self, name: str, manager: Manager) -> list[ParkedDelivery]:
        """Return the parked events, by position."""
        endpoint = await self.get(name, manager)
        rows = await self._pool.fetch(SQL.parked, endpoint.id)
        return [ParkedDelivery(**row) for row in rows]

    async def retry(
        self, name: str, manager: Manager, position: int | None = None, reason: str | None = None
    ) -> Endpoint:
        """Retry immediately; with a position, retry a parked event."""
        async with self._changing(name, manager) as (connection, endpoint):
            _require_active(name, endpoint["state"], "; resume it first")
            if position is None:
                await connection.execute(SQL.retry, endpoint["id"])
            elif not await connection.fetchval(SQL.retry_parked, endpoint["id"], position):
                raise NotFound(f"{name} has no event {position} parked", path=("position",))
            detail = None if position is None else str(position)
            await _record(connection, endpoint["id"], name, manager, "retried", reason, detail)
        return await self.get(name, manager)

    async def rotate(
        self,
        name: str,
        manager: Manager,
        overlap_hours: int = DEFAULT_OVERLAP_HOURS,
        reason: str | None = None,
    ) -> tuple[Endpoint, str | None]:
        """Create new keys, together with which the old ones sign for some hours; 0 ends the old ones at once.

        Use 0 after a secret was disclosed. Returns the new secret as `add` does. Raises InvalidInput while
        keys of the last rotation still sign, unless `hours` is 0.
        """
        if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
            raise InvalidInput(
                f"expected hours from 0 to {MAX_OVERLAP_HOURS}", path=("overlapHours",)
            )
        async with self._changing(name, manager) as (connection, endpoint):
            id = endpoint["id"]
            until = await connection.fetchval(SQL.retiring_until, id)
            if until is not None and overlap_hours > 0:
                raise InvalidInput(
                    f"the keys before the present ones sign until {until:%Y-%m-%d %H:%M} UTC:"
                    " expected a rotation after that, or one with 0 hours",
                    code="ROTATION_NOT_DONE",
                    path=("overlapHours",),
                )
            retired = await connection.fetch(SQL.retire_keys, id, timedelta(hours=overlap_hours))
            await connection.execute(SQL.remove_retired_keys, id)
            keys = [generate_key(kind) for kind in sorted_algorithms(retired)]
            await _add_keys(connection, id, keys)
            detail = f"old keys sign for {overlap_hours} hours"
            await _record(connection, id, name, manager, "rotated", reason, detail)
        return await self.get(name, manager), _secret_of(keys)

    async def attempts(
        self, name: str, manager: Manager, limit: int, *, failed: bool = False
    ) -> list[Attempt]:
        """Return the last requests, newest first; optionally only failed ones."""
        endpoint = await self.get(name, manager)
        rows = await self._pool.fetch(SQL.attempts, endpoint.id, limit, failed)
        return [Attempt(**row) for row in rows]

    async def changes(self, name: str, manager: Manager, limit: int) -> list[EndpointChange]:
        """Return the changes of an endpoint, newest first."""
        endpoint = await self.get(name, manager)
        rows = await self._pool.fetch(SQL.changes, endpoint.id, limit)
        return [EndpointChange(**row) for row in rows]

    @asynccontextmanager
    async def _changing(
        self, name: str, manager: Manager
    ) -> AsyncIterator[tuple[Connection, asyncpg.Record]]:
        """Open a transaction that locks one endpoint."""
        _check_existing(name)
        async with confirmed_transaction(self._pool) as connection:
            row = await connection.fetchrow(SQL.lock, name, manager.owner)
            if row is None:
                raise _not_found(name)
            yield connection, row


async def is_event_selected(recorder: Recorder, selection: Selection, position: int) -> bool:
    """Return whether the event at a position exists and is selected."""
    events = await recorder.read(position - 1, limit=1) if position > 0 else []
    return any(
        event.position == position
        and selection.entity in (None, event.stream)
        and (selection.types is None or event.type in selection.types)
        for event in await filter_selected(recorder, events, selection)
    )


def sorted_algorithms(keys: Sequence[asyncpg.Record]) -> list[Algorithm]:
    """Return the distinct algorithms of some keys."""
    return sorted({Algorithm(key["algorithm"]) for key in keys}, key=lambda kind: kind.value)


async def _check_room(connection: Connection, new: NewEndpoint) -> str:
    """Return the name of a new endpoint after checking the limits. Raises InvalidInput and TooLarge."""
    await connection.execute(SQL.take_turn)
    name = new.name or (urlsplit(new.url).hostname or "endpoint").strip(".:")[:MAX_NAME_CHARACTERS]
    name = re.sub(r"[^a-z0-9._-]", "-", name).strip("._-")
    counts = await connection.fetchrow(SQL.count, new.owner, name)
    assert counts is not None
    if counts["taken"]:
        raise InvalidInput(
            f"there is an endpoint {name!r}: expected another name",
            code="NAME_TAKEN",
            path=("name",),
        )
    if counts["total"] >= MAX_ENDPOINTS:
        raise TooLarge(f"there are {MAX_ENDPOINTS:,} endpoints, the maximum; remove one first")
    if new.owner is not None and counts["owned"] >= MAX_OWNED_ENDPOINTS:
        raise TooLarge(
            f"{new.owner!r} has {MAX_OWNED_ENDPOINTS} endpoints, the maximum per owner; remove one first"
        )
    return name


async def _add_keys(connection: Connection, endpoint: int, keys: Sequence[SigningKey]) -> None:
    for key in keys:
        await connection.execute(
            SQL.add_key, endpoint, key.algorithm.value, key.secret, key.public_text
        )


async def _record(
    connection: Connection,
    endpoint: int,
    name: str,
    manager: Manager,
    action: str,
    reason: str | None,
    detail: str | None = None,
) -> None:
    """Record a change and wake the deliverer. Raises InvalidInput."""
    check_explanation(reason)
    await connection.execute(
        SQL.record_change, endpoint, name, manager.actor, action, reason, detail
    )
    await connection.execute(SQL.notify, str(endpoint))


def _secret_of(keys: Sequence[SigningKey]) -> str | None:
    return next((key.secret_text for key in keys if key.secret_text), None)


def _require_active(name: str, state: str, advice: str = "") -> None:
    if state != EndpointState.ACTIVE.value:
        raise InvalidInput(
            f"{name} is {state}: expected an active endpoint{advice}",
            code="NOT_ACTIVE",
            path=("name",),
        )


def _check_existing(name: str) -> None:
    """Raise NotFound for names that no endpoint can have; the database cannot read some of them."""
    if not is_name(name):
        raise _not_found(name)


def _not_found(name: str) -> NotFound:
    return NotFound(f"There is no endpoint {name[:MAX_NAME_CHARACTERS]!r}", path=("name",))
