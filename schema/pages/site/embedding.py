"""Parts of pages for frames of other sites: their addresses, sizes and codes. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Any

from markupsafe import Markup
from msgspec import Struct

from schema.pages.site.address import Address, href
from schema.pages.site.citation import PRODUCT
from schema.pages.site.images import Sized

PREFIX = "/embed"
OEMBED = "/oembed"
ANSWER = "answer"
"""The part with the answer box; each chart is another part."""
WIDTH_PX = 640
"""Width for which the height is estimated, and at which charts begin to scroll."""
MAX_ROWS = 20
"""Maximum number of items of a list in a frame."""
MAX_DIGITS = 4
FOOT_PX, LINE_PX = 170, 23
CHARACTERS = 78
"""Characters in a line at that width."""
FRAMED = re.compile(rf"{PREFIX}/([^/]+)(/.*)")


class AnswerLine(Struct, frozen=True):
    """A line of the answer box of a page: a label such as the issuer, a text, and a path of this site."""

    text: str
    label: str = ""
    link: str = ""


class EmbedCode(Struct, frozen=True):
    """HTML that frames a part of a page."""

    name: str
    code: str


def parts_of(shown: Mapping[str, Any]) -> dict[str, str]:
    """Return the parts that the view of a page has, with their names; the first one is the default."""
    answer = {ANSWER: "Answer"} if shown.get("answer_lines") else {}
    return answer | {part: chart.name for part, chart in shown.get("charts", {}).items()}


def embed_address(address: Address, part: str) -> str:
    """Return the address of a part of a page for a frame."""
    return replace(small(address), path=f"{PREFIX}/{part}{address.path}").at()


def small(address: Address) -> Address:
    """Return the address of a page with a list of at most `MAX_ROWS` items, so that its frame is small."""
    parameters = dict(address.parameters)
    first = parameters.get("first", "")
    if first.isascii() and first.isdigit() and (len(first) > MAX_DIGITS or int(first) > MAX_ROWS):
        parameters["first"] = str(MAX_ROWS)
    return replace(address, parameters=parameters)


def live(address: Address) -> Address:
    """Return the address of a page of today with the newest records."""
    return replace(address, valid=None, known=None, position=None)


def oembed_link(origin: str, address: Address) -> str:
    """Return the address of the description of a page for other sites (oEmbed)."""
    return f"{origin}{href(OEMBED, {'url': f'{origin}{address}'})}"


def height_px(part: str, shown: Mapping[str, Any]) -> int:
    """Return the estimated height of a part; a script reports the exact one to the framing page."""
    title = ceil(len(shown["title"]) / 50) * 30
    if part != ANSWER:
        drawing: Sized = shown["charts"][part].drawing
        return title + FOOT_PX + ceil(WIDTH_PX * drawing.height / drawing.width)
    lines: Sequence[AnswerLine] = shown["answer_lines"]
    texts = [*(f"{one.label} {one.text}" for one in lines), *shown.get("limits", ())]
    return title + FOOT_PX + sum(ceil(len(text) / CHARACTERS) * LINE_PX + 8 for text in texts)


def iframe(origin: str, address: Address, part: str, title: str, height: int) -> str:
    """Return the HTML that frames a part of a page."""
    code = (
        '<iframe src="{}" title="{}" width="100%" height="{}" loading="lazy"'
        ' style="border:0"></iframe>'
    )
    source = f"{origin}{embed_address(address, part)}"
    return str(Markup(code).format(source, f"{title} – {PRODUCT}", height))


def embed_codes(
    origin: str, address: Address, pinned: Address, shown: Mapping[str, Any]
) -> list[EmbedCode]:
    """Return the codes of a page: each part, as it changes and as it is now."""
    return [
        EmbedCode(
            f"{of_part}, {name}", iframe(origin, of, part, shown["title"], height_px(part, shown))
        )
        for part, of_part in parts_of(shown).items()
        for name, of in (("newest data", live(address)), ("this state", pinned))
    ]


def framed_path(path: str) -> tuple[str | None, str]:
    """Return the part and the path of the page of an address, which may be that of a frame."""
    if found := FRAMED.fullmatch(path):
        return found[1], found[2]
    return None, path
