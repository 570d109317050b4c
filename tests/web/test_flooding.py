"""A server that floods its clients fails alone: other tasks of the event loop go on meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from tests.delivery.test_sender import KEYS, MESSAGE, ORIGIN
from tests.support.cases import each_case
from tests.support.flooding import flooding, loop_delay
from tests.support.receivers import raw, receiving
from tests.support.time_limits import within
from tests.web.test_fetcher import HERE, fetcher, quick
from tracker.delivery.sender import Sender
from tracker.web.failures import FetchError
from tracker.web.fetcher import Limits

INTERIM = b"HTTP/1.1 102 Processing\r\n\r\n"
EMPTY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
LONG_INTERIM = b"HTTP/1.1 103 Early Hints\r\nlink: " + b"x" * 7000 + b"\r\n\r\n"
SECONDS = 2.0
LOOPS = pytest.mark.parametrize(
    "new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
FLOODS = {
    "interim responses": (b"", INTERIM, "more than 10 interim responses"),
    "long interim responses": (b"", LONG_INTERIM, "more than 65,536 bytes before the body"),
    "empty lines": (b"", b"\r\n", "more than 65,536 bytes before the body"),
    "further responses": (EMPTY, EMPTY, None),
    "chunks of a byte": (CHUNKED, b"1\r\na\r\n", None),
}


async def send(port: int) -> str | None:
    """Send to a receiver; the reason why it was not delivered."""
    async with Sender(HERE, ORIGIN, timeout_seconds=SECONDS) as sending:
        return (await sending.send(f"http://127.0.0.1:{port}/hook", MESSAGE, KEYS)).error


async def fetch(port: int) -> str | None:
    """Fetch from a publisher, and return the failure."""
    async with fetcher(Limits(total_seconds=SECONDS, tries=1)) as fetching:
        try:
            await fetching.fetch(quick(f"http://127.0.0.1:{port}/act"))
        except FetchError as error:
            return None if error.code == "TIMEOUT" else f"{error.code}: {error.message}"
    return None


def measure(
    client: Callable[[int], Awaitable[str | None]],
    flood: str,
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> tuple[str | None, float]:
    """Flood a client, and return its error and the longest delay of another task in seconds."""

    async def run(port: int) -> tuple[str | None, float]:
        async with loop_delay() as delay:
            error = await client(port)
        return error, delay.seconds

    first, then, _ = FLOODS[flood]
    with flooding(first, then) as port, asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(run(port))


@LOOPS
@each_case("flood", FLOODS)
def test_a_flood_of_a_receiver_holds_up_nothing_else(
    flood: str, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    error, delay = measure(send, flood, new_loop)
    assert delay < within(0.5)
    reason = FLOODS[flood][2]
    assert error == reason or str(error).startswith(f"not an answer in HTTP: {reason}")


@LOOPS
@each_case("flood", FLOODS)
def test_a_flood_of_a_publisher_holds_up_nothing_else(
    flood: str, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    error, delay = measure(fetch, flood, new_loop)
    assert delay < within(0.5)
    before, reason = "its robots.txt could not be read: not an answer in HTTP:", FLOODS[flood][2]
    assert error == reason or str(error).startswith(f"UNREACHABLE: {before} {reason}")


async def test_some_interim_responses_come_before_an_answer() -> None:
    async with receiving(raw(INTERIM * 10 + EMPTY)) as receiver:
        assert await send(receiver.port) is None


async def test_a_large_document_comes_whole_after_interim_responses() -> None:
    body = b"An act. " * 100_000
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
    async with receiving(raw(INTERIM * 3 + head + body)) as receiver, fetcher() as fetching:
        url = f"http://127.0.0.1:{receiver.port}/act"
        assert (await fetching.fetch(quick(url))).content == body


async def test_a_response_that_is_not_requested_is_not_the_next_one() -> None:
    async with receiving(raw(EMPTY + EMPTY)) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/hook"
        async with Sender(HERE, ORIGIN) as sending:
            for _ in range(3):
                assert (await sending.send(url, MESSAGE, KEYS)).error is None
    assert receiver.connections == 3
