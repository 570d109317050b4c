"""Coalesced writes: data written to a connection in one loop iteration is sent together.

uvicorn writes the head of a response and then its body, and uvloop passes each to the kernel. That
makes two system calls and two packets, and the first wakes the client too early. A client with many
connections is also woken only once.
"""

import asyncio
from typing import cast

MAX_COALESCED_BYTES = 64 * 1024
"""Maximum of gathered bytes; more is sent at once, so that the socket's backpressure is visible."""


class CoalescingTransport(asyncio.Transport):
    """A transport for uvicorn that gathers writes."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop):
        super().__init__()
        self.transport = transport
        # called before every write: directly on the transport
        self.is_closing = transport.is_closing  # type: ignore[method-assign]
        self._loop = loop
        self._gathered: list[bytes] = []
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write bytes, which are sent soon."""
        if not self._gathered:
            self._loop.call_soon(self.send)
        self._gathered.append(cast(bytes, data))
        self._size += len(data)
        if self._size > MAX_COALESCED_BYTES:
            self.send()

    def send(self) -> None:
        """Send the gathered bytes, if the client is connected."""
        gathered, self._gathered, self._size = self._gathered, [], 0
        if gathered and not self.is_closing():
            self.transport.writelines(gathered)

    def get_write_buffer_size(self) -> int:
        """Return the number of unsent bytes, including gathered ones."""
        return self._size + self.transport.get_write_buffer_size()

    def close(self) -> None:
        """Send the gathered bytes, and close."""
        self.send()
        self.transport.close()

    def abort(self) -> None:
        """Close without sending anything more."""
        self._gathered, self._size = [], 0
        self.transport.abort()
