"""Rendered pages and documents, cached with their compressed form."""

import asyncio
import gzip
import hashlib
import html
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import orjson
from starlette.requests import Request
from starlette.responses import Response

from projections.lru_cache import SizedLruCache
from schema.base.compression import GZIP_LEVEL
from schema.http.messages import MIN_COMPRESSED_BYTES, has_tag, takes_gzip

JSON = "application/json; charset=utf-8"
CITE_AS = re.compile(rb'<link rel="cite-as" href="([^"]+)">')
MAX_CACHE_BYTES = 32 * 1024 * 1024

Key: TypeAlias = tuple[object, ...]


@dataclass(frozen=True)
class RenderedPage:
    """A page as HTML, or as data."""

    body: bytes

    @cached_property
    def digest(self) -> str:
        """Return its digest, which is the same for the same bytes."""
        return hashlib.blake2b(self.body, digest_size=16).hexdigest()

    def tag(self, gzip: bool) -> str:
        """Return its entity tag (RFC 9110, 8.8.3): strong, so that the compressed form has its own."""
        return f'"{self.digest}{"-gzip" if gzip else ""}"'

    def response(
        self,
        request: Request,
        headers: Mapping[str, str],
        media_type: str,
        compressible: bool = True,
    ) -> Response:
        """Return the response to a request: without a body if the client has the tag already."""
        takes = takes_gzip(request.headers.get("accept-encoding", ""))
        short = compressible and takes and len(self.body) >= MIN_COMPRESSED_BYTES
        sent = {**headers, "ETag": self.tag(short)}
        if has_tag(request.headers.get("if-none-match", ""), self.digest):
            return Response(status_code=304, headers=sent)
        if short:
            sent["Content-Encoding"] = "gzip"
        body = self.gzipped if short else self.body
        return Response(body, headers=sent, media_type=media_type)

    @cached_property
    def permanent_url(self) -> str:
        """Return the address that the page is to be cited by; empty for a page without one."""
        found = CITE_AS.search(self.body)
        return html.unescape(found[1].decode()) if found else ""

    @cached_property
    def gzipped(self) -> bytes:
        """Return the page as gzip."""
        return gzip.compress(self.body, GZIP_LEVEL, mtime=0)


async def fixed_response(
    request: Request, make: Callable[[], Any], media_type: str = JSON
) -> Response:
    """Return a document that stays the same in this process: text, or else JSON.

    It is made and compressed once, in a thread.
    """
    page = _fixed[make] if make in _fixed else await asyncio.to_thread(_rendered, make)
    return page.response(request, {"Vary": "Accept-Encoding"}, media_type)


_fixed: dict[Callable[[], Any], RenderedPage] = {}
_rendering = threading.Lock()


def _rendered(make: Callable[[], Any]) -> RenderedPage:
    with _rendering:
        if make not in _fixed:
            made = make()
            page = RenderedPage(made.encode() if isinstance(made, str) else orjson.dumps(made))
            _ = page.gzipped
            _fixed[make] = page
    return _fixed[make]


class RenderedPages(SizedLruCache[Key, RenderedPage]):
    """Pages by their addresses, their permitted readers, and the tag of their response.

    They are valid as long as the response to their query is the same.
    """

    def store(self, key: Key, text: str) -> RenderedPage:
        """Store a rendered page."""
        page = RenderedPage(text.encode())
        size = len(page.body) * 5 // 4 + sum(len(part) for part in key if isinstance(part, str))
        self.put(key, page, size)
        return page
