"""A server that sends an endless flood of bytes, and a measure of the delay for other tasks."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from threading import Thread

PIECE_BYTES = 1 << 20
TICK_SECONDS = 0.01


@contextmanager
def flooding(first: bytes, then: bytes) -> Iterator[int]:
    """Yield the port of a server that responds with some bytes, and then with others endlessly.

    It writes from threads, as fast as the connection accepts it.
    """
    piece = then * max(1, PIECE_BYTES // len(then))
    connections: list[socket.socket] = []

    def answer(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.recv(1 << 16)
            connection.sendall(first)
            while True:
                connection.sendall(piece)

    def accept(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                connections.append(connection)
                threads.append(Thread(target=answer, args=[connection], daemon=True))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threads = [Thread(target=accept, args=[server], daemon=True)]
        threads[0].start()
        try:
            yield server.getsockname()[1]
        finally:
            for each in (server, *connections):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join()


class LoopDelay:
    """The longest delay of another task in the event loop."""

    seconds = 0.0


@asynccontextmanager
async def loop_delay() -> AsyncIterator[LoopDelay]:
    """Measure the delay of another task for the duration of a block."""
    longest = LoopDelay()

    async def tick() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(TICK_SECONDS)
            longest.seconds = max(longest.seconds, time.monotonic() - before - TICK_SECONDS)

    ticking = asyncio.create_task(tick())
    try:
        yield longest
        await asyncio.sleep(2 * TICK_SECONDS)  # a current delay counts too
    finally:
        ticking.cancel()
