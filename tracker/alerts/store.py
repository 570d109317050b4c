"""Actions of people on their subscriptions: request, confirm, see and delete.

No answer depends on whether an address has subscriptions. The API can add an address and cannot read one.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from tracker import clock
from tracker.alerts.letter import Letter, render
from tracker.alerts.options import MailOptions
from tracker.alerts.subscription import Choice, Frequency, local_day, next_due
from tracker.alerts.tokens import Purpose, Signer, invalid_link, stored_hash
from tracker.errors import InvalidInput, RateLimited
from tracker.postgres.database import Connection, Pool, named_queries

SQL = named_queries(Path(__file__).with_name("store.sql"))

CONFIRM_WITHIN = timedelta(days=2)
LINK_VALID = timedelta(days=1)
MAX_REQUESTS_OF_NETWORK = 20
"""Maximum number of requests of a client's network per day."""
MAX_REQUESTS_OF_ADDRESS = 5
"""Maximum number of mails that requests cause to an address per day; further requests are ignored."""
MAX_REQUESTS = 2_000
"""Maximum number of requests per day."""
MAX_OF_ADDRESS = 50
"""Maximum number of subscriptions of an address; further requests are ignored."""
HOUR_SECONDS = 3_600
SEPARATOR = "-"
"""Separator of the keyed hashes in a token."""


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """Subscriptions by state, and the messages that wait."""

    active: int
    unconfirmed: int
    stopped: int
    waiting: int
    oldest_seconds: float
    """Age of the oldest waiting message."""


@dataclass(frozen=True, slots=True)
class OwnSubscription:
    """A subscription as its owner sees it."""

    id: UUID
    choice: Choice
    stop_reason: str | None
    """`address` if the mail server refused it, `page` if the page is invalid; None while it is active."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A subscription that a mailed link confirms, and whether it is confirmed."""

    choice: Choice
    done: bool


