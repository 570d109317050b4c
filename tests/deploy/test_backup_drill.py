"""Restored backups of a tracker in use: its log, answers, tokens, deliveries and subscriptions by mail."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from deploy.bootstrap import open_connection, running_tracker
from tests.alerts.conftest import ADDRESS, Reader
from tests.deploy.test_backing_up import (
    Story,
    configured_pgbackrest,  # noqa: F401 - the fixture `pgbackrest`
    pgbackrest_lines,
    rows_of,
    running_story,  # noqa: F401 - the fixture `story`
    section,
    typed,
)
from tests.support.api import control, document
from tests.support.deliveries import ADMIN, QUICK
from tests.support.event_receiver import EventReceiver, receiving_events
from tests.support.mail_server import MailBox, link_in, quiet, receiving_mail, text_of
from tests.support.published_log import roots_of
from tests.support.time_limits import within
from tests.support.tokens import token
from tests.support.waiting import all_projected, until
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.auth.scopes import Scope
from tracker.delivery.endpoint import NewEndpoint
from tracker.postgres.database import Target

PENDING, STOPPED, WAITING = "bob@example.org", "cy@example.org", "dee@example.org"
"""Addresses: not yet confirmed; refused by the mail server for good; with a digest that waits for it."""
STATES = """
SELECT address, confirmation IS NOT NULL AS pending, stop_reason FROM alerts.subscriptions
"""
TABLES = """
SELECT format('%I.%I', nspname, relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'r' AND nspname !~ '^pg_|^information_schema$'
"""
ROWS = 'SELECT array_agg(row::text ORDER BY row::text COLLATE "C") FROM {} AS row'
ANSWER = """
query ($at: Position) {
  asOf(validAt: "2024-12-04", position: $at) {
    digest
    exportControls(first: 10) { totalCount nodes { key title clauses { key status } } }
  }
}
"""


@dataclass(frozen=True)
class Condition:
    """A tracker at the moment of its backup, and the secrets that others have."""

    rows: dict[str, list[str] | None]
    """All rows of each table."""
    head: int
    root: bytes
    answer: dict[str, Any]
    token: str
    confirmation: str
    """The link in the mail to the pending address."""
    end: str
    """The link in the mail to the confirmed address that ends its subscription."""


@dataclass
class Installation:
    """The programs around the database, which outlive it: a receiver, a mail server and the keys."""

    story: Story
    box: MailBox
    receiver: EventReceiver

    @asynccontextmanager
    async def serve(self, target: Target) -> AsyncIterator[Reader]:
        """Run a tracker with deliveries and mail on a database."""
        signing = SigningOptions(KeyStore(self.story.keys))
        mail = self.box.options(max_attempts=10_000)
        async with running_tracker(target, signing, delivery=QUICK, mail=mail) as services:
            yield Reader(services, self.box)

    def mails(self, address: str, subject: str) -> list[EmailMessage]:
        """Return the accepted mails to an address with such a subject."""
        return [
            each
            for each in self.box.messages
            if each["To"] == address and each["Subject"].startswith(subject)
        ]

    async def use(self, target: Target) -> Condition:
        """Subscribe people in each state, deliver and mail some events, and return the condition."""
        secret = await token(target, Scope.RECORD)
        async with self.serve(target) as reader:
            for address in (ADDRESS, STOPPED, WAITING):
                await reader.subscribe(address=address)
            await reader.request(address=PENDING)
            await until(lambda: self.mails(PENDING, "Confirm"))
            self.box.refusals.update({STOPPED: "550 unknown", WAITING: "451 later"})
            for name in ("active", "paused"):
                new = NewEndpoint(f"{self.receiver.url}/{name}", name, after=0)
                await reader.services.endpoints.add(new, ADMIN)
            await record(reader, "a", secret)
            await delivered(reader, "paused", 1)
            await reader.services.endpoints.pause("paused", ADMIN)
            await until(lambda: self.mails(ADDRESS, "Gallium"), 30)
            async with asyncio.timeout(within(30)):
                # The mail server refuses an address twice before its subscription stops.
                for number in range(2, 100):
                    await record(reader, f"a{number}", secret)
                    await quiet()
                    if (await reader.alerts.summary()).stopped:
                        break
            head = await reader.services.recorder.head()
            await delivered(reader, "active", head)
            answer = await answer_of(reader, head)
            await self.signed(target, head)
        [confirmation] = self.mails(PENDING, "Confirm")
        unsubscribe = self.mails(ADDRESS, "Gallium")[0]["List-Unsubscribe"]
        [end] = re.findall(r"<http://localhost(/alerts/unsubscribe\?[^>]+)>", unsubscribe)
        entries, _ = await rows_of(target)
        return Condition(
            await all_rows(target),
            head,
            roots_of(entries, [head])[head],
            answer,
            secret,
            link_in(confirmation, "/alerts/confirm"),
            end,
        )

    async def use_after_backup(self, target: Target, before: Condition) -> None:
        """Record and sign an event, mail it, and then end the confirmed subscription."""
        sent = len(self.box.contents)
        async with self.serve(target) as reader:
            position = await record(reader, "lost", before.token)
            await until(lambda: ADDRESS in self.mailed(sent, position), 30)
            await delivered(reader, "active", position)
            assert (await reader.post(before.end)).status_code == 200
            await self.signed(target, position)
        assert ADDRESS not in await states(target)

    async def signed(self, target: Target, size: int) -> bytes:
        """Return the signed root of a size, when there is one."""
        async with asyncio.timeout(within(30)):
            while size not in (signed := (await rows_of(target))[1]):
                await asyncio.sleep(0.05)
        return signed[size]

    async def compare(self, target: Target, before: Condition) -> None:
        """Compare a restored database with the former one, before a tracker runs on it."""
        restored = await all_rows(target)
        assert restored.keys() == before.rows.keys()
        assert not [name for name, rows in before.rows.items() if restored[name] != rows]
        entries, signed = await rows_of(target)
        assert roots_of(entries, [len(entries)])[len(entries)] == signed[before.head] == before.root
        assert await states(target) == {
            ADDRESS: (False, None),
            PENDING: (True, None),
            STOPPED: (False, "address"),
            WAITING: (False, None),
        }

    async def resume(self, target: Target, before: Condition) -> None:
        """Run a tracker on a restored database: it answers, records, delivers and mails as before.

        Events after the backup, which are back in the log, are delivered and mailed again.
        """
        head = len((await rows_of(target))[0])
        sent, received = len(self.box.contents), self.receiver.positions("active")
        self.box.refusals.clear()
        async with self.serve(target) as reader:
            await all_projected(reader.services)
            assert await answer_of(reader, before.head) == before.answer
            await until(lambda: self.mails(WAITING, "Gallium"), 30)
            if head > before.head:
                await until(lambda: ADDRESS in self.mailed(sent, head), 30)
            assert (await reader.post(before.confirmation)).status_code == 200
            assert (await reader.post(before.end)).status_code == 200

            assert await record(reader, "after", before.token) == head + 1
            await reader.services.endpoints.resume("paused", ADMIN)
            for name in ("active", "paused"):
                await delivered(reader, name, head + 1)
            await until(lambda: self.mailed(sent, head + 1) == {PENDING, WAITING}, 30)
            await self.signed(target, head + 1)
            await quiet()
        assert self.mailed(sent, head + 1) == {PENDING, WAITING}
        repeated = range(before.head + 1, head + 1)
        assert self.receiver.positions("active") == [*received, *repeated, head + 1]
        assert self.receiver.positions("paused") == [*range(1, head + 2)]
        assert await states(target) == {
            PENDING: (False, None),
            STOPPED: (False, "address"),
            WAITING: (False, None),
        }

    def mailed(self, sent: int, position: int) -> set[str]:
        """Return the addresses that got an event in a digest, after a number of mails."""
        return {
            each["To"]
            for each in self.box.messages[sent:]
            if f"/events/{position}?" in text_of(each)
        }


async def record(reader: Reader, id: str, secret: str) -> int:
    """Record a control over the API with a token, and return its position when it is projected."""
    answer = await reader.api.post(
        document("announceExportControl"),
        {"Authorization": f"Bearer {secret}"},
        input=control(id),
        key=id,
    )
    assert "errors" not in answer, answer
    position = int(answer["data"]["announceExportControl"]["position"])
    await reader.services.projector.reach(position, seconds=within(30))
    return position


async def delivered(reader: Reader, name: str, position: int) -> None:
    """Wait until the cursor of an endpoint is at a position."""
    async with asyncio.timeout(within(30)):
        while (await reader.services.endpoints.get(name, ADMIN)).position != position:
            await asyncio.sleep(0.05)


async def answer_of(reader: Reader, position: int) -> dict[str, Any]:
    """Return the answer to a query at a position, with the digest of the whole state."""
    data: dict[str, Any] = await reader.api.ask(ANSWER, at=str(position))
    return data


async def all_rows(target: Target) -> dict[str, list[str] | None]:
    """Return all rows of each table of a database, as text."""
    async with open_connection(target) as connection:
        names = [row["name"] for row in await connection.fetch(TABLES)]
        return {name: await connection.fetchval(ROWS.format(name)) for name in names}


async def states(target: Target) -> dict[str, tuple[bool, str | None]]:
    """Return by address whether a subscription waits for its confirmation, and why it stopped."""
    async with open_connection(target) as connection:
        rows = await connection.fetch(STATES)
    return {row["address"]: (row["pending"], row["stop_reason"]) for row in rows}


@pytest.fixture
def box() -> Iterator[MailBox]:
    """Run a mail server."""
    with receiving_mail() as box:
        yield box


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    """Keep an event loop between the documented lines, which run in the main thread."""
    with asyncio.Runner() as loop:
        yield loop


@pytest.fixture
def installation(story: Story, box: MailBox, loop: asyncio.Runner) -> Iterator[Installation]:
    """Run the programs around a database; they answer while the loop runs."""
    receiving = receiving_events()
    receiver = loop.run(receiving.__aenter__())
    yield Installation(story, box, receiver)
    loop.run(receiving.__aexit__(None, None, None))


def test_a_restored_dump_continues_deliveries_and_subscriptions_by_mail(
    story: Story, installation: Installation, loop: asyncio.Runner
) -> None:
    restored = story.other.target | {"database": "minerals"}
    before = loop.run(installation.use(story.primary.target))
    typed(story, "tracker key show > log.key\n" + section("Dumps"), {})
    loop.run(installation.compare(restored, before))
    loop.run(installation.resume(restored, before))


@pytest.mark.nightly
def test_a_restore_by_pgbackrest_repeats_deliveries_and_mails_after_its_moment(
    story: Story, pgbackrest: Path, installation: Installation, loop: asyncio.Runner
) -> None:
    restored = story.replacement.target | {"database": "minerals"}
    lines = pgbackrest_lines(story, pgbackrest)
    typed(story, lines.backup, lines.places)
    before = loop.run(installation.use(story.primary.target))
    typed(story, "tracker key show > log.key; step moment", {})
    loop.run(installation.use_after_backup(story.primary.target, before))
    restore = lines.restore.replace("--against bundle", "--against bundle || echo missing")
    printed = typed(story, f"tracker export bundle; step archive; step lose\n{restore}", {})
    last = before.head + 1
    assert f"position {last}: these events are missing" in printed
    loop.run(installation.compare(restored, before))
    tail = 'export TRACKER_DATABASE_URL="$REPLACED"; tracker restore --onto bundle --key log.key'
    typed(story, tail, {})
    loop.run(installation.resume(restored, before))
