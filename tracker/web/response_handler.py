"""Connections that end if a server keeps the event loop busy before its response begins.

aiohttp reads interim responses (1xx) without a limit, in a loop that blocks all other work while its buffer
has more of them.
"""

from typing import Any, TypeAlias

from aiohttp import StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawResponseMessage

MAX_INTERIM_RESPONSES = 10
MAX_HEAD_BYTES = 1 << 16
"""Maximum bytes before the body of a response: its head and interim responses."""
PIECE_BYTES = 1 << 12

Head: TypeAlias = tuple[RawResponseMessage, StreamReader]


class BoundedResponseHandler(ResponseHandler):
    """Reads the responses of one connection, with a limited number of bytes before each body."""

    _interim_responses = _head_bytes = 0
    _has_response = False

    def set_response_params(self, **params: Any) -> None:
        """Begin to read the response to another request."""
        self._interim_responses = self._head_bytes = 0
        self._has_response = False
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Read the next bytes, in small pieces until the response has begun.

        aiohttp calls this without bytes to continue with its buffer.
        """
        while data and not self._has_response and self._exception is None:
            piece, data = data[:PIECE_BYTES], data[PIECE_BYTES:]
            self._head_bytes += len(piece)
            super().data_received(piece)
            if not self._has_response:
                self._check_limits()
            if not data:
                return
        if self._exception is None:
            super().data_received(data)

    def feed_data(self, data: Head, size: int = 0) -> None:
        """Process the head of a response. An unrequested response ends the connection."""
        if self._has_response:
            self._abort()
            return
        is_interim = data[0].code in range(100, 200) and data[0].code != 101
        self._interim_responses += is_interim
        self._has_response = not is_interim
        super().feed_data(data, size)

    def _check_limits(self) -> None:
        """End the connection, with an error for its reader, if a limit is exceeded."""
        if self._interim_responses > MAX_INTERIM_RESPONSES:
            problem = f"more than {MAX_INTERIM_RESPONSES} interim responses (1xx)"
        elif self._head_bytes > MAX_HEAD_BYTES:
            problem = f"more than {MAX_HEAD_BYTES:,} bytes before the body of the response"
        else:
            return
        self._buffer.clear()
        self._abort()
        self.set_exception(HttpProcessingError(message=problem))

    def _abort(self) -> None:
        self.force_close()
        if self.transport is not None:
            self.transport.abort()
