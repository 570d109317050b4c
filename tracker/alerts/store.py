"""Actions of people on their subscriptions: request, confirm, see and delete.

No answer depends on whether an address has subscriptions. The API can add an address and cannot read one.
"""

import ipaddress
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import asyncpg
from msgspec import Struct

from tracker import clock
from tracker.alerts.letter import Letter, render
from tracker.alerts.options import MailOptions
from tracker.alerts.subscription import Choice, Frequency, local_day, next_due
from tracker.alerts.tokens import Purpose, Signer, invalid_link, stored_hash
from tracker.errors import InvalidInput, RateLimited
from tracker.postgres.database import Connection, Pool, named_queries

MAX_REQUESTS = 2_000
"""Requests per day that networks share."""
MAX_REQUESTS_OF_HOUR = 60
"""Requests per hour below which a network with few requests is served after those of the day are used up."""


class Width(NamedTuple):
    """A width of networks, and the limit of each of them."""

    prefixes: Mapping[int, int]
    """Length of the prefix by IP version."""
    share: float
    """Share of the requests of the day that are left."""
    least: int
    """Requests per day that a network has in any case."""


WIDTHS = (
    Width({4: 32, 6: 64}, 0.01, 1),
    Width({4: 24, 6: 48}, 0.02, 2),
    Width({4: 16, 6: 32}, 0.1, 10),
)
"""A customer, a site, and a provider."""


class Usage(NamedTuple):
    """Requests of the last 24 hours, in all and by the networks of a client, narrowest first."""

    of_day: int
    of_hour: int
    hour_seconds: float
    """Seconds until the oldest request of the last hour no longer counts."""
    of_networks: Sequence[int]
    network_seconds: Sequence[float]
    """Seconds until the oldest request of each network no longer counts."""


def networks(client: str) -> list[str]:
    """Return the networks of a client, narrowest first; a client without an IP address is its own network."""
    try:
        address = ipaddress.ip_network(client).network_address
    except ValueError:
        return [client] * len(WIDTHS)
    lengths = [width.prefixes[address.version] for width in WIDTHS]
    return [str(ipaddress.ip_network((address, each), strict=False)) for each in lengths]


def seconds_to_wait(usage: Usage) -> float | None:
    """Return the seconds until a client may try again; None if its request is admitted."""
    left = MAX_REQUESTS - usage.of_day
    for number, width in enumerate(WIDTHS):
        if usage.of_networks[number] >= max(width.least, round(width.share * left)):
            return usage.network_seconds[number]
    return usage.hour_seconds if left <= 0 and usage.of_hour >= MAX_REQUESTS_OF_HOUR else None


SQL = named_queries(Path(__file__).with_name("store.sql"))

CONFIRM_WITHIN = timedelta(days=2)
LINK_VALID = timedelta(days=1)
MAX_REQUESTS_OF_ADDRESS = 5
"""Maximum number of mails of each kind that requests cause to an address per day; further requests are
ignored."""
MAX_OF_ADDRESS = 50
"""Maximum number of subscriptions of an address; further requests are ignored."""
HOUR_SECONDS = 3_600
NO_NETWORK = b""
"""Key of mails with links, which do not count for the quota."""
NETWORK_KEY_BYTES = (16, 8, 8)
"""Bytes of the key of a network, narrowest first: a row has them in one key, the widest network first."""
SEPARATOR = "-"
"""Separator of the keyed hashes in a token."""


class AlertSummary(Struct, frozen=True):
    """Subscriptions by state, and the messages that wait."""

    active: int
    unconfirmed: int
    stopped: int
    waiting: int
    oldest_seconds: float
    """Age of the oldest waiting message."""


class OwnSubscription(Struct, frozen=True):
    """A subscription as its owner sees it."""

    id: UUID
    choice: Choice
    stop_reason: str | None
    """`address` if the mail server refused it, `page` if the page is invalid; None while it is active."""


