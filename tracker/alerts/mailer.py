"""The mailer: composes digests and sends messages, in one server at a time.

State after a crash:

1. A digest is rendered, then stored together with the new moment of its subscription. A crash before repeats
the comparison; a crash after leaves a message to send.
2. A message is sent, then marked as sent. A crash in between sends the same bytes again with the same
Message-ID, by which mail programs recognize a repetition. So does a text without an answer in time.

A server without the lease writes nothing: its epoch is checked in each transaction.

Several digests and deliveries run at once, those of a domain one after the other. An error of a page or of a
recipient postpones only that subscription or that domain; an error of the whole mail server pauses sending.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeGuard, TypeVar
from uuid import UUID

import asyncpg

from tracker import clock
from tracker.alerts.letter import Letter, Rendered, addressed, render, sender_address
from tracker.alerts.options import MailOptions
from tracker.alerts.smtp import Attempt, Connection, Result
from tracker.alerts.store import CONFIRM_WITHIN, choice_of, comparison_day
from tracker.alerts.subscription import Subscription, next_due
from tracker.alerts.tokens import Purpose, Signer
from tracker.errors import InvalidInput, NotFound, TrackerError, Unavailable
from tracker.postgres.background import end_if_cancelled
from tracker.postgres.database import (
    CONNECTION_ERRORS,
    MAILER,
    Pool,
    Target,
    create_pool,
    named_queries,
)
from tracker.postgres.lease import POOL_SETTINGS, Lease, check_epoch
from tracker.postgres.leased_task import LeasedTask, Work

SQL = named_queries(Path(__file__).with_name("outbox.sql"))
LEASE = "mailer"
POOL_SIZE = 3
PRUNING_INTERVAL_SECONDS = 600.0
STOP_SECONDS = 5.0
"""Seconds that a message in flight has to finish when the server stops."""
MAX_PAUSE_SECONDS = 300
"""Longest wait in seconds before the next connection to a mail server that takes no messages."""
BATCH = 100
"""Maximum number of subscriptions or messages that are read at a time."""
COMPOSING = 2
"""Maximum number of digests that are computed at once."""
COMPOSE_SECONDS = 120
"""Maximum time for a digest in seconds; each of its queries has a shorter limit."""
DELIVERING = 8
"""Maximum number of deliveries at once, each to another domain."""
MAX_REFUSALS = 2
"""Consecutive permanent refusals after which a subscription stops."""

FINAL_CODES = ("INVALID_", "UNKNOWN_", "BAD_REQUEST", NotFound.code)
"""Beginnings of the codes of errors about values that no page has."""

logger = logging.getLogger(__name__)

T = TypeVar("T")
Head: TypeAlias = Callable[[], Awaitable[int]]


class Composer(Protocol):
    """Compares two moments of the page of a subscription."""

    async def letter(
        self, subscription: Subscription, day: date, position: int, unsubscribe: str
    ) -> Letter | None:
        """Return the digest of a subscription up to a moment; None if there is nothing to send.

        `unsubscribe` is the link that ends the subscription. Raises InvalidInput or NotFound for a page
        that is invalid, and any error of a page without an answer now.
        """
        ...


class Mailer(LeasedTask):
    """Composes and sends while this process holds the lease."""

    name = "alerts"

    def __init__(self, target: Target, options: MailOptions, composer: Composer, head: Head):
        super().__init__()
        self._target = target
        self.options = options
        self.composer = composer
        self.head = head
        self.observe: Callable[[str, str], None] = lambda *_: None
        """Callback for each attempt: the kind of message, and the result."""

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[Lease, Work]]:
        """Connect with the role of the mailer."""
        pool = await create_pool(
            self._target, role=MAILER, size=POOL_SIZE, settings=POOL_SETTINGS, seconds=20
        )
        try:
            lease = Lease(pool, LEASE, self.options.lease_seconds, self.options.release)
            yield lease, Mailing(pool, lease, self).run
        finally:
            await pool.close()


class Mailing:
    """The work of one epoch of the lease."""

    def __init__(self, pool: Pool, lease: Lease, mailer: Mailer):
        self._pool = pool
        self._lease = lease
        self._mailer = mailer
        self._options = mailer.options
        self._signer = Signer(self._options.secret)
        self._envelope = sender_address(self._options.sender).addr_spec
        self._outages = 0
        self._resume_at = clock.now()
        self._tasks = asyncio.TaskGroup()
        self._composing = asyncio.Semaphore(COMPOSING)
        self._digests: set[UUID] = set()
        """Subscriptions whose digest is being computed."""
        self._failures: dict[UUID, int] = {}
        """Consecutive failures to compute the digest of a subscription."""
        self._delivering = asyncio.Semaphore(DELIVERING)
        self._deliveries: dict[str, deque[asyncpg.Record]] = {}
        """Domains of present deliveries, and their remaining messages."""

    async def run(self) -> None:
        """Compose and send until the lease is lost, or the server stops."""
        idle = self._options.idle_seconds
        async with self._tasks as tasks:
            tasks.create_task(self._repeat(self.compose, idle))
            tasks.create_task(self._repeat(self.send, idle))
            tasks.create_task(self._repeat(self._prune, PRUNING_INTERVAL_SECONDS))

    async def _repeat(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            end_if_cancelled()  # the client of the mail server can swallow it: wait_for before Python 3.12
            await self._lease.wait_until_held()
            await work()
            await asyncio.sleep(seconds)

    async def _prune(self) -> None:
        await self._write(SQL.prune)
        await self._write(SQL.drop_unconfirmed, None, CONFIRM_WITHIN)

    async def compose(self) -> None:
        """Compare the due subscriptions, and store their digests."""
        position = await self._mailer.head()
        for row in await self._pool.fetch(SQL.due, clock.now(), position, BATCH, [*self._digests]):
            await self._composing.acquire()
            subscription = Subscription(row["id"], choice_of(row), row["position"], row["day"])
            self._digests.add(subscription.id)
            self._tasks.create_task(self._composed(subscription, position))

    async def _composed(self, subscription: Subscription, position: int) -> None:
        try:
            await self._lease.wait_until_held()
            await self._compose(subscription, position)
        except (*CONNECTION_ERRORS, TimeoutError) as error:  # of this process: it is due again
            logger.warning("digests are retried: %s", type(error).__name__)
        finally:
            self._digests.discard(subscription.id)
            self._composing.release()

    async def _compose(self, subscription: Subscription, position: int) -> None:
        now = clock.now()
        day = max(comparison_day(subscription.choice, now), subscription.day)
        token = self._signer.token(Purpose.UNSUBSCRIBE, str(subscription.id))
        link = f"{self._options.site}/alerts/unsubscribe?token={token}"
        due = next_due(subscription.choice, now, self._options.immediate_interval)
        try:
            async with asyncio.timeout(COMPOSE_SECONDS):
                letter = await self._mailer.composer.letter(subscription, day, position, link)
        except Exception as error:  # one page must not delay the digests of others
            await self._fail(subscription, error)
            return
        self._failures.pop(subscription.id, None)
        if letter is None:
            await self._write(SQL.postpone, subscription.id, position, day, due)
            return
        rendered = render(letter, self._options.sender, now, unsubscribe_headers(link))
        await self._store(subscription, rendered, position, day, due)

    async def _store(
        self,
        subscription: Subscription,
        rendered: Rendered,
        position: int,
        day: date,
        due: datetime,
    ) -> None:
        """Store a digest together with its moment, so that neither exists without the other."""
        async with self._pool.acquire() as connection, connection.transaction():
            await check_epoch(connection, self._lease)
            await connection.execute(SQL.add_digest, subscription.id, *rendered)
            await connection.execute(SQL.advance, subscription.id, position, day, due)

    async def _fail(self, subscription: Subscription, error: Exception) -> None:
        """Stop a subscription whose page is invalid; retry others later, after each failure less soon."""
        id = subscription.id
        if is_final(error):
            logger.warning("a subscription stops, its page is invalid: %s", error.code)
            await self._write(SQL.stop, id)
            return
        expected = isinstance(error, Unavailable | TimeoutError)
        code = getattr(error, "code", type(error).__name__)
        logger.warning("a digest is postponed: %s", code, exc_info=None if expected else error)
        self._failures[id] = self._failures.get(id, 0) + 1
        later = self._later(self._failures[id])
        await self._write(SQL.postpone, id, subscription.position, subscription.day, later)

    def _later(self, failures: int) -> datetime:
        return self._options.schedule.next_try(failures, clock.now(), random.random())

    async def send(self) -> None:
        """Start deliveries while messages wait, up to the limit per minute."""
        while True:
            async with self._delivering:  # one is free
                domains = await self._waiting()
            if not domains:
                return
            for domain, messages in domains.items():
                if self._delivering.locked():
                    break
                await self._delivering.acquire()
                self._deliveries[domain] = messages
                self._tasks.create_task(self._deliver_all(domain, messages))

    async def _waiting(self) -> dict[str, deque[asyncpg.Record]]:
        """Return messages to send now, by domain, except those of domains with a delivery."""
        if clock.now() < self._resume_at:
            return {}
        started = sum(map(len, self._deliveries.values()))
        sent = await self._pool.fetchval(SQL.sent_last_minute)
        if (left := self._options.messages_a_minute - sent - started) <= 0:
            return {}
        domains: dict[str, deque[asyncpg.Record]] = {}
        for row in await self._pool.fetch(SQL.waiting, min(left, BATCH), [*self._deliveries]):
            domains.setdefault(row["domain"], deque()).append(row)
        return domains

    async def _deliver_all(self, domain: str, messages: deque[asyncpg.Record]) -> None:
        """Send the messages of a domain. After one without an answer the others wait as long as it."""
        try:
            async with aclosing(Connection(self._options.server)) as connection:
                while messages and clock.now() >= self._resume_at:
                    end_if_cancelled()
                    await self._lease.wait_until_held()
                    attempt = await finished(self._deliver(connection, messages[0]))
                    row = messages.popleft()
                    if attempt.result is Result.UNAVAILABLE:
                        self._pause(attempt)
                    else:
                        self._outages = 0
                    if attempt.result is Result.TIMEOUT:
                        later = self._later(row["attempts"] + 1)
                        await self._write(SQL.wait, [each["id"] for each in messages], later)
                        break
        finally:
            del self._deliveries[domain]
            self._delivering.release()

    async def _deliver(self, connection: Connection, row: asyncpg.Record) -> Attempt:
        """Send a message and store the result."""
        content = addressed(row["message"], row["address"])
        attempt = await connection.send(self._envelope, row["address"], content)
        self._mailer.observe(row["kind"], attempt.result.value)
        await self._note(row, attempt)
        return attempt

    def _pause(self, attempt: Attempt) -> None:
        """Wait before the next connection, longer after each failure."""
        if clock.now() < self._resume_at:
            return  # several deliveries noticed the same outage
        self._outages += 1
        limit = clock.now() + timedelta(seconds=MAX_PAUSE_SECONDS)
        self._resume_at = min(self._later(self._outages), limit)
        logger.warning("the mail server takes no messages: %s", attempt.error)

    async def _note(self, row: asyncpg.Record, attempt: Attempt) -> None:
        """Store the result of an attempt."""
        if attempt.result is Result.SENT:
            await self._write(SQL.sent, row["id"])
            await self._write(SQL.accepted, row["subscription"])
        elif attempt.result is Result.UNAVAILABLE:
            await self._write(SQL.note_outage, row["id"], attempt.error)
        elif (
            attempt.result is not Result.PERMANENT
            and (failures := row["attempts"] + 1) < self._options.max_attempts
        ):
            await self._write(SQL.retry, row["id"], self._later(failures), attempt.error)
        else:
            await self._refuse(row["id"], row["subscription"], attempt)

    async def _refuse(self, id: int, subscription: UUID, attempt: Attempt) -> None:
        """Give a message up; a refused address is stopped, or deleted before its confirmation."""
        await self._write(SQL.give_up, id, attempt.error)
        logger.warning("a message is given up: %s", attempt.error)
        if attempt.result is Result.PERMANENT:
            await self._write(SQL.drop_unconfirmed, subscription, CONFIRM_WITHIN)
            await self._write(SQL.refused, subscription, MAX_REFUSALS)

    async def _write(self, query: str, *arguments: object) -> None:
        """Execute a statement while no other process has the lease."""
        async with self._pool.acquire() as connection, connection.transaction():
            await check_epoch(connection, self._lease)
            await connection.execute(query, *arguments)


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of some work, which a stop of the server lets finish if it is short.

    Otherwise a message that the mail server has accepted would be sent again.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=STOP_SECONDS)
        task.cancel()
        raise


def is_final(error: Exception) -> TypeGuard[TrackerError]:
    """Return whether an error is about the page itself, so that a retry cannot succeed.

    Errors about the position or about a limit are others: a restored log, a changed setting or another
    release may remove them.
    """
    return isinstance(error, InvalidInput | NotFound) and error.code.startswith(FINAL_CODES)


def unsubscribe_headers(link: str) -> Mapping[str, str]:
    """Return the headers with which mail programs unsubscribe by one click (RFC 8058)."""
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
