"""A low-overhead client that repeats one request over several connections."""

import asyncio
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast


@dataclass(frozen=True, slots=True)
class Answered:
    """Results: requests per second, latency in ms, and CPU time of the server per request in ms."""

    rate: float
    p50: float
    p99: float
    cpu: float


def request(path: str, body: bytes) -> bytes:
    """Return a POST request as bytes."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class Connection(asyncio.Protocol):
    """A client connection that sends the next request after each response."""

    def __init__(self, request: bytes):
        self._request = request
        self._received = b""
        self._end = 0
        self.answer = b""
        self.times: list[float] = []
        self.stopping = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transport has another class
        self._send()

    def data_received(self, data: bytes) -> None:
        """Collect a whole response, by its Content-Length."""
        self._received += data
        if not self._end:
            head = self._received.find(b"\r\n\r\n")
            if head < 0:
                return
            lines = self._received[:head].lower().split(b"\r\n")
            [length] = [line for line in lines if line.startswith(b"content-length:")]
            self._end = head + 4 + int(length[15:])
        if len(self._received) >= self._end:
            self.times.append(time.perf_counter() - self._since)
            self.answer, self._received, self._end = self._received, b"", 0
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """Record the end of the connection, by either side."""
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server hung up"))

    def _send(self) -> None:
        if self.stopping:
            self.done.set_result(None)
            self._transport.close()
            return
        self._since = time.perf_counter()
        self._transport.write(self._request)


async def post(
    port: int, sent: bytes, process: int, *, seconds: float, connections: int
) -> Answered:
    """Send requests to a server for some seconds."""
    loop = asyncio.get_running_loop()
    open_, started, before = [], time.perf_counter(), cpu(process)
    for _ in range(connections):
        _, connection = await loop.create_connection(lambda: Connection(sent), "127.0.0.1", port)
        open_.append(connection)
    await asyncio.sleep(seconds)
    for connection in open_:
        connection.stopping = True
    await asyncio.gather(*(connection.done for connection in open_))
    took, worked = time.perf_counter() - started, cpu(process) - before
    times = [each for connection in open_ for each in connection.times]
    cuts = statistics.quantiles(times, n=100)
    if any(b" 200 " not in c.answer[:20] or b'"errors"' in c.answer for c in open_):
        raise ValueError(f"expected answers without errors, got {open_[0].answer[:500]!r}")
    return Answered(len(times) / took, cuts[49] * 1000, cuts[98] * 1000, worked * 1000 / len(times))


def cpu(process: int) -> float:
    """Return the CPU time of a process in seconds, in steps of 10 ms (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
