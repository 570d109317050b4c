"""Descriptions of parts of pages for other sites, by oEmbed 1.0. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from schema.pages.site.citation import PRODUCT
from schema.pages.site.embedding import WIDTH_PX, height_px, iframe
from schema.pages.site.page_request import PageRequest
from tracker.errors import InvalidInput

CACHE_SECONDS = 3600
MAX_PIXELS = 100_000
PIXELS = re.compile(r"[1-9][0-9]{0,4}")


def max_pixels(parameters: Mapping[str, str], name: str) -> int:
    """Return a limit of a frame in pixels: `maxwidth` or `maxheight`. Raises InvalidInput."""
    text = parameters.get(name)
    if text is None:
        return MAX_PIXELS
    if PIXELS.fullmatch(text):
        return int(text)
    raise InvalidInput(f"expected a number of pixels below {MAX_PIXELS}", path=(name,))


def describe(
    page_request: PageRequest, part: str, shown: Mapping[str, Any], max_width: int, max_height: int
) -> dict[str, Any]:
    """Return the description of a part of a page."""
    origin, address = page_request.origin, page_request.address
    height = min(max_height, height_px(part, shown))
    return {
        "version": "1.0",
        "type": "rich",
        "title": shown["title"],
        "author_name": PRODUCT,
        "author_url": f"{origin}/about",
        "provider_name": PRODUCT,
        "provider_url": f"{origin}/",
        "cache_age": CACHE_SECONDS,
        "html": iframe(origin, address, part, shown["title"], height),
        "width": min(max_width, WIDTH_PX),
        "height": height,
    }