class Confirmation(Struct, frozen=True):
    """A subscription that a mailed link confirms, and whether it is confirmed."""

    choice: Choice
    done: bool


class Alerts:
    """The subscriptions, with the rights of the API."""

    def __init__(self, pool: Pool, options: MailOptions):
        self._pool = pool
        self.options = options
        self.signer = Signer(options.secret)

    async def admit(self, address: str, client: str) -> bool:
        """Count a request, and return whether a subscription may follow.

        Raises RateLimited over the quota of the client's networks, and InvalidInput if there are too many
        subscriptions. Over a limit of the address nothing follows, without an error.
        """
        prefixes, keys = self._network_keys(client), self.signer.address_keys(address)
        async with self._pool.acquire() as connection, connection.transaction():
            usage = await self._usage(connection, prefixes, keys)
            seconds = seconds_to_wait(Usage(*(usage[name] for name in Usage._fields)))
            if seconds is not None:
                raise _limited(seconds)
            if usage["subscriptions"] >= self.options.max_subscriptions:
                raise InvalidInput(
                    "this server takes no further subscriptions: try later, or follow the feed of the page",
                    code="TOO_MANY_SUBSCRIPTIONS",
                )
            await connection.execute(SQL.add_request, prefixes[0], keys[0])
        of_address: int = usage["of_address"]
        return of_address < MAX_REQUESTS_OF_ADDRESS and usage["own_subscriptions"] < MAX_OF_ADDRESS

    async def subscribe(
        self, address: str, choice: Choice, letter: Callable[[str], Letter]
    ) -> None:
        """Add an admitted subscription and enqueue the mail that asks for its confirmation.

        `letter` returns the mail for a token.
        """
        id, now = uuid.uuid4(), clock.now()
        token = self.signer.token(Purpose.CONFIRM, str(id), now + CONFIRM_WITHIN)
        rendered = render(letter(token), self.options.sender, now)
        async with self._pool.acquire() as connection, connection.transaction():
            row = (choice.target, choice.frequency.value, choice.time_zone)
            key, *_ = self.signer.address_keys(address)
            await connection.execute(SQL.add, id, address, key, *row, stored_hash(token))
            await connection.execute(SQL.enqueue, id, *rendered)

    async def mail_links(self, address: str, letter: Callable[[str], Letter]) -> None:
        """Enqueue a mail with the link to the subscriptions of an address, if it has any.

        `letter` returns the mail for a token. Over the limit of the address nothing happens. The quota of
        networks does not count: only subscribers get such a mail.
        """
        now, keys = clock.now(), self.signer.address_keys(address)
        subject = SEPARATOR.join(key.hex() for key in keys)
        token = self.signer.token(Purpose.MANAGE, subject, now + LINK_VALID)
        rendered = render(letter(token), self.options.sender, now)
        async with self._pool.acquire() as connection, connection.transaction():
            usage = await self._usage(connection, [], keys)
            if usage["links"] < MAX_REQUESTS_OF_ADDRESS and await connection.fetchval(
                SQL.enqueue_links, keys, *rendered
            ):
                await connection.execute(SQL.add_request, NO_NETWORK, keys[0])

    async def _usage(
        self, connection: Connection, prefixes: Sequence[bytes], keys: Sequence[bytes]
    ) -> asyncpg.Record:
        await connection.execute(SQL.lock_requests)
        await connection.execute(SQL.forget_requests)
        usage = await connection.fetchrow(SQL.usage, prefixes, keys)
        assert usage is not None
        return usage

    def _network_keys(self, client: str) -> list[bytes]:
        """Return the keys of the networks of a client, narrowest first, each a prefix of the one before."""
        key, keys = b"", list[bytes]()
        for network, size in zip(
            reversed(networks(client)), reversed(NETWORK_KEY_BYTES), strict=True
        ):
            key += self.signer.key(network)[:size]
            keys.append(key)
        return keys[::-1]

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
