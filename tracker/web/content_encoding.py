"""Content encodings (RFC 9110, 8.4): decoded piece by piece and checked to the end. Pure.

A server may cut off gzip data and declare the remaining length. Only the compressed data show whether they
are complete. Nothing is decompressed beyond the limit.
"""

from __future__ import annotations

import zlib

ACCEPTED = "gzip, deflate"
"""Value of the header Accept-Encoding."""
PLAIN = ("", "identity")
GZIP = ("gzip", "x-gzip")
GZIP_WINDOW_BITS = 16 + zlib.MAX_WBITS
"""Window size of zlib for data with a gzip header."""
DEFLATE_METHOD = 8
"""The lower half of the first byte of zlib's format (RFC 1950), which some servers omit."""


class UnpackError(Exception):
    """The data cannot be decompressed, or are cut off."""


class Unpacker:
    """Decompresses a document in pieces, up to one byte more than `max_bytes`, which shows that it is too
    large.

    Raises ValueError for an encoding that was not requested.
    """

    def __init__(self, coding: str, max_bytes: int):
        self._coding = coding.strip().lower()
        if self._coding not in (*PLAIN, *GZIP, "deflate"):
            raise ValueError(f"it is packed as {coding[:50]!r}: expected gzip or deflate")
        self._left = max_bytes + 1
        self._stream: zlib._Decompress | None = None

    def feed(self, piece: bytes) -> bytes:
        """Return the decompressed data of the next piece. Raises UnpackError."""
        if self._coding in PLAIN:
            return self._take(piece)
        content = bytearray()
        while piece and self._left:
            if self._stream is None:
                self._stream = zlib.decompressobj(self._window_bits(piece))
            try:
                content += self._take(self._stream.decompress(piece, self._left))
            except zlib.error as error:
                raise UnpackError(str(error)) from None
            piece = self._rest(self._stream)
        return bytes(content)

    def end(self) -> None:
        """Complete the data. Raises UnpackError if they are cut off."""
        if self._left and self._stream is not None and not self._stream.eof:
            raise UnpackError("the compressed content is truncated")

    def _rest(self, stream: zlib._Decompress) -> bytes:
        """Return the remainder of a piece: of the same stream, or of a following one, as gzip permits."""
        if not stream.eof:
            return stream.unconsumed_tail
        if stream.unused_data:
            if self._coding not in GZIP:
                raise UnpackError("data follow the end of the compressed content")
            self._stream = None
        return stream.unused_data

    def _take(self, content: bytes) -> bytes:
        taken = content[: self._left]
        self._left -= len(taken)
        return taken

    def _window_bits(self, piece: bytes) -> int:
        if self._coding in GZIP:
            return GZIP_WINDOW_BITS
        return zlib.MAX_WBITS if piece[0] & 0xF == DEFLATE_METHOD else -zlib.MAX_WBITS
