"""The tracker over PgBouncer in transaction mode, with the files of `deploy/manifests/pooler` and
`deploy/manifests/database`.

Everything works, and unsuitable settings are refused at start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
import httpx2
import pytest
from typer.testing import CliRunner

from deploy.bootstrap import open_connection, open_pool, prepare, running_tracker
from deploy.cli.main import app
from deploy.cli.process import Exit
from deploy.config import settings
from deploy.config.table import WrongSetting
from schema.services import Access, Services
from tests.support.checkout import ROOT
from tests.support.log_events import event
from tests.support.poolers import PGBOUNCER, Pooler, prepare_logins, running_pooler
from tests.support.replication import Server, running_primary
from tests.support.standbys import CANCEL, WAITING, cut_short, wait_for_nobody
from tests.support.time_limits import within
from tests.support.web_server import serving
from tests.support.websocket_client import connected, events, subscribe
from tracker.errors import Unavailable
from tracker.log.follower import wait_for_event
from tracker.log.recorder import Recorder
from tracker.postgres import pooler as pooler_check
from tracker.postgres.database import API
from tracker.postgres.pooler import check_pooler
from tracker.postgres.session_settings import (
    SILENCE_TIMEOUT_SECONDS,
    TRANSPORT_SETTINGS,
    UnsuitableConnection,
    session_settings,
)

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="PgBouncer is not installed")
NEEDED = {**session_settings(API), **TRANSPORT_SETTINGS}
IGNORED = {"ignore_startup_parameters =": f"ignore_startup_parameters = {','.join(NEEDED)}"}
WRITER = {"Authorization": "Bearer token"}
FOUND = """mutation ($id: String!) { foundAlliance(input: {id: $id, on: "2026-01-01", name: "Pooled",
    source: {publisher: "test", name: "Test", publishedOn: "2026-01-01"}}) { position } }"""
ASK = """query ($id: String!, $position: Position) {
    asOf(minPosition: $position) { alliance(id: $id) { name } } }"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a PostgreSQL with the operators' logins."""
    with running_primary() as primary:
        prepare_logins(primary)
        yield primary


@pytest.fixture(scope="module")
def pooler(server: Server) -> Iterator[Pooler]:
    """Run the pooler with the operators' file."""
    with running_pooler(server) as pooler:
        yield pooler


@asynccontextmanager
async def over(pooler: Pooler) -> AsyncIterator[Services]:
    """Run a tracker over a pooler."""
    async with running_tracker(pooler.direct, pooled=pooler.pooled) as services:
        yield services


async def graphql(client: httpx2.AsyncClient, document: str, **variables: Any) -> Any:
    """Return the data of a response."""
    sent = {"query": document, "variables": variables}
    answer = (await client.post("/graphql", json=sent, headers=WRITER)).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def test_the_api_works_over_the_pooler_and_wakes_at_once(
    pooler: Pooler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait_for_event, "__defaults__", (300,))  # no polling without notifications
    async with (
        over(pooler) as services,
        serving(services, Access(token="token")) as (address, _, _),
        httpx2.AsyncClient(base_url=f"http://{address}", timeout=within(60)) as client,
        connected(f"ws://{address}/graphql") as socket,
    ):
        await subscribe(socket, after=0)
        followed = events(socket)
        for number in range(3):
            name = f"pooled-{number}"
            position = (await graphql(client, FOUND, id=name))["foundAlliance"]["position"]
            found = await graphql(client, ASK, id=name, position=position)
            assert found["asOf"]["alliance"] == {"name": "Pooled"}
            assert (await anext(followed))["entity"] == f"alliance/{name}"
        assert (await client.get("/readyz")).status_code == 200
        questions = services.recorder._pool, services.recorder._appending_pool, services.as_of._pool
        logins = [await pool.fetchval("SELECT session_user::text") for pool in questions]
        assert logins == ["web_pooled"] * len(questions)


