"""Charts as parts of pages and as images, made in a process of their own and kept by what they show."""

from __future__ import annotations

import asyncio
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from markupsafe import Markup

from projections.lru_cache import SizedLruCache
from schema.pages.charts.line_chart import IMAGE, NARROW, WIDE, Layout, LineChart, vega_lite
from schema.pages.charts.picture_process import is_installed, require_installed, shared_process
from schema.pages.charts.vega_svg import image_svg, page_svg
from tracker.errors import Unavailable

MAX_CACHE_BYTES = 32 * 1024 * 1024
MAX_WAITING = 24
"""Pictures that are asked for while others are made; more are refused."""

IMAGE_TYPES: dict[str, str] = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
"""The formats of images with their media types."""
Drawing = LineChart | str
"""A chart, or a whole SVG that was drawn here already: with its size in pixels and real colours."""


class ChartRenderer:
    """Draws charts outside of the event loop; what was drawn is kept by the hash of what it shows."""

    def __init__(self, max_bytes: int = MAX_CACHE_BYTES):
        self.pictures: SizedLruCache[bytes, bytes] = SizedLruCache(max_bytes)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="charts")
        self._coming: dict[bytes, asyncio.Future[bytes]] = {}

    async def inline(self, chart: LineChart) -> Markup | None:
        """A chart as a part of a page, in two widths of which the style sheet shows one; None where
        the library is not installed. Raises Unavailable when too many pictures are asked for."""
        if not is_installed():
            return None
        drawn = [
            page_svg(await self._drawn(chart, layout), chart, size)
            for layout, size in ((WIDE, "wide"), (NARROW, "narrow"))
        ]
        return Markup("").join(map(Markup, drawn))

    async def image(self, drawing: Drawing, format: str) -> bytes:
        """A drawing as a file, in one of `IMAGE_TYPES`. Raises Unavailable when too many are asked for,
        and TrackerError with the code FORMAT_NOT_INSTALLED where the library for it is not installed."""
        if isinstance(drawing, LineChart):
            require_installed()
            drawing = image_svg(await self._drawn(drawing, IMAGE), drawing)
        if format == "svg":
            return drawing.encode()
        require_installed()
        return await self._picture(format, drawing)

    async def _drawn(self, chart: LineChart, layout: Layout) -> str:
        spec: dict[str, Any] = vega_lite(chart, layout)
        return (await self._picture("vega-lite", json.dumps(spec))).decode()

    async def _picture(self, what: str, text: str) -> bytes:
        """A picture, kept or made; who asks for one that is being made gets the same."""
        key = hashlib.sha256(f"{what}\n{text}".encode()).digest()
        if (kept := self.pictures.get(key)) is not None:
            return kept
        if key not in self._coming:
            self._coming[key] = self._begin(key, what, text)
        return await asyncio.shield(self._coming[key])

    def _begin(self, key: bytes, what: str, text: str) -> asyncio.Future[bytes]:
        if len(self._coming) >= MAX_WAITING:
            raise Unavailable("too many charts are being drawn; try again in a moment")
        coming = asyncio.get_running_loop().run_in_executor(
            self._thread, shared_process().make, what, text
        )

        def arrived(done: asyncio.Future[bytes]) -> None:
            del self._coming[key]
            if not done.cancelled() and done.exception() is None:
                self.pictures.put(key, done.result(), len(done.result()))

        coming.add_done_callback(arrived)
        return coming
