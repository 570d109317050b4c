"""Reading of a connection in small pieces, with a limit per event loop iteration.

uvloop passes on several megabytes in one iteration and asyncio 256 KiB. If each byte or two is a frame
or a chunk, parsing them takes seconds and blocks other clients.
"""

import asyncio
from collections.abc import Callable

PIECES_PER_PASS = 16


class PacedTransport(asyncio.Transport):
    """A transport that passes on received data in pieces, and not while its protocol pauses it."""

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        feed: Callable[[bytes], None],
        piece_bytes: int,
    ):
        super().__init__()
        # directly on the transport: called for every message
        self.write = transport.write  # type: ignore[method-assign]
        self.get_write_buffer_size = transport.get_write_buffer_size  # type: ignore[method-assign]
        self.get_extra_info = transport.get_extra_info  # type: ignore[method-assign]
        self.is_closing = transport.is_closing  # type: ignore[method-assign]
        self.close = transport.close  # type: ignore[method-assign]
        self.abort = transport.abort  # type: ignore[method-assign]
        self._transport = transport
        self._loop = loop
        self._feed = feed
        self._piece_bytes = piece_bytes
        self._unread = b""
        self._position = 0
        """Start of the next piece."""
        self.is_paused = self._is_scheduled = False

    def receive(self, data: bytes) -> None:
        """Pass on received bytes, in this loop iteration or in later ones."""
        if self._unread:
            data = self._unread[self._position :] + data
        self._unread, self._position = data, 0
        if not self._is_scheduled:
            self._read()

    def pause_reading(self) -> None:
        """Pause until reading is resumed."""
        self.is_paused = True
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Pass on buffered data in the next iteration, and then later data."""
        self.is_paused = False
        if not self._unread:
            self._transport.resume_reading()
        elif not self._is_scheduled:
            self._schedule()

    def end_reading(self) -> None:
        """Drop buffered data: another protocol reads from now on."""
        self._unread = b""
        self.is_paused = False
        self._transport.resume_reading()

    def end(self) -> None:
        """End the connection, and drop its protocol: only the garbage collector frees their cycle."""
        self._unread = b""
        del self._feed

    def _schedule(self) -> None:
        self._is_scheduled = True
        self._loop.call_soon(self._read_scheduled)

    def _read_scheduled(self) -> None:
        self._is_scheduled = False
        self._read()
        if not (self._unread or self.is_paused or self.is_closing()):
            self._transport.resume_reading()

    def _read(self) -> None:
        """Pass on pieces until the end of the iteration."""
        for _ in range(PIECES_PER_PASS):
            if self.is_paused or not self._unread:
                break
            end = self._position + self._piece_bytes
            piece = self._unread[self._position : end]
            self._position = end
            if end >= len(self._unread):
                self._unread = b""
            self._feed(piece)
            if self.is_closing():
                self._unread = b""
                return
        if self._unread:
            self._transport.pause_reading()
            if not self.is_paused:
                self._schedule()
