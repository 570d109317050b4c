"""Compressed WebSocket messages (RFC 7692) that followers share.

Each message is compressed without a dependency on earlier ones. So equal messages are compressed once, and a
connection holds neither compressor nor decompressor. Followers choose the ids of their subscriptions.
Therefore the head of a message, with its id, is a stored block of deflate (RFC 1951, 3.2.4) before the shared
blocks.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial

from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import CTRL_OPCODES, Frame
from websockets.typing import ExtensionParameter

from projections.lru_cache import lru_cache_short_keys

WINDOW_BITS = 12
MEMORY_LEVEL = 5
SHARED_FROM = b',"type":"next","payload":'
"""Begin of the part of a message that followers share. Inside a JSON string its quotes are escaped."""
MAX_HEAD_BYTES = 200
"""Maximum size of a stored head; a message with a longer one is compressed as a whole."""
MAX_CACHED_MESSAGES = 32
MAX_CACHED_BYTES = 64 * 1024
"""Maximum size of a message whose compressed form is cached."""
SYNC_FLUSH = b"\0\0\xff\xff"
"""Last bytes of a flush, which a message omits (RFC 7692, 7.2.1)."""


def _deflate(window_bits: int, text: bytes) -> bytes:
    """Return blocks of deflate without the end of their flush."""
    compressor = zlib.compressobj(wbits=-window_bits, memLevel=MEMORY_LEVEL)
    return (compressor.compress(text) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(
        SYNC_FLUSH
    )


@cache
def _cached_deflate(window_bits: int) -> Callable[[bytes], bytes]:
    return lru_cache_short_keys(
        partial(_deflate, window_bits), MAX_CACHED_MESSAGES, MAX_CACHED_BYTES
    )


def _stored(text: bytes) -> bytes:
    """Return text as an uncompressed block; an empty text needs none."""
    size = len(text)
    if not size:
        return b""
    return b"\0%b%b%b" % (size.to_bytes(2, "little"), (size ^ 0xFFFF).to_bytes(2, "little"), text)


class SharedDeflate(PerMessageDeflate):
    """The extension of one connection, without a state of its own."""

    def encode(self, frame: Frame) -> Frame:
        """Compress a message of one frame; control frames stay as they are."""
        if frame.opcode in CTRL_OPCODES:
            return frame
        text = bytes(frame.data)
        begin = max(0, text.find(SHARED_FROM, 0, MAX_HEAD_BYTES + len(SHARED_FROM)))
        shared = _cached_deflate(self.local_max_window_bits)(text[begin:])
        return replace(frame, data=_stored(text[:begin]) + shared, rsv1=True)


class SharedDeflateFactory(ServerPerMessageDeflateFactory):
    """The negotiation of the extension with a client."""

    def __init__(self) -> None:
        super().__init__(
            server_no_context_takeover=True,
            client_no_context_takeover=True,
            server_max_window_bits=WINDOW_BITS,
            client_max_window_bits=WINDOW_BITS,
        )

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """Return the parameters for a client, and the extension of its connection."""
        response, agreed = super().process_request_params(params, accepted_extensions)
        return response, SharedDeflate(
            agreed.remote_no_context_takeover,
            True,
            agreed.remote_max_window_bits,
            agreed.local_max_window_bits,
        )
