"""The first of several hosts that responds and fits is used."""

import asyncio
import socket
import time

import asyncpg
import pytest

from deploy.bootstrap import open_connection, open_pool
from tests.faults.proxy import Proxy
from tests.support.time_limits import within
from tracker.postgres.database import HOST_TIMEOUT_SECONDS, Target, connect
from tracker.postgres.database_url import target_from_url
from tracker.postgres.hosts import HEAD_START_SECONDS


@pytest.fixture
def hosts(target: Target, proxy: Proxy) -> Target:
    """Return the database with two hosts: the proxy, and PostgreSQL itself."""
    return {**target, "host": [proxy.target["host"], target["host"]]}


async def test_a_silent_host_costs_a_moment_once(hosts: Target, proxy: Proxy) -> None:
    proxy.swallow()
    begun = time.monotonic()
    async with open_connection(hosts) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    assert HEAD_START_SECONDS <= time.monotonic() - begun < HOST_TIMEOUT_SECONDS
    asked = proxy.connections
    async with open_connection(hosts) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    assert proxy.connections == asked, "what was taken last is asked first"


async def test_while_a_host_is_silent_another_is_taken_once_it_does_what_is_wanted(
    hosts: Target, proxy: Proxy, target: Target
) -> None:
    proxy.swallow()
    setting = f"ALTER DATABASE {target['database']} SET default_transaction_read_only"
    async with open_connection(target) as admin:
        await admin.execute(f"{setting} = on")
        taken = asyncio.create_task(connect({**hosts, "target_session_attrs": "read-write"}))
        await asyncio.sleep(1)
        assert not taken.done()
        await admin.execute(f"BEGIN READ WRITE; {setting} = off; COMMIT")
    begun = time.monotonic()
    (await taken).terminate()
    assert time.monotonic() - begun < within(1)


async def test_a_pool_passes_it_over_too(hosts: Target, proxy: Proxy) -> None:
    proxy.swallow()
    async with open_pool({**hosts, "timeout": 1}) as pool:
        assert await pool.fetchval("SELECT 1") == 1


async def test_a_host_without_a_server_is_passed_over_at_once(target: Target) -> None:
    with socket.socket() as taken:  # bound, without a listener
        taken.bind(("127.0.0.1", 0))
        hosts = ["127.0.0.1", target["host"]]
        ports = [taken.getsockname()[1], target["port"]]
        begun = time.monotonic()
        async with open_connection({**target, "host": hosts, "port": ports}) as connection:
            assert await connection.fetchval("SELECT 1") == 1
    assert time.monotonic() - begun < HOST_TIMEOUT_SECONDS


async def test_a_server_that_refuses_the_login_is_not_passed_over(hosts: Target) -> None:
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        async with open_connection({**hosts, "database": "no_such_database"}):
            pass


@pytest.mark.parametrize("wanted", ["any", "primary", "prefer-standby", "read-write"])
async def test_the_demand_on_a_host_is_met(hosts: Target, wanted: str) -> None:
    async with open_connection({**hosts, "target_session_attrs": wanted}) as connection:
        assert await connection.fetchval("SELECT pg_is_in_recovery()") is False


async def test_where_no_host_is_as_wanted_that_is_said(hosts: Target) -> None:
    with pytest.raises(asyncpg.TargetServerAttributeNotMatched):
        async with open_connection({**hosts, "target_session_attrs": "standby"}):
            pass


async def test_where_no_host_answers_that_is_said(hosts: Target, proxy: Proxy) -> None:
    proxy.swallow()
    with pytest.raises(TimeoutError):
        async with open_connection({**hosts, "host": [proxy.target["host"]] * 2, "timeout": 0.2}):
            pass


def test_the_address_says_what_is_wanted_and_how_long_to_wait() -> None:
    target = target_from_url(
        "postgresql://a,b:5433/m?target_session_attrs=read-write&connect_timeout=2&sslmode=require"
    )
    assert target == {
        "host": ["a", "b"],
        "port": [5432, 5433],
        "database": "m",
        "timeout": 2,
        "target_session_attrs": "read-write",
        "dsn": "postgresql://?sslmode=require",
    }
