"""Alerts survive `kill -9` at any point: each change is in one message id, and none is lost."""

import asyncio
import json
import random
import re
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deploy.bootstrap import open_connection, open_pool
from tests.support.fact_builders import announced
from tests.support.mail_server import MailBox, parsed, text_of
from tests.support.mailing_process import POINTS
from tests.support.time_limits import within
from tests.support.waiting import until
from tracker.alerts.letter import Letter
from tracker.alerts.store import Alerts
from tracker.alerts.subscription import Choice, Frequency
from tracker.commands.handler import Commands
from tracker.log.recorder import Recorder
from tracker.postgres.database import API, Target

EVENTS = 3


@asynccontextmanager
async def mailing(
    target: Target, box: MailBox, point: str = ""
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a mailer in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.mailing_process"),
        *(json.dumps(target), str(box.port), point),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def subscribe(target: Target, box: MailBox) -> None:
    """Add a confirmed subscription to an empty log."""
    choice, tokens = Choice("/", Frequency.IMMEDIATE, "UTC"), list[str]()

    def letter(token: str) -> Letter:
        tokens.append(token)
        return Letter("", [])

    async with open_pool(target, role=API) as pool:
        alerts = Alerts(pool, box.options())
        await alerts.subscribe("ann@example.org", choice, letter)
        await alerts.confirm(tokens[0], 0)
    async with open_connection(target) as connection:
        await connection.execute("DELETE FROM alerts.outbox")  # the confirmation mail


def positions_by_id(box: MailBox) -> dict[str, set[int]]:
    """Return the events in each message id; repetitions of an id must have the same bytes."""
    contents: dict[str, set[bytes]] = defaultdict(set)
    found = {}
    for content in list(box.contents):  # the mail server appends in its thread
        message = parsed(content)
        contents[message["Message-ID"]].add(content)
        found[message["Message-ID"]] = set(
            map(int, re.findall(r"/events/(\d+)\?", text_of(message)))
        )
    assert all(len(each) == 1 for each in contents.values()), "a retry sends the same bytes"
    return found


def all_positions(box: MailBox) -> list[int]:
    """Return the events of all message ids, each as often as ids have it."""
    return sorted(position for each in positions_by_id(box).values() for position in each)


@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_at_any_point_loses_no_digest_and_doubles_no_message_id(
    target: Target, box: MailBox, recorder: Recorder, point: str
) -> None:
    await subscribe(target, box)
    commands = Commands(recorder)
    for number in range(EVENTS):
        await commands.record(f"export-control/{number}", announced())
    async with mailing(target, box, point) as process:
        assert await asyncio.wait_for(process.wait(), within(60)) == -signal.SIGKILL
    accepted = len(box.contents)
    assert accepted == (1 if point.startswith("after the mail") or "marked" in point else 0)
    async with mailing(target, box):
        await until(lambda: all_positions(box) == [1, 2, 3], 60)
        await commands.record("export-control/last", announced())
        await until(lambda: all_positions(box) == [1, 2, 3, 4], 60)
    repeated = 1 if point.startswith("after the mail") else 0
    assert len(box.contents) == len(positions_by_id(box)) + repeated


@pytest.mark.nightly
async def test_kills_at_random_times_lose_and_double_nothing(
    target: Target, box: MailBox, recorder: Recorder
) -> None:
    await subscribe(target, box)
    commands, chance, recorded = Commands(recorder), random.Random(), 0
    for _ in range(4):
        async with mailing(target, box) as process:
            assert process.stdout is not None
            await asyncio.wait_for(process.stdout.readline(), within(60))
            for _ in range(3):
                await commands.record(f"export-control/{recorded}", announced())
                recorded += 1
                await asyncio.sleep(chance.uniform(0, 0.3))
            process.kill()
            await process.wait()
    async with mailing(target, box):
        await until(lambda: len(all_positions(box)) >= recorded, 60)
    assert all_positions(box) == [*range(1, recorded + 1)]
