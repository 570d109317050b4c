"""Tokens and scopes: rights to read and write, and expiry."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import websockets

from deploy.bootstrap import open_connection
from deploy.cli.query import CLI_CALLER
from deploy.cli.token import as_owner
from deploy.config import settings
from deploy.config.access import access
from deploy.web.connections import Limits
from schema.http.authentication import AccessControl
from schema.http.limits import TokenBuckets, client_network
from schema.services import OPEN_CALLER, Access, Services
from tests.support.api import Api, control, document
from tests.support.cases import each_case
from tests.support.processes import command
from tests.support.tokens import token
from tests.support.web_server import serving_websockets
from tests.support.websocket_client import connected as socket_to
from tests.support.websocket_client import receive, subscribe
from tracker import clock
from tracker.auth import tokens
from tracker.auth.scopes import Caller, Scope, check_name, expand_scopes, token_hash
from tracker.errors import Forbidden, InvalidInput, NotFound, RateLimited, Unauthenticated
from tracker.postgres.database import API, OWNER, Target
from tracker.sources.importing import importer

TODAY = clock.now().date()
CLOSED = Access(read_open=False)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the cache time of tokens."""
    monkeypatch.setattr(tokens, "CACHE_SECONDS", 0.05)


async def posted(api: Api, secret: str | None, write: bool = False) -> tuple[int, Any]:
    """Return the status and the code, or the actor, for the holder of a token."""
    body = {
        "query": document("announceExportControl") if write else "{ head }",
        "variables": {"input": control()} if write else {},
    }
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    response = await api.request("POST", "/graphql", json=body, headers=headers)
    answer = response.json()
    if "errors" in answer:
        return response.status_code, answer["errors"][0]["extensions"]["code"]
    return response.status_code, answer["data"].get("announceExportControl", {}).get(
        "event", {}
    ).get("actor")


@each_case(
    ("given", "expected"),
    [
        ([], set()),
        ([Scope.READ], {Scope.READ}),
        ([Scope.RECORD], {Scope.READ, Scope.RECORD}),
        ([Scope.ENDPOINT], {Scope.READ, Scope.ENDPOINT}),
        ([Scope.ADMIN], set(Scope)),
    ],
)
def test_every_scope_may_read_and_admin_is_all(given: list[Scope], expected: set[Scope]) -> None:
    assert expand_scopes(given) == expected


def test_a_caller_without_a_scope_is_told_whether_a_token_would_help() -> None:
    Caller("a", expand_scopes([Scope.RECORD])).require(Scope.RECORD)
    with pytest.raises(Unauthenticated, match="scope record"):
        Caller().require(Scope.RECORD)
    with pytest.raises(Forbidden, match="'a' has read"):
        Caller("a", expand_scopes([Scope.READ])).require(Scope.RECORD)


async def test_the_database_keeps_the_hash_and_never_the_token(target: Target) -> None:
    secret = await token(target, Scope.READ)
    async with open_connection(target) as connection:
        row = await connection.fetchrow("SELECT * FROM log.tokens")
    assert row is not None
    assert row["sha256"] == token_hash(secret)
    assert secret not in str(dict(row))
    assert len(secret) == len("tracker_") + 43


