"""Answers as gzip, for clients that take it."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Receive, Scope, Send

from projections.lru_cache import lru_cache_short_keys
from schema.execution.response_cache import GZIP_LEVEL
from schema.http.request import MAX_CACHED_CHARACTERS, MAX_CACHED_HEADERS, header

WEIGHT = re.compile(r"q=(0(?:\.\d*)?|1(?:\.0*)?)", re.ASCII)
GZIP_WINDOW = 16 + zlib.MAX_WBITS
"""As zlib is told to write gzip."""
MIN_COMPRESSED_BYTES = 1024
"""What is shorter fits into one packet anyway."""


def accepted_words(header: str) -> Sequence[str]:
    """The words of a header such as Accept, the most wanted first (RFC 9110, 12.4.2), without those
    that it refuses by `q=0`."""
    parts = [part.replace(" ", "").lower().split(";") for part in header.split(",")]
    weights = [(word, _weight(options)) for word, *options in parts]
    return [word for word, weight in sorted(weights, key=lambda one: -one[1]) if weight > 0]


def _weight(options: Sequence[str]) -> float:
    """What is said by `q`; 1 where nothing is, or nothing that is a weight."""
    for option in options:
        if found := WEIGHT.fullmatch(option):
            return float(found[1])
    return 1


def _takes_gzip(accept_encoding: str) -> bool:
    return "gzip" in accepted_words(accept_encoding)


takes_gzip = lru_cache_short_keys(_takes_gzip, MAX_CACHED_HEADERS, MAX_CACHED_CHARACTERS)
"""Whether an Accept-Encoding header says that gzip is taken."""


class CompressionMiddleware(GZipMiddleware):
    """Starlette's, for those who take gzip: it looks for the word, though that may be refused."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as gzip where that is taken."""
        if not takes_gzip(header(scope["headers"], b"accept-encoding")):
            others = [each for each in scope["headers"] if each[0] != b"accept-encoding"]
            scope = {**scope, "headers": others}
        await super().__call__(scope, receive, send)


SHORTER = Middleware(
    CompressionMiddleware, minimum_size=MIN_COMPRESSED_BYTES, compresslevel=GZIP_LEVEL
)
"""For routes whose answers are made as a whole."""


async def gzip_chunks(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """What comes piece by piece as gzip. The first piece leaves as soon as it is there."""
    packer, begun = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WINDOW), False
    async with aclosing(chunks):
        async for chunk in chunks:
            part = packer.compress(chunk)
            if not begun:
                part, begun = part + packer.flush(zlib.Z_SYNC_FLUSH), True
            if part:
                yield part
        yield packer.flush()
