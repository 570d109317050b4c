"""Acknowledged events have reached the synchronous standbys, if there are any."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.bootstrap import open_connection, open_pool
from tests.support.fact_builders import announced
from tests.support.importer import ImportFixture, line
from tests.support.log_events import event
from tests.support.published_log import fill, publisher
from tests.support.standbys import (
    CANCEL,
    TERMINATE,
    WAITING,
    cut_short,
    once_confirmed,
    wait_for_nobody,
)
from tests.support.time_limits import within
from tracker.audit.sign.keystore import KeyStore
from tracker.auth import tokens
from tracker.auth.scopes import Scope
from tracker.commands.handler import Commands
from tracker.errors import Unavailable
from tracker.log.append import AppendResult, append
from tracker.log.recorder import Recorder
from tracker.postgres.batching import UnconfirmedCommit
from tracker.postgres.database import API, OWNER, PUBLISHER, Target

TODAY = date(2025, 11, 20)


@pytest.fixture
async def lost_standby(
    target: Target, standby: Callable[[str], None], admin: asyncpg.Connection[asyncpg.Record]
) -> Callable[[], Awaitable[None]]:
    """Make every commit wait for a missing standby, until called."""
    await wait_for_nobody(target, standby, admin)

    async def call_off() -> None:
        await asyncio.to_thread(standby, "")

    return call_off


@pytest.fixture
async def hasty(target: Target) -> AsyncIterator[Recorder]:
    """Open a log with short timeouts."""
    async with open_pool(target, seconds=within(1)) as pool:
        yield Recorder(pool)


async def eventually(admin: asyncpg.Connection[asyncpg.Record], question: str) -> Any:
    """Return the first successful response."""
    async with asyncio.timeout(within(20)):
        while (answer := await admin.fetchval(question)) is None:
            await asyncio.sleep(0.01)
    return answer


async def heads(admin: asyncpg.Connection[asyncpg.Record]) -> int:
    """Return the number of events visible to others."""
    return int(await admin.fetchval("SELECT count(*) FROM log.events"))


async def test_an_append_that_waits_for_a_standby_is_given_up_but_never_cancelled(
    hasty: Recorder, admin: Any, lost_standby: Callable[[], Awaitable[None]]
) -> None:
    with pytest.raises(Unavailable, match="counts once"):
        await hasty.append([event("export-control/a", "a")])
    for _ in range(30):  # longer than a cancellation takes
        assert await admin.fetchval(WAITING)
        assert await heads(admin) == 0
        await asyncio.sleep(0.02)
    await lost_standby()
    await eventually(admin, "SELECT max(position) FROM log.events")
    again = await once_confirmed(lambda: hasty.append([event("export-control/a", "a")]))
    assert again.repeated


async def test_an_append_whose_caller_goes_is_not_cancelled(
    target: Target, admin: Any, lost_standby: Callable[[], Awaitable[None]]
) -> None:
    async with open_connection(target, role=API) as connection:
        appending = asyncio.create_task(append(connection, [[event("export-control/a", "a")]]))
        await eventually(admin, WAITING)
        appending.cancel()
        with suppress(asyncio.CancelledError):
            await appending
        await asyncio.sleep(0.3)
        assert connection.is_closed()
        assert await admin.fetchval(WAITING)
        assert await heads(admin) == 0
    await lost_standby()


@pytest.mark.parametrize(
    ("work", "end"),
    [
        *(
            (work, end)
            for work in ("append", "token", "revoke", "publish")
            for end in (CANCEL, TERMINATE)
        ),
        ("import", CANCEL),  # at its end PostgreSQL drops tables, and waits again
    ],
)
async def test_a_write_interrupted_while_waiting_for_a_standby_is_not_acknowledged(
    target: Target,
    recorder: Recorder,
    importer: ImportFixture,
    admin: Any,
    tmp_path: Path,
    standby: Callable[[str], None],
    work: str,
    end: str,
) -> None:
    keystore = KeyStore(tmp_path / "audit")
    keystore.load_or_create()
    async with (
        open_connection(target, role=OWNER) as owner,
        open_pool(target, role=PUBLISHER, size=3) as pool,
    ):
        publishing = publisher(pool, target, keystore, recorder=recorder)
        await publishing.catch_up()
        await tokens.create(owner, "before", [Scope.RECORD], None, TODAY)
        await fill(target, 1)
        assert await recorder.head() == 1  # unpublished events were visible before
        await wait_for_nobody(target, standby, admin)
        doing = asyncio.ensure_future(
            {
                "append": lambda: recorder.append([event("export-control/a", "a")]),
                "import": lambda: importer.take(line()),
                "token": lambda: tokens.create(owner, "a", [Scope.RECORD], None, TODAY),
                "revoke": lambda: tokens.revoke(owner, 1),
                "publish": publishing.catch_up,
            }[work]()
        )
        await cut_short(admin, end, doing)
        with pytest.raises((Unavailable, UnconfirmedCommit, asyncpg.ConnectionDoesNotExistError)):
            await doing


@pytest.mark.parametrize("ask", ["recorder", "commands"])
async def test_a_repeated_command_waits_for_the_standby_as_a_new_one_does(
    target: Target, hasty: Recorder, admin: Any, standby: Callable[[str], None], ask: str
) -> None:
    async def send() -> AppendResult:
        if ask == "recorder":
            return await hasty.append([event("export-control/a", "a")])
        return await Commands(hasty).record("export-control/b", announced(), idempotency_key="b")

    assert not (await send()).repeated
    await wait_for_nobody(target, standby, admin)
    with pytest.raises(Unavailable, match="counts once"):
        await send()
    await asyncio.to_thread(standby, "")
    assert (await once_confirmed(send)).repeated


async def test_without_standbys_a_repeated_command_writes_nothing(target: Target) -> None:
    async with open_connection(target, role=API) as connection:
        command = [event("export-control/a", "a")]
        await append(connection, [command])
        async with connection.transaction():
            [again] = await append(connection, [command])
            await connection.execute("SELECT log.confirm()")
            assert isinstance(again, AppendResult)
            assert again.repeated
            assert await connection.fetchval("SELECT pg_current_xact_id_if_assigned()") is None
