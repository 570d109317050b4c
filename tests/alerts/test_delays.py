"""Mail waits neither for one recipient nor for one page."""

import asyncio
from datetime import date

import pytest

from deploy.bootstrap import open_connection
from schema.execution import executor
from tests.alerts.conftest import Reader
from tests.alerts.test_mailer import Pages, Post, posting
from tests.support.mail_server import MailBox, quiet
from tests.support.time_limits import within
from tests.support.waiting import until
from tracker.alerts import mailer
from tracker.alerts.letter import Letter
from tracker.alerts.mailer import COMPOSING, DELIVERING
from tracker.alerts.subscription import Subscription
from tracker.errors import Unavailable
from tracker.postgres.database import Target

HANGS = "ann@slow.example"
OTHERS = ("bob@example.org", "eve@example.net", "joe@example.com")


def recipients(box: MailBox) -> list[str]:
    """Return the recipients of the accepted messages, in order."""
    return [str(message["To"]) for message in box.messages]


@pytest.mark.parametrize("silent", ["the recipient", "the text"])
async def test_a_recipient_whose_server_hangs_delays_no_other(
    target: Target, box: MailBox, silent: str
) -> None:
    if silent == "the recipient":
        box.hanging.add(HANGS)
    else:
        box.hanging_texts.add(b"To: " + HANGS.encode())
    async with posting(target, box, timeout_seconds=60) as post:
        await post.add("/a", HANGS)
        await until(lambda: box.connections)
        for number, address in enumerate(OTHERS):
            await post.add(f"/{number}", address)
        await until(lambda: set(OTHERS) <= set(recipients(box)))
        await until(lambda: len(post.results) == len(OTHERS))
        assert set(post.results) == {("digest", "sent")}, "the first one still hangs"
        box.hanging.clear()
        box.hanging_texts.clear()
        await until(lambda: len(post.results) == len(OTHERS) + 1)
        await quiet()
        assert sorted(recipients(box)) == sorted([HANGS, *OTHERS]), "each once"


async def test_recipients_of_a_domain_that_hangs_take_one_delivery_and_wait_together(
    target: Target, box: MailBox
) -> None:
    slow = [f"{number}@slow.example" for number in range(3 * DELIVERING)]
    box.hanging.update(slow)
    post = Post(target, box.options(timeout_seconds=0.5, max_attempts=99), Pages())
    for address in slow:
        await post.add("/a", address)
    async with post.mailer:
        await until(lambda: ("digest", "timeout") in post.results)
        tried = "SELECT count(*) FROM alerts.outbox WHERE attempts > 0"
        assert await post.one(tried) <= 2, "the others of the domain wait without an attempt"
        await post.add("/b", OTHERS[0])
        await box.wait_for(1)
        assert recipients(box) == [OTHERS[0]]
        box.hanging.clear()
        await box.wait_for(1 + len(slow))


async def test_a_message_that_timed_out_is_sent_again_with_the_same_id(
    target: Target, box: MailBox
) -> None:
    box.hanging_texts.add(HANGS.encode())
    async with posting(target, box, timeout_seconds=0.3, max_attempts=99) as post:
        await post.add("/a", HANGS)
        await until(lambda: post.results.count(("digest", "timeout")) == 2)
        assert await post.one("SELECT last_error FROM alerts.outbox") == "no answer at DATA"
        box.hanging_texts.clear()
        await until(lambda: ("digest", "sent") in post.results)
        assert len({message["Message-ID"] for message in box.messages}) == 1
        assert len(set(box.contents)) == 1


async def test_timeouts_of_a_recipient_end_after_the_last_attempt(
    target: Target, box: MailBox
) -> None:
    box.hanging.add(HANGS)
    async with posting(target, box, timeout_seconds=0.2, max_attempts=2) as post:
        await post.add("/a", HANGS)
        await until(lambda: post.results == [("digest", "timeout")] * 2)
        await quiet()
        assert await post.one("SELECT count(failed_at) FROM alerts.outbox") == 1
        assert await post.one("SELECT stopped_at FROM alerts.subscriptions") is None


@pytest.mark.parametrize("answer", ["421 closing", "451 try later", "550 unknown", "999 nonsense"])
async def test_a_refused_recipient_delays_no_other_of_its_domain(
    target: Target, box: MailBox, answer: str
) -> None:
    box.refusals["ann@example.org"] = answer
    post = Post(target, box.options(), Pages())
    for address in ("ann@example.org", "bob@example.org", "joe@example.com"):
        await post.add("/a", address)
    async with post.mailer:
        await box.wait_for(2)
        assert sorted(recipients(box)) == ["bob@example.org", "joe@example.com"]
        assert ("digest", "unavailable") not in post.results


