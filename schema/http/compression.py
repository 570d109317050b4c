"""Answers as gzip, for clients that take it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Receive, Scope, Send

from projections.lru_cache import lru_cache_short_keys
from schema.http.request import MAX_CACHED_CHARACTERS, MAX_CACHED_HEADERS, header

MIN_COMPRESSED_BYTES = 1024
"""What is shorter fits into one packet anyway."""


def accepted_words(header: str) -> Sequence[str]:
    """The words of a header such as Accept, without those that it refuses by `q=0`."""
    parts = [part.replace(" ", "").lower().split(";") for part in header.split(",")]
    return [word for word, *rest in parts if not any(map(_refuses, rest))]


def _refuses(option: str) -> bool:
    name, _, value = option.partition("=")
    return name == "q" and not value.strip("0.")


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
