"""The foot and the metadata of every image: sources, address and licence, so that a copy says where it is
from. Pure."""

import re
from collections.abc import Sequence
from textwrap import wrap

from markupsafe import Markup, escape

from schema.pages.charts.line_chart import printable
from schema.pages.charts.picture_metadata import PictureFacts, rdf
from schema.pages.charts.status_marks import IMAGE_COLOURS
from schema.tables.formats import LICENCE_URL

LICENCE = f"Licence: CC BY 4.0 ({LICENCE_URL}); figures are facts of their publishers."
NAMED_AT_ADDRESS = "named beside each record at the address below"
WIDTH_AND_HEIGHT_PX = re.compile(r'<svg\b[^>]*? width="(\d+)" height="(\d+)"')
LEFT = re.compile(r'<text x="(\d+)"')
"""Its first text, at whose left edge the foot begins."""
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
MARGIN_PX, LINE_PX, FONT_PX = 16, 16, 12
CHARACTER_PX = 6.8
"""Average width of a character of the foot."""
FOOT_PX = 3 * LINE_PX + MARGIN_PX
"""Height of a foot whose lines fit."""


def picture_facts(svg: str, sources: Sequence[str], address: str) -> PictureFacts:
    """Return the title of an image with its sources, its address and its licence."""
    title = TITLE.search(svg)
    return PictureFacts(
        Markup(title[1]).unescape() if title else "",
        "; ".join(map(printable, sources)) or NAMED_AT_ADDRESS,
        address,
        LICENCE,
        LICENCE_URL,
    )


def with_credit(svg: str, sources: Sequence[str], address: str) -> str:
    """Return an image with a foot; `svg` has its size in pixels, `address` names site and host."""
    size, title, text = WIDTH_AND_HEIGHT_PX.search(svg), TITLE.search(svg), LEFT.search(svg)
    if size is None or title is None or text is None:
        raise ValueError("expected an image with a size, a title and texts")
    width, height, left = int(size[1]), int(size[2]), int(text[1])
    facts = picture_facts(svg, sources, address)
    notes = (f"Source: {facts.source}.", address, LICENCE)
    characters = int((width - 2 * left) / CHARACTER_PX)
    lines = [line for note in notes for line in wrap(note, characters, break_on_hyphens=False)]
    total = height + len(lines) * LINE_PX + MARGIN_PX
    texts = "".join(
        f'<text x="{left}" y="{height + number * LINE_PX}">{escape(printable(line))}</text>'
        for number, line in enumerate(lines, start=1)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{total}"'
        f' viewBox="0 0 {width} {total}" role="img">{title[0]}'
        f"<metadata>{rdf(facts)}</metadata>"
        f'<rect width="{width}" height="{total}" fill="{IMAGE_COLOURS["paper"]}"/>{svg.strip()}'
        f'<g font-family="system-ui, \'Liberation Sans\', Arial, sans-serif" font-size="{FONT_PX}"'
        f' fill="{IMAGE_COLOURS["ink-3"]}">{texts}</g></svg>'
    )
