"""Conversion of SVG to PNG and PDF in a separate process, with a cache by content."""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor

from projections.lru_cache import SizedLruCache
from schema.pages.charts.picture_process import SHARED_PROCESS, require_installed
from tracker.errors import Unavailable

MAX_CACHE_BYTES = 32 * 1024 * 1024
MAX_WAITING = 24
"""Maximum number of queued pictures; more are refused."""

IMAGE_TYPES: dict[str, str] = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
"""Formats of images with their media types."""


class ChartRenderer:
    """Converter of pictures outside of the event loop, with a cache by the hash of their SVG."""

    def __init__(self, max_bytes: int = MAX_CACHE_BYTES):
        self.pictures: SizedLruCache[bytes, bytes] = SizedLruCache(max_bytes)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="charts")
        self._coming: dict[bytes, asyncio.Future[bytes]] = {}

    async def image(self, svg: str, format: str) -> bytes:
        """Return an SVG, with its size in pixels and real colours, in one of `IMAGE_TYPES`.

        Concurrent requests for a picture share one conversion. Raises Unavailable if the queue is full, and
        TrackerError with the code FORMAT_NOT_INSTALLED without the library.
        """
        if format == "svg":
            return svg.encode()
        require_installed()
        key = hashlib.sha256(f"{format}\n{svg}".encode()).digest()
        if (picture := self.pictures.get(key)) is not None:
            return picture
        if key not in self._coming:
            self._coming[key] = self._begin(key, format, svg)
        return await asyncio.shield(self._coming[key])

    def _begin(self, key: bytes, format: str, svg: str) -> asyncio.Future[bytes]:
        if len(self._coming) >= MAX_WAITING:
            raise Unavailable("too many charts are being drawn; try again in a moment")
        coming = asyncio.get_running_loop().run_in_executor(
            self._thread, SHARED_PROCESS.make, format, svg
        )

        def arrived(done: asyncio.Future[bytes]) -> None:
            del self._coming[key]
            if not done.cancelled() and done.exception() is None:
                self.pictures.put(key, done.result(), len(done.result()))

        coming.add_done_callback(arrived)
        return coming