async def test_without_the_pooler_nothing_is_answered_and_with_it_all_again(server: Server) -> None:
    async def head(client: httpx2.AsyncClient) -> Any:
        return (await client.post("/graphql", json={"query": "{ head }"})).json()

    with running_pooler(server) as pooler:
        async with (
            over(pooler) as services,
            serving(services, Access()) as (address, _, _),
            httpx2.AsyncClient(base_url=f"http://{address}", timeout=within(60)) as client,
        ):
            before = await head(client)
            pooler.kill()
            [error] = (await head(client))["errors"]
            assert error["extensions"]["code"] == "UNAVAILABLE"
            pooler.start()
            assert await head(client) == before


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"max_prepared_statements = 500": "max_prepared_statements = 0"}, "LOSES_STATEMENTS"),
        (
            {
                "default_pool_size = 20": "default_pool_size = 1",
                "reserve_pool_size = 5": "reserve_pool_size = 0",
            },
            "TOO_SMALL",
        ),
        ({"dbname=minerals": "dbname=tracker"}, "LEADS_ELSEWHERE"),
        ({"dbname=minerals": "dbname=minerals user=web"}, "LACKS_SETTINGS"),
        ({"dbname=minerals": "dbname=minerals user=tracker"}, "SUPERUSER"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_pooler_that_will_not_do_is_refused_at_start(
    server: Server, changes: dict[str, str], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooler_check, "ANSWER_TIMEOUT_SECONDS", within(1))
    with running_pooler(server, changes) as pooler:
        with pytest.raises(UnsuitableConnection) as refused:
            async with over(pooler):
                pass
        assert refused.value.code == f"POOLER_{code}"


async def test_the_statements_that_a_refusal_names_mend_it(server: Server) -> None:
    server.sql("CREATE ROLE \"Plain login\" LOGIN PASSWORD 'a-password-of-the-tests'")
    server.sql('GRANT CONNECT ON DATABASE minerals TO "Plain login"')
    with (
        running_pooler(server, login="Plain login") as pooler,
        pytest.raises(UnsuitableConnection, match="RECONNECT") as refused,
    ):
        await check_pooler(pooler.pooled, pooler.direct)
    said = refused.value.message
    server.sql(said[said.index("GRANT") : said.rindex(";") + 1])
    with running_pooler(server, login="Plain login") as pooler:
        await check_pooler(pooler.pooled, pooler.direct)


@pytest.mark.parametrize("changes", [{}, IGNORED], ids=["refused", "ignored"])
@pytest.mark.parametrize("mode", ["transaction", "session"])
@pytest.mark.parametrize("login", ["minerals_admin", "web_pooled"])
async def test_a_pooler_that_takes_no_settings_is_not_a_direct_way(
    server: Server, changes: dict[str, str], mode: str, login: str
) -> None:
    modes = {"pool_mode = transaction": f"pool_mode = {mode}"}
    with running_pooler(server, changes | modes, login=login) as pooler:
        with pytest.raises(UnsuitableConnection, match="TRACKER_DIRECT_URL") as refused:
            await prepare(pooler.pooled)
        assert refused.value.code == "POOLER_NEEDS_DIRECT_URL"


async def test_a_pooler_of_sessions_will_do_as_well(server: Server) -> None:
    modes = {
        "pool_mode = transaction": "pool_mode = session",
        "server_reset_query =": "server_reset_query = DISCARD ALL",
    }
    with running_pooler(server, modes) as pooler:
        for _ in range(2):  # the second has connections that the first has given back
            await check_pooler(pooler.pooled, pooler.direct)


@pytest.fixture
async def admin(server: Server) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Open an administrator's connection to the database."""
    async with open_connection({**server.target, "database": "minerals"}) as connection:
        yield connection


@pytest.fixture
async def call_off(server: Server, admin: Any) -> AsyncIterator[Callable[[], None]]:
    """Make every commit wait for a missing standby, until called."""

    def wait_for(name: str) -> None:
        server.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        server.sql("SELECT pg_reload_conf()")

    await wait_for_nobody({**server.target, "database": "minerals"}, wait_for, admin)
    yield partial(wait_for, "")
    wait_for("")


async def test_an_append_whose_wait_for_a_standby_was_cut_short_is_not_acknowledged(
    pooler: Pooler, admin: Any, call_off: Callable[[], None]
) -> None:
    async with open_pool(pooler.pooled, pooled=True) as pool:
        appending = asyncio.ensure_future(Recorder(pool).append([event("alliance/cut", "cut")]))
        await cut_short(admin, CANCEL, appending)
        with pytest.raises(Unavailable, match="counts once"):
            await appending


async def test_an_append_that_is_given_up_goes_on_behind_the_pooler(
    pooler: Pooler, admin: Any, call_off: Callable[[], None]
) -> None:
    count = "SELECT count(*) FROM log.events WHERE event_id = 'given-up'"
    async with open_pool(pooler.pooled, pooled=True, seconds=within(0.5)) as pool:
        with pytest.raises(Unavailable, match="counts once"):
            await Recorder(pool).append([event("alliance/given-up", "given-up")])
    for _ in range(15):  # longer than a cancellation takes
        assert await admin.fetchval(WAITING)
        assert await admin.fetchval(count) == 0
        await asyncio.sleep(0.02)
    call_off()
    async with asyncio.timeout(within(20)):
        while not await admin.fetchval(count):
            await asyncio.sleep(0.01)


async def test_streams_that_a_client_leaves_open_end_with_it(pooler: Pooler) -> None:
    async with (
        open_pool(pooler.pooled, pooled=True, size=2) as pool,
        pool.acquire() as leaving,
        pool.acquire() as staying,
    ):
        await leaving.transaction().start()
        await leaving.execute("SELECT pg_advisory_xact_lock(20)")
        leaving.terminate()
        async with asyncio.timeout(SILENCE_TIMEOUT_SECONDS), staying.transaction():
            await staying.execute("SELECT pg_advisory_xact_lock(20)")


async def test_a_question_that_takes_too_long_in_a_transaction_is_cancelled(
    pooler: Pooler, admin: Any
) -> None:
    async with open_pool(pooler.pooled, pooled=True, size=1, seconds=within(0.5)) as pool:
        with pytest.raises(TimeoutError):
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("SELECT pg_sleep(60)")
        assert await pool.fetchval("SELECT 1") == 1
    async with asyncio.timeout(within(10)):
        while await admin.fetch("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):
            await asyncio.sleep(0.02)


def test_a_command_says_what_is_missing(pooler: Pooler) -> None:
    result = CliRunner().invoke(
        app, ["query", "{ head }"], env={"TRACKER_DATABASE_URL": pooler.pooled_url}
    )
    assert (result.exit_code, result.stdout) == (Exit.UNAVAILABLE, "")
    assert "(POOLER_NEEDS_DIRECT_URL)" in result.stderr


def test_the_settings_of_the_login_are_those_that_sessions_get() -> None:
    written = (ROOT / "deploy" / "manifests" / "database" / "pooled.sql").read_text(
        encoding="utf-8"
    )
    lines = [line for line in written.splitlines() if line.startswith("ALTER ROLE web_pooled SET ")]
    given = dict(line.rstrip(";").split(" SET ")[1].split(" = ") for line in lines)
    assert {name: value.strip("'") for name, value in given.items()} == NEEDED


def test_commands_go_the_direct_way_and_a_direct_way_alone_is_refused() -> None:
    both = {
        "TRACKER_DATABASE_URL": "postgresql://a:secret-a@pooler:6432/m",
        "TRACKER_DIRECT_URL": "postgresql://b:secret-b@db/m",
    }
    direct, pooled = settings.database_target(both), settings.pooled_target(both)
    assert direct
    assert pooled
    assert (direct["user"], pooled["user"]) == ("b", "a")
    assert {"secret-a", "secret-b"} <= set(settings.secrets(both))
    assert settings.pooled_target({"TRACKER_DATABASE_URL": "postgresql://db"}) is None
    with pytest.raises(WrongSetting, match="TRACKER_DATABASE_URL as well"):
        settings.check({"TRACKER_DIRECT_URL": "postgresql://db/m"})
    with pytest.raises(WrongSetting, match=r"^TRACKER_DIRECT_URL: "):
        settings.check(both | {"TRACKER_DIRECT_URL": "mysql://db/m"})
