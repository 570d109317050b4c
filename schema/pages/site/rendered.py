"""Pages as bytes, kept in memory for whoever asks the same address again while the answer to its
question is the same.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from projections.lru_cache import SizedLruCache
from schema.execution.response_cache import GZIP_LEVEL

MAX_CACHE_BYTES = 32 * 1024 * 1024

Key: TypeAlias = tuple[object, ...]


@dataclass(frozen=True)
class RenderedPage:
    """A page as HTML."""

    body: bytes

    @cached_property
    def digest(self) -> str:
        """What stands for it: the same bytes have the same."""
        return hashlib.blake2b(self.body, digest_size=16).hexdigest()

    def tag(self, gzip: bool) -> str:
        """Its entity tag (RFC 9110, 8.8.3): strong, so that the compressed form has its own."""
        return f'"{self.digest}{"-gzip" if gzip else ""}"'

    @cached_property
    def gzipped(self) -> bytes:
        """The same as gzip."""
        return gzip.compress(self.body, GZIP_LEVEL, mtime=0)


class RenderedPages(SizedLruCache[Key, RenderedPage]):
    """Pages by their addresses, who may see them, and the tag of the answer that they show."""

    def keep(self, key: Key, html: str) -> RenderedPage:
        """Keep a page that was rendered."""
        page = RenderedPage(html.encode())
        size = len(page.body) * 5 // 4 + sum(len(part) for part in key if isinstance(part, str))
        self.put(key, page, size)
        return page
