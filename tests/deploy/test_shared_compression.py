"""Compressed WebSocket messages: readable by any client, and compressed once for all of them."""

import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from deploy.web import shared_compression
from deploy.web.shared_compression import SharedDeflate, SharedDeflateFactory
from schema.services import Services
from tests.support.api import OPEN
from tests.support.fact_builders import announced
from tests.support.web_server import serving_websockets
from tests.support.websocket_client import EVENTS, PROTOCOL, receive, send

SEPARATOR = ',"type":"next","payload":'


def agreed(**offer: str | None) -> SharedDeflate:
    """Return the extension of a connection whose client makes an offer."""
    _, extension = SharedDeflateFactory().process_request_params([*offer.items()], [])
    assert isinstance(extension, SharedDeflate)
    return extension


def compressed(extension: SharedDeflate, text: str) -> bytes:
    frame = extension.encode(Frame(Opcode.TEXT, text.encode()))
    assert frame.rsv1
    return bytes(frame.data)


@pytest.fixture
def compressors(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The compressors that were made."""
    made: list[Any] = []
    original = zlib.compressobj

    def counted(*args: Any, **options: Any) -> Any:
        made.append(original(*args, **options))
        return made[-1]

    shared_compression._cached_deflate.cache_clear()
    monkeypatch.setattr(zlib, "compressobj", counted)
    yield made
    shared_compression._cached_deflate.cache_clear()


texts = st.text(max_size=400)
messages = texts | st.builds(lambda id, rest: f'{{"id":"{id}"{SEPARATOR}{rest}', texts, texts)


@given(st.lists(messages, max_size=5), st.sampled_from([9, 10, 12, 15]), st.booleans())
def test_a_client_reads_every_message_with_or_without_the_window_of_earlier_ones(
    sent: list[str], bits: int, with_context: bool
) -> None:
    extension = agreed(server_max_window_bits=str(bits))
    reader = zlib.decompressobj(-min(bits, 12))
    for text in sent:
        if not with_context:
            reader = zlib.decompressobj(-min(bits, 12))
        body = reader.decompress(compressed(extension, text) + b"\0\0\xff\xff")
        assert body.decode() == text


def test_followers_with_ids_of_their_own_share_one_compression(compressors: list[Any]) -> None:
    payload = '{"data":{"events":{"position":"1"}}}}' * 10
    bodies = [compressed(agreed(), f'{{"id":"follower-{n}"{SEPARATOR}{payload}') for n in range(50)]
    assert len(compressors) == 1
    assert len(set(bodies)) == 50
    assert all(len(body) < len(payload) / 2 for body in bodies)


def test_a_long_id_is_compressed_with_its_message() -> None:
    body = compressed(agreed(), f'{{"id":"{"x" * 5000}"{SEPARATOR}{{}}}}')
    assert len(body) < 200


def test_a_large_message_is_not_cached(compressors: list[Any]) -> None:
    for _ in range(2):
        compressed(agreed(), "x" * 100_000)
    assert len(compressors) == 2


def test_a_ping_is_not_compressed() -> None:
    ping = Frame(Opcode.PING, b"abc")
    assert agreed().encode(ping) is ping


def test_the_answer_to_an_offer_says_that_no_message_needs_earlier_ones() -> None:
    response, _ = SharedDeflateFactory().process_request_params(
        [("client_max_window_bits", None)], []
    )
    assert dict(response) == {
        "server_no_context_takeover": None,
        "client_no_context_takeover": None,
        "server_max_window_bits": "12",
        "client_max_window_bits": "12",
    }


async def test_clients_with_and_without_compression_get_the_same_events(services: Services) -> None:
    async with serving_websockets(services, OPEN) as url:
        plain = connect(url, subprotocols=[PROTOCOL], compression=None)
        packed = connect(url, subprotocols=[PROTOCOL], compression="deflate")
        async with plain as first, packed as second:
            assert [len(each.protocol.extensions) for each in (first, second)] == [0, 1]
            for number, socket in enumerate((first, second)):
                await send(socket, "connection_init")
                assert (await receive(socket))["type"] == "connection_ack"
                payload = {"query": EVENTS, "variables": {"after": "0"}}
                await send(socket, "subscribe", id=f"client {number}", payload=payload)
            for number in range(3):
                await services.commands.record(f"export-control/{number}", announced())
            for _ in range(3):
                one, other = await receive(first), await receive(second)
                assert (one.pop("id"), other.pop("id")) == ("client 0", "client 1")
                assert one == other
                assert one["type"] == "next"
