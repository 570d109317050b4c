"""The mailer: errors of the mail server, limits, the lease, TLS and the times of digests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.bootstrap import open_connection, open_pool
from tests.support.cases import each_case
from tests.support.mail_server import MailBox, quiet, receiving_mail
from tests.support.receivers import certificate
from tests.support.time_limits import within
from tests.support.waiting import until
from tracker.alerts.letter import Letter, Paragraph
from tracker.alerts.mailer import Mailer, Mailing
from tracker.alerts.options import MailOptions, Tls
from tracker.alerts.store import Alerts
from tracker.alerts.subscription import Choice, Frequency, Subscription, next_due
from tracker.errors import InvalidInput, NotFound, Unavailable
from tracker.postgres.database import API, OWNER, Target


class Pages:
    """Pages whose changes a test sets, in place of queries."""

    def __init__(self) -> None:
        self.head = 1
        self.broken: dict[str, Exception] = {}
        self.compared = 0

    async def letter(
        self, subscription: Subscription, day: date, position: int, unsubscribe: str
    ) -> Letter | None:
        """Return the positions since the last digest."""
        target = subscription.choice.target
        self.compared += 1
        if target in self.broken:
            raise self.broken[target]
        if position == subscription.position:
            return None
        words = f"{subscription.position}-{position}"
        return Letter(f"{target} {words}", [Paragraph(words)])

    async def position(self) -> int:
        """Return the last position."""
        return self.head


class Post:
    """A mailer with its pages."""

    def __init__(self, target: Target, options: MailOptions, pages: Pages):
        self.target = target
        self.options = options
        self.pages = pages
        self.mailer = Mailer(target, options, pages, pages.position)
        self.results: list[tuple[str, str]] = []
        self.mailer.observe = lambda *seen: self.results.append(seen)

    async def add(self, page: str = "/a", address: str = "ann@example.org") -> UUID:
        """Add a confirmed subscription that is due."""
        id = uuid4()
        async with open_connection(self.target, role=OWNER) as connection:
            await connection.execute(
                "INSERT INTO alerts.subscriptions (id, address, address_key, target, frequency, time_zone,"
                " confirmed_at, position, day, due_at)"
                " VALUES ($1, $2, $3, $4, 'immediate', 'UTC', now(), 0, '2026-11-29', now())",
                *(id, address, address.encode(), page),
            )
        return id

    async def one(self, query: str) -> Any:
        """Return a value of the database."""
        async with open_connection(self.target, role=OWNER) as connection:
            return await connection.fetchval(query)


async def until_stopped(post: Post) -> None:
    """Wait until the only subscription has stopped."""
    for _ in range(200):
        if await post.one("SELECT stopped_at FROM alerts.subscriptions") is not None:
            return
        await quiet(0.05)
    raise AssertionError("the subscription did not stop")


@asynccontextmanager
async def posting(target: Target, box: MailBox, **options: Any) -> AsyncIterator[Post]:
    """Run a mailer."""
    post = Post(target, box.options(**options), Pages())
    async with post.mailer:
        yield post


async def test_a_temporary_refusal_is_retried_with_the_same_message(
    target: Target, box: MailBox
) -> None:
    box.refusals["ann@example.org"] = "451 try later"
    async with posting(target, box) as post:
        await post.add()
        await until(lambda: len(post.results) >= 2)
        box.refusals.clear()
        await box.wait_for(1)
        await quiet()
        assert len(box.contents) == 1
        assert set(post.results[:2]) == {("digest", "temporary")}
        assert post.results[-1] == ("digest", "sent")
        assert await post.one("SELECT max(attempts) FROM alerts.outbox") >= 3


async def test_temporary_refusals_end_after_the_last_attempt(target: Target, box: MailBox) -> None:
    box.data_answer = "452 full"
    async with posting(target, box, max_attempts=3) as post:
        await post.add()
        await until(lambda: len(post.results) >= 3)
        await quiet()
        assert post.results == [("digest", "temporary")] * 3
        assert await post.one("SELECT last_error FROM alerts.outbox") == "452 at DATA"
        assert await post.one("SELECT stopped_at FROM alerts.subscriptions") is None


async def test_permanent_refusals_stop_the_subscription(target: Target, box: MailBox) -> None:
    box.refusals["ann@example.org"] = "550 ann@example.org is unknown"
    async with posting(target, box) as post:
        await post.add()
        await post.add("/b", "bob@example.org")
        for head in (1, 2, 3, 4):
            post.pages.head = head
            await box.wait_for(head)
            refused = min(head, 2)
            await until(lambda n=refused: post.results.count(("digest", "permanent")) == n)  # type: ignore[misc]
        await quiet()
        assert post.results.count(("digest", "permanent")) == 2
        assert post.results.count(("digest", "sent")) == 4, "bob gets his"
        stopped = "SELECT array_agg(target) FROM alerts.subscriptions WHERE stopped_at IS NOT NULL"
        assert await post.one(stopped) == ["/a"]
        reason = "SELECT stop_reason FROM alerts.subscriptions WHERE target = '/a'"
        assert await post.one(reason) == "address"
        assert await post.one(
            "SELECT last_error FROM alerts.outbox WHERE failed_at IS NOT NULL LIMIT 1"
        ) == ("550 at RCPT")


async def test_a_mail_server_that_is_away_delays_and_loses_nothing(
    target: Target, box: MailBox
) -> None:
    async with posting(target, box, port=1, max_attempts=1) as post:
        await post.add()
        await until(lambda: len(post.results) >= 3)
        assert set(post.results) == {("digest", "unavailable")}
    async with posting(target, box) as post:
        [message] = await box.wait_for(1)
        assert message["Subject"] == "/a 0-1"


async def test_messages_per_minute_are_limited_and_share_connections(
    target: Target, box: MailBox
) -> None:
    async with posting(target, box, port=1) as before:
        for number in range(10):
            await before.add(f"/{number}", f"{number}@example.org")
        while await before.one("SELECT count(*) FROM alerts.outbox") < 10:
            await quiet(0.05)
    async with posting(target, box, messages_a_minute=7) as post:
        await box.wait_for(7)
        await quiet(1)
        assert len(box.contents) == 7
        assert box.connections == 1
        assert await post.one("SELECT count(*) FROM alerts.outbox WHERE message IS NOT NULL") == 3


async def test_a_mailer_stops_though_the_client_of_the_mail_server_swallows_the_cancellation(
    target: Target, box: MailBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending = asyncio.Event()

    async def swallow(_: Mailing) -> None:
        sending.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    monkeypatch.setattr(Mailing, "send", swallow)
    async with asyncio.timeout(within(10)):
        async with posting(target, box):
            await sending.wait()


async def test_one_page_that_fails_does_not_delay_others(target: Target, box: MailBox) -> None:
    async with posting(target, box) as post:
        post.pages.broken["/a"] = RuntimeError("a page that fails")
        await post.add("/a")
        await post.add("/b")
        [message] = await box.wait_for(1)
        assert message["Subject"] == "/b 0-1"
        post.pages.broken.clear()
        assert (await box.wait_for(2))[1]["Subject"] == "/a 0-1", (
            "the failed comparison lost nothing"
        )


@pytest.mark.parametrize(
    "error",
    [
        InvalidInput("'x' is not a commodity", code="UNKNOWN_COMMODITY", path=("commodities", 0)),
        InvalidInput("no page has this address", code="INVALID_TARGET", path=("target",)),
        NotFound("no place 'x'"),
    ],
)
async def test_a_page_that_is_invalid_for_good_stops_its_subscription(
    target: Target, box: MailBox, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    async with posting(target, box) as post:
        post.pages.broken["/a"] = error
        await post.add("/a")
        await until_stopped(post)
        compared = post.pages.compared
        post.pages.head = 2
        await quiet()
        assert post.pages.compared == compared, "no retry"
        assert await post.one("SELECT stop_reason FROM alerts.subscriptions") == "page"
        assert not [each for each in caplog.records if each.exc_info], "no traceback"
        assert f"a subscription stops, its page is invalid: {error.code}" in caplog.text  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "error",
    [
        InvalidInput("expected a position up to 7", code="POSITION_AHEAD", path=("position",)),
        InvalidInput("too costly", code="QUERY_TOO_COSTLY"),
        Unavailable("later"),
    ],
)
async def test_an_error_of_the_moment_stops_no_subscription(
    target: Target, box: MailBox, error: Exception
) -> None:
    async with posting(target, box) as post:
        post.pages.broken["/a"] = error
        await post.add("/a")
        await until(lambda: post.pages.compared >= 3)
        assert await post.one("SELECT stopped_at FROM alerts.subscriptions") is None
        post.pages.broken.clear()
        await box.wait_for(1)


async def test_of_two_mailers_one_sends_and_the_other_takes_over(
    target: Target, box: MailBox
) -> None:
    async with posting(target, box) as first:
        await first.add()
        await box.wait_for(1)
        second = Post(target, first.options, first.pages)
        async with second.mailer:
            first.pages.head = 2
            await until(lambda: len(first.results) == 2)
            assert not second.results
            await first.mailer.__aexit__(None, None, None)
            first.pages.head = 3
            await until(lambda: second.results)
            assert second.results == [("digest", "sent")]
            assert len(box.contents) == 3


async def test_a_server_without_tls_gets_no_message_if_tls_is_required(
    target: Target, box: MailBox
) -> None:
    for tls in (Tls.STARTTLS, Tls.IMPLICIT):
        async with posting(target, box, tls=tls) as post:
            await post.add()
            await until(lambda post=post: post.results)  # type: ignore[misc]
            assert post.results[0] == ("digest", "unavailable")
    assert not box.contents


async def test_a_database_that_does_not_exist_is_reported(target: Target, box: MailBox) -> None:
    post = Post({**target, "database": "nowhere"}, box.options(), Pages())
    async with post.mailer:
        await until(lambda: post.mailer.trouble)
        assert post.mailer.trouble == 'alerts have no database: database "nowhere" does not exist'


async def test_an_operator_deletes_an_address(target: Target, box: MailBox) -> None:
    async with open_pool(target, role=API) as pool:
        alerts = Alerts(pool, box.options())
        choice = Choice("/a", Frequency.DAILY, "UTC")
        for _ in range(2):
            await alerts.subscribe("ann@example.org", choice, lambda _: Letter("a", []))
        assert await alerts.remove_address("bob@example.org") == 0
        assert await alerts.remove_address("ann@example.org") == 2
        assert (await alerts.summary()).waiting == 0


@each_case(
    ("frequency", "zone", "now", "due"),
    [
        ("daily", "UTC", "2026-11-29T06:59:59", "2026-11-29T07:00:00"),
        ("daily", "UTC", "2026-11-29T07:00:00", "2026-11-30T07:00:00"),
        ("daily", "Asia/Tokyo", "2026-11-29T21:59:59", "2026-11-29T22:00:00"),
        ("weekly", "UTC", "2026-11-29T12:00:00", "2026-11-30T07:00:00"),
        ("weekly", "UTC", "2026-11-30T07:00:00", "2026-12-07T07:00:00"),
        ("daily", "Europe/Berlin", "2026-03-28T12:00:00", "2026-03-29T05:00:00"),
        ("daily", "Europe/Berlin", "2026-10-24T12:00:00", "2026-10-25T06:00:00"),
        ("weekly", "Pacific/Auckland", "2026-11-28T12:00:00", "2026-11-29T18:00:00"),
    ],
)
def test_digests_are_due_at_seven_local_time(frequency: str, zone: str, now: str, due: str) -> None:
    choice = Choice("/a", Frequency(frequency), zone)
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    expected = datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert next_due(choice, moment, timedelta(minutes=1)) == expected


async def test_starttls_encrypts_the_connection_and_checks_the_certificate(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_server, _ = certificate(tmp_path)
    with receiving_mail(tls_context=of_server, require_starttls=True) as box:
        async with posting(target, box, tls=Tls.STARTTLS) as post:
            await post.add()
            await until(lambda: post.results)
            assert post.results[0] == ("digest", "unavailable"), "an unknown certificate"
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "receiver.pem"))
        async with posting(target, box, tls=Tls.STARTTLS):
            await box.wait_for(1)
