"""Writes leave in as few pieces as possible, without delay."""

import asyncio
from typing import Any, cast

import pytest

from deploy.web.write_coalescing import MAX_COALESCED_BYTES, CoalescingTransport
from schema.services import Services
from tests.support.api import OPEN
from tests.support.time_limits import within
from tests.support.web_server import serving


class Wire:
    """A transport that records its writes."""

    def __init__(self) -> None:
        self.pieces: list[Any] = []
        self.closed = False

    def writelines(self, lines: list[bytes]) -> None:
        """Record a write."""
        self.pieces.append(b"".join(lines))

    def close(self) -> None:
        """Record the close."""
        self.pieces.append("closed")
        self.closed = True

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self.closed

    def get_write_buffer_size(self) -> int:
        """Return an empty buffer's size."""
        return 0


@pytest.fixture
async def wire() -> Wire:
    """Return a transport."""
    return Wire()


@pytest.fixture
async def gathering(wire: Wire) -> CoalescingTransport:
    """Return a coalescing transport on it."""
    return CoalescingTransport(cast(asyncio.Transport, wire), asyncio.get_running_loop())


async def test_writes_of_one_loop_iteration_leave_in_one_piece(
    wire: Wire, gathering: CoalescingTransport
) -> None:
    for number in range(2):
        gathering.write(b"head %d, " % number)
        gathering.write(b"body")
        assert gathering.get_write_buffer_size() == len(b"head 0, body")
        await asyncio.sleep(0)
        assert gathering.get_write_buffer_size() == 0
    assert wire.pieces == [b"head 0, body", b"head 1, body"]


async def test_much_does_not_wait(wire: Wire, gathering: CoalescingTransport) -> None:
    gathering.write(b"head")
    gathering.write(bytes(MAX_COALESCED_BYTES))
    assert wire.pieces == [b"head" + bytes(MAX_COALESCED_BYTES)]


async def test_data_written_before_the_end_are_sent(
    wire: Wire, gathering: CoalescingTransport
) -> None:
    gathering.write(b"last words")
    gathering.close()
    gathering.write(b"too late")
    await asyncio.sleep(0)
    assert wire.pieces == [b"last words", "closed"]


async def test_a_client_that_has_gone_gets_nothing(
    wire: Wire, gathering: CoalescingTransport
) -> None:
    gathering.write(b"where are you?")
    wire.closed = True
    await asyncio.sleep(0)
    assert wire.pieces == []


class Pieces(asyncio.Protocol):
    """A client that records the pieces of a response."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.ended = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        """Record a piece."""
        self.pieces.append(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Record the end."""
        self.ended.set_result(None)


async def test_an_answer_comes_with_its_head(services: Services) -> None:
    async with serving(services, OPEN) as (address, _, _):
        host, port = address.split(":")
        loop = asyncio.get_running_loop()
        transport, client = await loop.create_connection(Pieces, host, int(port))
        transport.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(within(10)):
            await client.ended
    [answer] = client.pieces
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"200 OK" in head
    assert body