class Alerts:
    """The subscriptions, with the rights of the API."""

    def __init__(self, pool: Pool, options: MailOptions):
        self._pool = pool
        self.options = options
        self.signer = Signer(options.secret)

    async def subscribe(
        self, address: str, choice: Choice, network: str, letter: Callable[[str], Letter]
    ) -> None:
        """Add a subscription and enqueue the mail that asks for its confirmation.

        `letter` returns the mail for a token. Raises RateLimited over the limits of the client and of all,
        and InvalidInput if there are too many subscriptions. Over a limit of the address nothing happens.
        """
        id, now = uuid.uuid4(), clock.now()
        token = self.signer.token(Purpose.CONFIRM, str(id), now + CONFIRM_WITHIN)
        rendered = render(letter(token), self.options.sender, now)
        async with self._pool.acquire() as connection, connection.transaction():
            if not await self._admit(connection, address, network):
                return
            row = (choice.target, choice.frequency.value, choice.time_zone)
            key, *_ = self.signer.address_keys(address)
            await connection.execute(SQL.add, id, address, key, *row, stored_hash(token))
            await connection.execute(SQL.enqueue, id, *rendered)

    async def mail_links(self, address: str, network: str, letter: Callable[[str], Letter]) -> None:
        """Enqueue a mail with the link to the subscriptions of an address, if it has any.

        `letter` returns the mail for a token. Raises RateLimited as `subscribe`.
        """
        now, keys = clock.now(), self.signer.address_keys(address)
        subject = SEPARATOR.join(key.hex() for key in keys)
        token = self.signer.token(Purpose.MANAGE, subject, now + LINK_VALID)
        rendered = render(letter(token), self.options.sender, now)
        async with self._pool.acquire() as connection, connection.transaction():
            if await self._admit(connection, address, network, adds=False):
                await connection.execute(SQL.enqueue_links, keys, *rendered)

    async def _admit(
        self, connection: Connection, address: str, network: str, *, adds: bool = True
    ) -> bool:
        """Count a request, and return whether it may cause a mail."""
        network_key, keys = self.signer.key(network), self.signer.address_keys(address)
        await connection.execute(SQL.lock_requests)
        await connection.execute(SQL.forget_requests)
        usage = await connection.fetchrow(SQL.usage, network_key, keys)
        assert usage is not None
        if usage["requests"] >= MAX_REQUESTS:
            raise _limited(usage["seconds"])
        if usage["of_network"] >= MAX_REQUESTS_OF_NETWORK:
            raise _limited(usage["seconds_of_network"])
        if adds and usage["subscriptions"] >= self.options.max_subscriptions:
            raise InvalidInput(
                "this server takes no further subscriptions: try later, or follow the feed of the page",
                code="TOO_MANY_SUBSCRIPTIONS",
            )
        await connection.execute(SQL.add_request, network_key, keys[0])
        return usage["of_address"] < MAX_REQUESTS_OF_ADDRESS and not (
            adds and usage["own_subscriptions"] >= MAX_OF_ADDRESS
        )

    async def confirmation(self, token: str) -> Confirmation:
        """Return the subscription that a token confirms, without confirming it. Raises InvalidInput."""
        id = self._subject(Purpose.CONFIRM, token)
        row = await self._pool.fetchrow(SQL.confirmation, UUID(id), stored_hash(token))
        if row is None:
            raise invalid_link()
        return Confirmation(choice_of(row), row["confirmed"])

    async def confirm(self, token: str, position: int) -> Choice:
        """Confirm a subscription; its first digest has the changes after a position and after today.

        It replaces earlier ones of the address to the same page. A repetition changes nothing. Raises
        InvalidInput.
        """
        confirmation, now = await self.confirmation(token), clock.now()
        choice = confirmation.choice
        if confirmation.done:
            return choice
        id = UUID(self._subject(Purpose.CONFIRM, token))
        due = next_due(choice, now, self.options.immediate_interval)
        moment = (position, comparison_day(choice, now), due)
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(SQL.confirm, id, stored_hash(token), *moment)
            if row is not None:
                await connection.execute(SQL.replace_earlier, row["address_key"], row["target"], id)
                return choice
        return (await self.confirmation(token)).choice  # another click was faster

    async def subscribed(self, token: str) -> Choice | None:
        """Return the subscription that a token ends; None if it has ended. Raises InvalidInput."""
        id = UUID(self._subject(Purpose.UNSUBSCRIBE, token))
        row = await self._pool.fetchrow(SQL.confirmed, id)
        return None if row is None else choice_of(row)

    async def unsubscribe(self, token: str) -> None:
        """End a subscription and delete its address. Raises InvalidInput."""
        id = UUID(self._subject(Purpose.UNSUBSCRIBE, token))
        await self._pool.execute(SQL.remove, id)

    async def own(self, token: str) -> list[OwnSubscription]:
        """Return the subscriptions of the address of a token. Raises InvalidInput."""
        rows = await self._pool.fetch(SQL.of_address, self._own_keys(token))
        return [OwnSubscription(row["id"], choice_of(row), row["stop_reason"]) for row in rows]

    async def remove_own(self, token: str, id: UUID | None) -> int:
        """Delete a subscription of the address of a token, or all. Return their number.

        Raises InvalidInput.
        """
        return len(await self._pool.fetch(SQL.remove_of_address, self._own_keys(token), id))

    async def remove_address(self, address: str) -> int:
        """Delete all subscriptions of an address, and return their number."""
        keys = self.signer.address_keys(address)
        return len(await self._pool.fetch(SQL.remove_of_address, keys, None))

    async def summary(self) -> AlertSummary:
        """Return the summary for monitoring."""
        row = await self._pool.fetchrow(SQL.summary)
        assert row is not None
        return AlertSummary(**row)

    def _own_keys(self, token: str) -> list[bytes]:
        return [bytes.fromhex(key) for key in self._subject(Purpose.MANAGE, token).split(SEPARATOR)]

    def _subject(self, purpose: Purpose, token: str) -> str:
        return self.signer.subject(purpose, token, clock.now())


def comparison_day(choice: Choice, now: datetime) -> date:
    """Return the date up to which a comparison at a time goes: that of the time zone.

    Tests fix the day of the tracker; then it is that day.
    """
    return clock.today() + (local_day(choice, now) - now.date())


def _limited(seconds: float) -> RateLimited:
    """Return the refusal of a request over a daily limit, which says how long to wait."""
    hours = math.ceil(seconds / HOUR_SECONDS)
    wait = f"{hours} hours" if hours > 1 else "1 hour"
    return RateLimited(seconds, f"too many requests for alerts in 24 hours: try again in {wait}")


def choice_of(row: asyncpg.Record) -> Choice:
    """Return the page, frequency and time zone of a row."""
    return Choice(row["target"], Frequency(row["frequency"]), row["time_zone"])