async def test_an_outage_of_the_mail_server_takes_no_attempt_of_a_message(
    target: Target, box: MailBox
) -> None:
    post = Post(target, box.options(port=1), Pages())
    for number in range(2 * DELIVERING):
        await post.add("/a", f"ann@{number}.example")
    async with post.mailer:
        await until(lambda: ("digest", "unavailable") in post.results)
        await quiet()
        assert await post.one("SELECT max(attempts) FROM alerts.outbox") == 0
    async with posting(target, box):
        await box.wait_for(2 * DELIVERING)


async def test_deliveries_at_once_are_limited(target: Target, box: MailBox) -> None:
    slow = {f"ann@{number}.example" for number in range(2 * DELIVERING)}
    box.hanging |= slow
    post = Post(target, box.options(timeout_seconds=60), Pages())
    for address in slow:
        await post.add("/a", address)
    async with post.mailer:
        await until(lambda: box.connections == DELIVERING)
        await quiet()
        assert box.connections == DELIVERING
        box.hanging.clear()
        await box.wait_for(len(slow))
        await quiet()
        assert sorted(recipients(box)) == sorted(slow), "each once"


async def test_a_mailer_stops_while_recipients_hang(
    target: Target, box: MailBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailer, "STOP_SECONDS", 0.1)
    box.hanging |= {f"ann@{number}.example" for number in range(DELIVERING)}
    async with asyncio.timeout(within(20)):
        async with posting(target, box, timeout_seconds=60) as post:
            for address in box.hanging:
                await post.add("/a", address)
            await until(lambda: box.connections == DELIVERING)


class SlowPages(Pages):
    """Pages of which some take as long as a test lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.slow: set[str] = set()
        self.at_once = self.most_at_once = 0

    async def letter(
        self, subscription: Subscription, day: date, position: int, unsubscribe: str
    ) -> Letter | None:
        """Return the letter of a page, after its time."""
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            while subscription.choice.target in self.slow:
                await asyncio.sleep(0.01)
            return await super().letter(subscription, day, position, unsubscribe)
        finally:
            self.at_once -= 1


async def test_a_page_that_hangs_delays_no_digest_of_another(target: Target, box: MailBox) -> None:
    pages = SlowPages()
    pages.slow.add("/slow")
    post = Post(target, box.options(), pages)
    await post.add("/slow")
    async with post.mailer:
        await until(lambda: pages.at_once)
        for page in "abc":
            await post.add(f"/{page}")
        subjects = {message["Subject"] for message in await box.wait_for(3)}
        assert subjects == {"/a 0-1", "/b 0-1", "/c 0-1"}
        pages.slow.clear()
        assert (await box.wait_for(4))[-1]["Subject"] == "/slow 0-1"


async def test_digests_at_once_are_limited(target: Target, box: MailBox) -> None:
    pages = SlowPages()
    pages.slow |= {f"/{number}" for number in range(COMPOSING + 3)}
    post = Post(target, box.options(), pages)
    for page in pages.slow:
        await post.add(page)
    async with post.mailer:
        await until(lambda: pages.at_once == COMPOSING)
        await quiet()
        count = len(pages.slow)
        pages.slow.clear()
        await box.wait_for(count)
        assert pages.most_at_once == COMPOSING


async def test_a_page_that_hangs_for_good_is_ended_and_postponed(
    target: Target, box: MailBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.alerts.mailer.COMPOSE_SECONDS", 0.2)
    pages = SlowPages()
    pages.slow |= {f"/{number}" for number in range(COMPOSING)}
    post = Post(target, box.options(), pages)
    for page in (*pages.slow, "/b"):
        await post.add(page)
    async with post.mailer:
        await box.wait_for(1)
        pages.slow.clear()
        await box.wait_for(COMPOSING + 1)


async def test_a_page_that_fails_is_retried_less_and_less_often(
    target: Target, box: MailBox
) -> None:
    async with posting(target, box) as post:
        post.pages.broken["/a"] = Unavailable("No response in 20 seconds", code="TIMEOUT")
        await post.add("/a")
        await until(lambda: post.pages.compared >= 4)
        started = post.pages.compared
        await quiet(1)
        assert post.pages.compared - started <= 5, "the last interval of the schedule is 0.3 s"
        await post.add("/b")
        assert (await box.wait_for(1))[0]["Subject"] == "/b 0-1"


async def test_a_page_over_its_time_limit_delays_no_digest_of_another(
    reader: Reader, target: Target, box: MailBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reader.subscribe("/search?q=gallium")
    await reader.subscribe("/commodities/gallium")
    monkeypatch.setattr(executor, "ANSWER_TIMEOUT_SECONDS", 1)
    async with open_connection(target) as connection, connection.transaction():
        await connection.execute("LOCK TABLE projection.documents IN ACCESS EXCLUSIVE MODE")
        await reader.record()
        subject = (await box.wait_for(3))[2]["Subject"]
        assert subject.startswith("Gallium: ")
        await quiet(2)
        assert len(box.contents) == 3
    assert (await box.wait_for(4))[3]["Subject"].startswith("Search on this site")
