"""Equal subscriptions are executed once, and delivered to each client exactly once."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from schema.base.context import Context
from schema.execution.admission import OperationRequest
from schema.execution.execute import ALL
from schema.http.authentication import AccessControl, Client
from schema.http.response_format import SSE
from schema.http.shared_subscriptions import shared_query
from schema.root import subscription
from schema.services import READ_ONLY_CALLER, Access, Services
from tests.support.api import announce
from tests.support.cases import each_case
from tests.support.fact_builders import announced
from tests.support.stream_client import APOLLO, asking, client_of, followers
from tests.support.time_limits import within
from tests.support.web_server import serving
from tests.support.websocket_client import connected, events, receive, send
from tracker.auth.scopes import Caller, Scope

EVENTS = "subscription Follow($after: Position) { events(after: $after) { position eventId } }"
STATES = """subscription Watch($commodities: [String!]) {
  worldChanged(commodities: $commodities) { position exportControls { totalCount } } }"""


@pytest.fixture
async def address(services: Services) -> AsyncIterator[str]:
    """Run a server on an empty log, open for writing."""
    async with serving(services, Access(open=True)) as (address, *_):
        yield address


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the ids of the executed events."""
    found: list[str] = []
    event = subscription.Event

    def counting(*, of: Any) -> Any:
        found.append(of.event_id)
        return event(of=of)

    monkeypatch.setattr(subscription, "Event", counting)
    return found


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the positions of the executed states."""
    found: list[int] = []
    state = subscription.AsOf

    def counting(*, moment: Any) -> Any:
        found.append(moment.position)
        return state(moment=moment)

    monkeypatch.setattr(subscription, "AsOf", counting)
    return found


@asynccontextmanager
async def sockets(
    address: str, many: int, query: str, **variables: Any
) -> AsyncIterator[list[ClientConnection]]:
    """Open connections with equal subscriptions, each under its own id."""
    async with AsyncExitStack() as stack:
        found = []
        for number in range(many):
            socket = await stack.enter_async_context(connected(f"ws://{address}/graphql"))
            payload = {"query": query, "variables": variables}
            await send(socket, "subscribe", id=f"n{number}", payload=payload)
            found.append(socket)
        yield found


async def test_an_event_is_executed_once_for_all_who_ask_the_same(
    services: Services, address: str, executed: list[str]
) -> None:
    async with (
        sockets(address, 20, EVENTS) as listening,
        client_of(address) as client,
        asking(client, SSE, EVENTS) as sse,
        asking(client, APOLLO, EVENTS) as multipart,
    ):
        await followers(services.follower, 22)
        await announce(services, "a", "b")
        for id in ("a", "b"):
            messages = [await receive(socket) for socket in listening]
            assert [message["id"] for message in messages] == [f"n{n}" for n in range(20)]
            told = [message["payload"] for message in messages]
            told += [await sse.next(), await multipart.next()]
            assert {answer["data"]["events"]["eventId"] for answer in told} == {id}
            assert len(told) == 22
        assert executed == ["a", "b"]
        assert [id.partition("-")[0] for id in sse.ids] == ["1", "2"]
    await followers(services.follower, 0)


async def test_late_and_returning_subscribers_share_events_and_miss_none(
    services: Services, address: str, executed: list[str]
) -> None:
    await announce(services, *"abc")
    async with AsyncExitStack() as stack:
        streams = []
        for after in ("0", "2", "3", None):
            variables = {} if after is None else {"after": after}
            [socket] = await stack.enter_async_context(sockets(address, 1, EVENTS, **variables))
            streams.append(events(socket))
        await followers(services.follower, 4)
        first = [[(await anext(streams[0]))["eventId"] for _ in "abc"]]
        first += [[(await anext(streams[1]))["eventId"]]]
        assert first == [["a", "b", "c"], ["c"]]
        await followers(services.follower, 4)
        executed.clear()
        await announce(services, "d", "e")
        for stream in streams:
            assert [(await anext(stream))["eventId"] for _ in "de"] == ["d", "e"]
    assert executed == ["d", "e"]


async def test_every_event_comes_once_in_order_to_clients_that_come_and_go_while_it_is_written(
    services: Services, address: str
) -> None:
    total = 120

    async def write() -> None:
        for number in range(total):
            await announce(services, f"n{number}")

    async def follow(often: int) -> list[int]:
        seen: list[int] = []
        while len(seen) < total:
            after = str(seen[-1] if seen else 0)
            async with sockets(address, 1, EVENTS, after=after) as [socket]:
                async for event in events(socket):
                    seen.append(int(event["position"]))
                    if len(seen) == total or len(seen) % often == 0:
                        socket.transport.abort()  # one with messages to read closes slowly
                        break
        return seen

    async with asyncio.timeout(within(60)):
        found = await asyncio.gather(write(), *(follow(often) for often in (7, 11, 13, 50, 1000)))
    assert list(found[1:]) == [list(range(1, total + 1))] * 5


@each_case(
    ("text", "variables", "caller", "same"),
    [
        (EVENTS, {"after": "7"}, READ_ONLY_CALLER, True),
        (EVENTS, {}, Caller("ann", frozenset({Scope.READ})), True),
        (EVENTS, {}, Caller("ann", frozenset({Scope.READ, Scope.RECORD})), False),
        (EVENTS.replace("eventId", "type"), {}, READ_ONLY_CALLER, False),
        (STATES, {}, READ_ONLY_CALLER, False),
    ],
)
async def test_subscriptions_are_the_same_by_text_variables_and_rights(
    services: Services, text: str, variables: dict[str, Any], caller: Caller, same: bool
) -> None:
    async def key(text: str, variables: dict[str, Any], caller: Caller) -> object:
        context = Context(services, Access(), caller)
        types = frozenset(kind.value for kind in ALL)
        found = await shared_query(OperationRequest(text, variables, None, context, types))
        assert found
        return found.key

    one = await key(EVENTS, {}, READ_ONLY_CALLER)
    assert (await key(text, variables, caller) == one) is same


async def test_a_position_that_the_answers_say_again_makes_a_question_of_its_own(
    services: Services,
) -> None:
    once = "subscription ($a: Position) { events(after: $a) { position } }"
    twice = f"{once} # $a"
    keys = []
    for document in (once, twice):
        for after in ("1", "2"):
            context = Context(services, Access(), READ_ONLY_CALLER)
            types = frozenset(kind.value for kind in ALL)
            request = OperationRequest(document, {"a": after}, None, context, types)
            found = await shared_query(request)
            assert found
            keys.append(found.key)
    assert keys[0] == keys[1]
    assert keys[2] != keys[3]


async def test_a_text_that_was_redacted_is_not_sent_to_who_comes_later(
    services: Services, address: str
) -> None:
    query = EVENTS.replace("eventId", "annexes { text }")
    async with sockets(address, 1, query, after="0") as [early]:
        fact = announced(note="a name that a court forced out")
        await services.commands.record("export-control/a", fact, idempotency_key="a")
        message = await receive(early)
        assert "a court forced out" in json.dumps(message)
        await services.commands.redact("a", "a court said so", announced().on, fact.source)
        async with sockets(address, 1, query, after="0") as [late]:
            message = await receive(late)
            assert message["payload"]["data"]["events"]["position"] == "1"
            assert "a court forced out" not in json.dumps(message)


async def test_a_state_is_executed_once_for_all_who_ask_the_same(
    services: Services, address: str, resolved: list[int]
) -> None:
    await announce(services, "a")
    await services.projector.reach(1)
    async with sockets(address, 12, STATES) as listening:
        for socket in listening:
            message = await receive(socket)
            state = message["payload"]["data"]["worldChanged"]
            assert state == {"position": "1", "exportControls": {"totalCount": 1}}
        executed_at_first = len(resolved)
        assert executed_at_first < 12
        for position, name in ((2, "b"), (3, "c")):
            await announce(services, name)
            for socket in listening:
                state = (await receive(socket))["payload"]["data"]["worldChanged"]
                assert state["position"] == str(position)
        assert resolved[executed_at_first:] == [2, 3]


async def test_one_who_comes_late_has_the_state_of_now_at_once_whatever_others_wait_for(
    services: Services, address: str
) -> None:
    await announce(services, "a")
    await services.projector.reach(1)
    async with sockets(address, 1, STATES, commodities=["lithium"]) as [early]:
        state = (await receive(early))["payload"]["data"]["worldChanged"]
        assert (state["position"], state["exportControls"]["totalCount"]) == ("1", 1)
        await announce(services, "b")  # about gallium
        await services.projector.reach(2)
        async with sockets(address, 1, STATES, commodities=["lithium"]) as [late]:
            state = (await receive(late))["payload"]["data"]["worldChanged"]
            assert (state["position"], state["exportControls"]["totalCount"]) == ("2", 2)


async def test_an_error_that_ends_a_subscription_comes_to_all(
    services: Services, address: str
) -> None:
    query = 'subscription { events(places: ["Narnia"]) { position } }'
    async with sockets(address, 3, query) as listening:
        for socket in listening:
            [error] = (await receive(socket))["payload"]["errors"]
            assert error["extensions"]["code"] == "UNKNOWN_PLACE"
            assert (await receive(socket))["type"] == "complete"
    await followers(services.follower, 0)


async def test_followers_of_events_share_what_is_written_compressed_or_not(
    services: Services, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await announce(services, "a")
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(client_of(address))
        bodies: list[tuple[bool, AsyncIterator[bytes]]] = []
        for number in range(6):
            packed = number % 2 == 0
            headers = {"Accept-Encoding": "gzip" if packed else "identity"}
            path = "/events?after=0" if number < 4 else "/events"
            response = await stack.enter_async_context(client.stream("GET", path, headers=headers))
            bodies.append((packed, response.aiter_raw()))
        await followers(services.follower, 6)
        deflated = count_calls(monkeypatch)
        await announce(services, "b", "c")
        for number, (packed, body) in enumerate(bodies):
            text, unpack = b"", zlib.decompressobj(31)
            while b'"id":"c"' not in text:
                chunk = await asyncio.wait_for(anext(body), within(5))
                text += unpack.decompress(chunk) if packed else chunk
            ids = [json.loads(line[6:])["id"] for line in text.splitlines() if b"data" in line[:4]]
            assert ids == (["a", "b", "c"] if number < 4 else ["b", "c"])
        assert len(deflated) == 2


def count_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with every compression."""
    found: list[int] = []
    make = zlib.compressobj

    def counting(*arguments: Any, **more: Any) -> Any:
        found.append(1)
        return make(*arguments, **more)

    monkeypatch.setattr("schema.routes.events.zlib.compressobj", counting)
    return found


async def test_a_compressed_stream_that_the_server_ends_is_whole(services: Services) -> None:
    await announce(services, "a")
    async with serving(services, Access()) as (address, server, _), client_of(address) as client:
        headers = {"Accept-Encoding": "gzip"}
        async with client.stream("GET", "/events?after=0", headers=headers) as response:
            body = response.aiter_raw()
            whole = await anext(body)
            while b'"id":"a"' not in zlib.decompressobj(31).decompress(whole):
                whole += await anext(body)
            server.should_exit = True
            whole += b"".join([chunk async for chunk in body])
    assert b'"id":"a"' in gzip.decompress(whole)


async def test_a_shared_answer_has_the_turn_of_the_client_with_least_to_do(
    services: Services,
) -> None:
    access_control = AccessControl(services.tokens, Access(queries=1))
    busy, idle = (Client(READ_ONLY_CALLER, key) for key in ("busy", "idle"))
    async with access_control.work_slot(busy):
        async with asyncio.timeout(within(5)), access_control.shared_work_slot([busy, idle]):
            pass
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), access_control.shared_work_slot([busy]):
                pass