async def test_the_api_can_neither_list_tokens_nor_make_them(target: Target) -> None:
    secret = await token(target, Scope.READ)
    async with open_connection(target, role=API) as connection:
        for statement in (
            "SELECT * FROM log.tokens",
            "DELETE FROM log.tokens",
            "INSERT INTO log.tokens (name, scopes, sha256) VALUES ('a', '{admin}', sha256('a'))",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        row = await connection.fetchrow("SELECT * FROM log.token($1)", token_hash(secret))
    assert row is not None
    assert row["name"] == "harvester"


async def test_events_have_the_name_of_the_token_as_their_actor(
    services: Services, target: Target
) -> None:
    api = Api(services, Access())
    secret = await token(target, Scope.RECORD)
    assert await posted(api, secret, write=True) == (200, "harvester")
    [event] = await services.recorder.read()
    assert event.actor == "harvester"


async def test_a_token_for_reading_can_not_write(services: Services, target: Target) -> None:
    api = Api(services, CLOSED)
    secret = await token(target, Scope.READ)
    assert await posted(api, secret) == (200, None)
    assert await posted(api, secret, write=True) == (200, "FORBIDDEN")
    assert await services.recorder.head() == 0


async def test_a_token_for_endpoints_reads_and_can_not_write(
    services: Services, target: Target
) -> None:
    api = Api(services, CLOSED)
    secret = await token(target, Scope.ENDPOINT)
    assert await posted(api, secret) == (200, None)
    assert await posted(api, secret, write=True) == (200, "FORBIDDEN")
    assert await services.recorder.head() == 0


async def test_where_reading_needs_a_token_nobody_reads_without_one(services: Services) -> None:
    api = Api(services, CLOSED)
    assert await posted(api, None) == (401, "UNAUTHENTICATED")
    response = await api.request("GET", "/graphql?query={__schema{types{name}}}")
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    with pytest.raises(websockets.ConnectionClosedError, match="4403"):
        async with serving_websockets(services, CLOSED) as url, socket_to(url):
            pass


@pytest.mark.parametrize("wrong", ["wrong", "tracker_", "é", "x" * 5000])
async def test_a_token_that_does_not_work_is_refused_even_where_reading_is_open(
    services: Services, wrong: str
) -> None:
    response = await Api(services, Access(token="secret")).request(
        "POST",
        "/graphql",
        json={"query": "{ head }"},
        headers={"Authorization": f"Bearer {wrong}".encode()},
    )
    assert response.status_code == 401
    async with serving_websockets(services, Access()) as url:
        with pytest.raises(websockets.ConnectionClosedError, match="4403"):
            async with socket_to(url, Authorization=f"Bearer {wrong}"):
                pass


@pytest.mark.usefixtures("soon")
async def test_a_revoked_token_stops_working_within_seconds(
    services: Services, target: Target
) -> None:
    api = Api(services, CLOSED)
    secret = await token(target, Scope.READ)
    assert await posted(api, secret) == (200, None)
    async with open_connection(target, role=OWNER) as connection:
        assert await tokens.revoke(connection, 1) == "harvester"
        [first] = await tokens.list_tokens(connection)
        await tokens.revoke(connection, 1)
        assert await tokens.list_tokens(connection) == [first]
    await until_refused(api, secret)


async def until_refused(api: Api, secret: str) -> None:
    """Send requests until the token is refused."""
    while (await posted(api, secret))[0] == 200:
        pass
    assert await posted(api, secret) == (401, "UNAUTHENTICATED")


@pytest.mark.usefixtures("soon")
async def test_a_subscription_ends_with_its_token(services: Services, target: Target) -> None:
    secret = await token(target, Scope.READ)
    async with (
        serving_websockets(services, CLOSED) as url,
        socket_to(url, Authorization=f"Bearer {secret}") as socket,
        open_connection(target, role=OWNER) as connection,
    ):
        await subscribe(socket)
        await tokens.revoke(connection, 1)
        with pytest.raises(websockets.ConnectionClosedError, match="4403"):
            await receive(socket)


async def test_a_token_works_through_its_last_day(services: Services, target: Target) -> None:
    api = Api(services, CLOSED)
    secret = await token(target, Scope.READ, expires_on=TODAY + timedelta(days=1))
    assert await posted(api, secret) == (200, None)
    over = await token(target, Scope.READ)
    async with open_connection(target, role=OWNER) as connection:
        await connection.execute(
            "UPDATE log.tokens SET expires_on = $1 WHERE id = 2", TODAY - timedelta(days=1)
        )
    assert await posted(api, over) == (401, "UNAUTHENTICATED")


@each_case(
    ("name", "expires_on"),
    [("", None), (" a", None), ("a\n", None), ("x" * 101, None), ("a", TODAY - timedelta(days=1))],
)
async def test_a_token_has_a_name_and_a_future(
    target: Target, name: str, expires_on: date | None
) -> None:
    with pytest.raises(InvalidInput):
        await token(target, Scope.READ, name=name, expires_on=expires_on)


@each_case(
    "name",
    [
        "demo",
        "Demo",
        "import",
        "IMPORT",
        "\uff49mport",
        "command line",
        "command-line",
        "Command_Line",
        "command\u3000line",
        "token",
        "(token)",
        "http://issuer#ann",
        "https://id.example/realms/a#ann",
        "a:b",
        "a#b",
        "a/b",
        "a\\b",
        "a\uff03b",
        "--",
    ],
)
async def test_no_token_passes_for_an_actor_of_another_kind(target: Target, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await token(target, Scope.RECORD, name=name)
    assert caught.value.path == ("name",)


def test_every_actor_that_is_not_a_token_is_reserved() -> None:
    for actor in (OPEN_CALLER.name, CLI_CALLER.name, importer.ACTOR, "token"):
        assert actor is not None
        with pytest.raises(InvalidInput, match="expected another name"):
            check_name(actor)


@each_case("name", ["harvester", "Ann M\u00fcller", "demo-import", "ci_2", "\u5f20\u4f1f"])
def test_other_names_are_free(name: str) -> None:
    assert check_name(name) == name


async def test_a_token_of_a_reserved_name_from_before_still_works(
    services: Services, target: Target
) -> None:
    async with open_connection(target, role=OWNER) as connection:
        await connection.execute(
            "INSERT INTO log.tokens (name, scopes, sha256) VALUES ('import', '{record}', $1)",
            token_hash("tracker_old"),
        )
    assert await posted(Api(services), "tracker_old", write=True) == (200, "import")


@each_case("id", [0, 7, -1, 2**40])
async def test_only_a_token_there_is_can_be_revoked(target: Target, id: int) -> None:
    async with open_connection(target, role=OWNER) as connection:
        with pytest.raises(NotFound):
            await tokens.revoke(connection, id)


async def test_the_cache_of_tokens_is_bounded(
    services: Services, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MAX_CACHED_TOKENS", 2)
    for secret in [await token(target, Scope.READ) for _ in range(4)]:
        assert await services.tokens.authenticate(secret)
        assert await services.tokens.authenticate("tracker_of_nobody") is None
    assert len(services.tokens._cached) == 2


async def test_a_login_without_the_right_is_told_which_it_lacks(target: Target) -> None:
    async with open_connection(target) as admin:
        await admin.execute(
            f"CREATE ROLE w{target['database']} LOGIN IN ROLE tracker_api, tracker_projector"
        )
    try:
        with pytest.raises(Forbidden, match="member of tracker_owner"):
            async with as_owner({**target, "user": f"w{target['database']}"}):
                pass
    finally:
        async with open_connection(target) as admin:
            await admin.execute(f"DROP ROLE w{target['database']}")


def test_tokens_are_made_listed_and_revoked_at_the_command_line(data_dir: Path) -> None:
    assert command("migrate", data_dir=data_dir).returncode == 0
    made = command(
        "token",
        "create",
        "--name",
        "ci",
        "--scope",
        "read",
        "--scope",
        "record",
        "--expires",
        "2999-12-31",
        data_dir=data_dir,
    )
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("tracker_")
    listed = command("token", "list", data_dir=data_dir).stdout
    assert listed.split("\t")[:3] == ["1", "ci", "read,record"]
    assert "works until 2999-12-31" in listed
    assert made.stdout.strip() not in listed
    assert command("token", "revoke", "1", data_dir=data_dir).returncode == 0
    assert "revoked" in command("token", "list", data_dir=data_dir).stdout
    refused = command("token", "revoke", "2", data_dir=data_dir)
    assert (refused.returncode, "no token 2" in refused.stderr) == (1, True)


# --- settings and rates


def test_settings_say_who_may_do_what() -> None:
    assert access({}) == Access()
    assert access({}, demo=True) == Access(open=True)
    assert access({"TRACKER_WRITE_TOKEN": "x"}, demo=True) == Access(token="x")
    assert access(
        {
            "TRACKER_READ": "token",
            "TRACKER_INTROSPECTION": "off",
            "TRACKER_HOSTS": "API.example, b",
            "TRACKER_ORIGINS": "https://Web.example:443",
            "TRACKER_RATE": "5",
            "TRACKER_OPERATIONS": "9",
        }
    ) == Access(
        read_open=False,
        introspection=False,
        hosts=frozenset({"api.example", "b"}),
        origins=("https://web.example",),
        rate=5,
        operations=9,
    )


@each_case(
    ("variable", "value"),
    [
        ("TRACKER_READ", "closed"),
        ("TRACKER_INTROSPECTION", "yes"),
        ("TRACKER_RATE", "-1"),
        ("TRACKER_RATE", "many"),
        ("TRACKER_OPERATIONS", "0"),
        ("TRACKER_ORIGINS", "web.example"),
    ],
)
def test_a_setting_with_another_value_is_named(variable: str, value: str) -> None:
    with pytest.raises(InvalidInput, match=variable):
        access({variable: value})


def test_settings_say_what_clients_may_take() -> None:
    assert settings.limits({}) == Limits()
    assert settings.limits(
        {
            "TRACKER_CONNECTIONS": "50",
            "TRACKER_CLIENT_CONNECTIONS": "5",
            "TRACKER_HEAD_BYTES": "2048",
            "TRACKER_HEAD_SECONDS": "3",
        }
    ) == Limits(connections=50, client_connections=5, head_bytes=2048, head_seconds=3)
    with pytest.raises(InvalidInput, match="TRACKER_HEAD_BYTES"):
        settings.limits({"TRACKER_HEAD_BYTES": "10"})


def waits(buckets: TokenBuckets, clients: Iterable[str]) -> list[float]:
    """Return the waiting time of each; 0 without a wait."""
    found = []
    for client in clients:
        try:
            buckets.take(client)
            found.append(0.0)
        except RateLimited as limited:
            found.append(limited.seconds)
    return found


def test_a_client_over_its_rate_waits_and_others_do_not() -> None:
    now = [0.0]
    buckets = TokenBuckets(2, clock=lambda: now[0])
    assert waits(buckets, "aaaaab") == [0, 0, 0, 0, 0.5, 0]
    now[0] = 0.5
    assert waits(buckets, "aa") == [0, 0.5]
    assert waits(TokenBuckets(0), "a" * 1000) == [0] * 1000
    now[0] = 1000  # a long silence earns no more than was there at first
    assert waits(buckets, "aaaaa") == [0, 0, 0, 0, 0.5]


async def test_a_client_that_loses_its_right_to_read_is_disconnected(services: Services) -> None:
    assert (await AccessControl(services.tokens, Access()).reauthenticate("")).name is None
    with pytest.raises(Unauthenticated):
        await AccessControl(services.tokens, CLOSED).reauthenticate("")


def test_the_clients_remembered_are_bounded() -> None:
    buckets = TokenBuckets(1, clock=lambda: 0.0, most=3)
    waits(buckets, "aabcd")
    assert list(buckets._left) == ["b", "c", "d"]


@each_case(
    ("address", "client"),
    [("192.0.2.7", "192.0.2.7/32"), ("2001:db8::1:2:3:4", "2001:db8::/64"), (None, "None")],
)
def test_an_ipv6_customer_is_one_client(address: str | None, client: str) -> None:
    assert client_network(address) == client


async def test_imported_events_have_an_actor_too(read_services: Services) -> None:
    assert {event.actor for event in await read_services.recorder.read()} == {"import"}


async def test_the_feed_of_events_needs_a_token_where_reading_does(services: Services) -> None:
    closed = Api(services, Access("secret", read_open=False))
    refused = await closed.request("GET", "/events?follow=false")
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (
        401,
        "UNAUTHENTICATED",
    )
    allowed = await closed.request(
        "GET", "/events?follow=false", headers={"Authorization": "Bearer secret"}
    )
    assert allowed.status_code == 200
