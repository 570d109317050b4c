"""Answers leave in one piece: what was written to a connection in a turn of the loop goes at once.

uvicorn writes the head of an answer and then its body, and uvloop hands each to the kernel as it
comes: two system calls and two packets, of which the first wakes a client for nothing. Sent at the
end of a turn, the answers on many connections also wake a client that has them all only once.
"""

from __future__ import annotations

import asyncio
from typing import cast

MAX_COALESCED_BYTES = 64 * 1024
"""More than this doesn't wait: what has to know is how much the client's socket takes."""


class CoalescingTransport(asyncio.Transport):
    """A transport, as uvicorn uses one, that gathers what is written."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop):
        super().__init__()
        self.transport = transport
        # asked before every write: straight to it
        self.is_closing = transport.is_closing  # type: ignore[method-assign]
        self._loop = loop
        self._gathered: list[bytes] = []
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send some bytes, soon."""
        if not self._gathered:
            self._loop.call_soon(self.send)
        self._gathered.append(cast(bytes, data))
        self._size += len(data)
        if self._size > MAX_COALESCED_BYTES:
            self.send()

    def send(self) -> None:
        """Send what was gathered, if the client is still there."""
        gathered, self._gathered, self._size = self._gathered, [], 0
        if gathered and not self.is_closing():
            self.transport.writelines(gathered)

    def get_write_buffer_size(self) -> int:
        """How many bytes wait to be sent, those that were gathered included."""
        return self._size + self.transport.get_write_buffer_size()

    def close(self) -> None:
        """Send what was gathered, and close."""
        self.send()
        self.transport.close()

    def abort(self) -> None:
        """Close without sending anything more."""
        self._gathered, self._size = [], 0
        self.transport.abort()
