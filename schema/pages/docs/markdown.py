"""Conversion of Markdown to safe HTML. Pure.

The result has no raw HTML and no style attributes. Tables and code scroll separately, and each heading has
an anchor.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape
from msgspec import Struct

Address: TypeAlias = Callable[[str], str | None]
"""A function from the target of a link or picture to its address; None if only the text remains."""
NO_SLUG = re.compile(r"[^\w\- ]")
MAX_CONTENTS_LEVEL = 3
MARK = re.compile(r"^<!-- [\w: ]+ -->\n", re.MULTILINE)
"""Marker line at which a command inserts figures into a document; readers do not see it."""
TABLE = '<div class="scroll" tabindex="0" role="group" aria-label="{}">\n'
CODE = '<pre class="code" tabindex="0" role="group" aria-label="{}"><code>{}</code></pre>\n'


class Section(Struct, frozen=True):
    """A heading with the plain text up to the next one."""

    anchor: str
    heading: str
    level: int
    text: str


class RenderedMarkdown(Struct, frozen=True):
    """A document as shown on a page."""

    title: str
    description: str
    """Its first paragraph."""
    html: Markup
    """Everything except the title."""
    sections: Sequence[Section]

    @property
    def contents(self) -> list[Section]:
        """Return the sections of a table of contents."""
        return [section for section in self.sections if 1 < section.level <= MAX_CONTENTS_LEVEL]


@dataclass(slots=True)
class _UnfinishedSection:
    """A section whose text is being read."""

    anchor: str
    heading: str
    level: int
    words: list[str] = field(default_factory=list)

    def section(self) -> Section:
        return Section(
            self.anchor, self.heading, self.level, " ".join(" ".join(self.words).split())
        )


def render(text: str, address: Address) -> RenderedMarkdown:
    """Render a document with links converted by `address`."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(MARK.sub("", text))
    sections = [each.section() for each in _gather(tokens)]
    for token in tokens:
        _without_style(token)
        if token.children:
            token.children = list(_led(token.children, address))
    title, rest = _without_title(tokens)
    html = parser.renderer.render(list(_scrolling(rest, title)), parser.options, {})
    return RenderedMarkdown(title, _first_paragraph(rest), Markup(html), sections)


def slug(heading: str) -> str:
    """Return the anchor of a heading, as code hosts make it."""
    return NO_SLUG.sub("", heading.lower()).replace(" ", "-")


def plain(token: Token) -> str:
    """Return the visible text of an inline token."""
    spaced = {"softbreak": " ", "hardbreak": " "}
    return "".join(
        plain(child) if child.children else spaced.get(child.type, child.content)
        for child in token.children or ()
    )


def _gather(tokens: Sequence[Token]) -> list[_UnfinishedSection]:
    """Return the sections, and add anchors to their headings."""
    sections: list[_UnfinishedSection] = []
    taken: Counter[str] = Counter()
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = plain(tokens[place + 1])
            anchor = slug(heading)
            taken[anchor] += 1
            if taken[anchor] > 1:
                anchor = f"{anchor}-{taken[anchor] - 1}"
            token.attrSet("id", anchor)
            sections.append(_UnfinishedSection(anchor, heading, int(token.tag[1:])))
        elif token.type == "inline" and sections and tokens[place - 1].type != "heading_open":
            sections[-1].words.append(plain(token))
        elif token.type in ("fence", "code_block") and sections:
            sections[-1].words.append(token.content)
    return sections


def _without_title(tokens: Sequence[Token]) -> tuple[str, Sequence[Token]]:
    """Return the heading of a document and the tokens after it."""
    if len(tokens) > 2 and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        return plain(tokens[1]), tokens[3:]
    return "", tokens


def _first_paragraph(tokens: Sequence[Token]) -> str:
    for place, token in enumerate(tokens):
        if token.type == "paragraph_open":
            return plain(tokens[place + 1])
    return ""


def _without_style(token: Token) -> None:
    """Replace style attributes of cells with classes, because the pages allow no style attributes."""
    style = token.attrs.pop("style", None)
    if style == "text-align:right":
        token.attrSet("class", "n")


def _led(tokens: Sequence[Token], address: Address) -> Iterator[Token]:
    """Yield tokens with converted links, and the text of links without an address."""
    open_links: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            target = address(str(token.attrGet("href")))
            open_links.append(target is not None)
            if target is None:
                continue
            token.attrSet("href", target)
        elif token.type == "link_close" and not open_links.pop():
            continue
        elif token.type == "image":
            target = address(str(token.attrGet("src")))
            if target is None or not target.startswith("/"):  # load nothing from other sites
                yield Token("text", "", 0, content=plain(token))
                continue
            token.attrSet("src", target)
            token.attrSet("loading", "lazy")
        yield token


def _scrolling(tokens: Sequence[Token], title: str) -> Iterator[Token]:
    """Yield tokens with tables, and wide code, in regions that a keyboard can scroll."""
    heading = title
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = plain(tokens[place + 1])
        if token.type == "table_open":
            yield _html(TABLE.format(escape(f"Table: {heading}")))
        if token.type in ("fence", "code_block"):
            yield _html(CODE.format(escape(f"Code: {heading}"), escape(token.content)))
            continue
        yield token
        if token.type == "table_close":
            yield _html("</div>\n")


def _html(content: str) -> Token:
    return Token("html_block", "", 0, content=content)
