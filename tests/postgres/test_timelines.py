"""Once a server has been promoted, this process is done with its predecessors."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from deploy.bootstrap import open_connection, open_pool
from deploy.postgres import Postgres
from tests.faults.proxy import Proxy
from tracker.postgres.database import CONNECTION_ERRORS, Target
from tracker.postgres.hosts import CLUSTERS, OLD_TIMELINE_SECONDS, Cluster, OldTimeline

BACKEND = "SELECT pg_backend_pid()"


@dataclass(eq=False)
class Link:
    """The used part of a connection."""

    ended: bool = False
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def is_closed(self) -> bool:
        return self.ended

    def terminate(self) -> None:
        self.ended = True


async def test_a_newer_timeline_ends_the_connections_to_older_ones_and_no_others() -> None:
    cluster, links = Cluster(), [Link() for _ in range(4)]
    for link, timeline in zip(links, (1, 1, 2, 2), strict=True):
        cluster.admit(link, timeline)
    await asyncio.sleep(0)
    assert [link.ended for link in links] == [True, True, False, False]


async def test_no_connection_is_made_to_an_old_primary() -> None:
    cluster = Cluster()
    cluster.admit(Link(), 2)
    with pytest.raises(OldTimeline, match="timeline 1, but 2"):
        cluster.admit(Link(), 1)


async def test_where_the_newer_one_has_been_gone_for_long_an_older_one_is_taken() -> None:
    cluster, newer, older = Cluster(), Link(), Link()
    cluster.admit(newer, 2)
    cluster.seen_at -= OLD_TIMELINE_SECONDS
    with pytest.raises(OldTimeline):
        cluster.admit(older, 1)
    newer.terminate()
    cluster.admit(older, 1)
    assert cluster.timeline == 1


@pytest.mark.parametrize("pooled", [False, True])
async def test_busy_connections_of_a_pool_end_too_and_it_makes_new_ones(
    server: Postgres, target: Target, tmp_path: Path, pooled: bool
) -> None:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(Proxy(server.connection, tmp_path))
        way = {**target, "host": proxy.target["host"]} if pooled else target
        pool = await stack.enter_async_context(open_pool(way, beside=target))
        direct = await stack.enter_async_context(open_connection(target))
        cluster = next(c for c in CLUSTERS.values() if direct in c.connections)
        known = cluster.timeline
        async with pool.acquire() as connection:
            old = await connection.fetchval(BACKEND)
            busy = asyncio.create_task(connection.execute("SELECT pg_sleep(60)"))
            await asyncio.sleep(0.2)
            try:
                cluster.admit(Link(), known + 1)
                with pytest.raises(CONNECTION_ERRORS):
                    await busy
            finally:
                cluster.timeline = known
        assert await pool.fetchval(BACKEND) != old


async def test_a_connection_whose_server_takes_no_writes_any_more_is_not_used_again(
    target: Target,
) -> None:
    async with open_pool(target, role=None) as pool:
        old = await pool.fetchval(BACKEND)
        await pool.execute("SET default_transaction_read_only = on")
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await pool.execute("CREATE TABLE a ()")
        for _ in range(5):  # it ends in one of the next loop iterations
            await asyncio.sleep(0)
        assert await pool.fetchval(BACKEND) != old
