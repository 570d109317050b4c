"""Markdown as HTML that may stand on our pages: no raw HTML, no style attributes, tables and code that
scroll by themselves, an anchor at each heading. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

Address: TypeAlias = Callable[[str], str | None]
"""Where a link or a picture leads; None for nowhere: then the text stands alone."""
NO_SLUG = re.compile(r"[^\w\- ]")
MAX_CONTENTS_LEVEL = 3
MARK = re.compile(r"^<!-- [\w: ]+ -->\n", re.MULTILINE)
"""Where a command puts its figures into a document: a line of its own, for no reader."""
TABLE = '<div class="scroll" tabindex="0" role="group" aria-label="{}">\n'
CODE = '<pre class="code" tabindex="0" role="group" aria-label="{}"><code>{}</code></pre>\n'


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the plain text up to the next."""

    anchor: str
    heading: str
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class RenderedMarkdown:
    """A document as a page shows it."""

    title: str
    description: str
    """Its first paragraph."""
    html: Markup
    """All but the title."""
    sections: Sequence[Section]

    @property
    def contents(self) -> list[Section]:
        """The sections of a table of contents."""
        return [section for section in self.sections if 1 < section.level <= MAX_CONTENTS_LEVEL]


@dataclass(slots=True)
class _UnfinishedSection:
    """A section while its text is read."""

    anchor: str
    heading: str
    level: int
    words: list[str] = field(default_factory=list)

    def section(self) -> Section:
        return Section(
            self.anchor, self.heading, self.level, " ".join(" ".join(self.words).split())
        )


def render(text: str, address: Address) -> RenderedMarkdown:
    """A document, its links led by `address`."""
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
    """The anchor of a heading, as code hosts make it."""
    return NO_SLUG.sub("", heading.lower()).replace(" ", "-")


def plain(token: Token) -> str:
    """The text of an inline token as one reads it."""
    spaced = {"softbreak": " ", "hardbreak": " "}
    return "".join(
        plain(child) if child.children else spaced.get(child.type, child.content)
        for child in token.children or ()
    )


def _gather(tokens: Sequence[Token]) -> list[_UnfinishedSection]:
    """The sections, and the anchors written to their headings."""
    found: list[_UnfinishedSection] = []
    taken: Counter[str] = Counter()
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = plain(tokens[place + 1])
            anchor = slug(heading)
            taken[anchor] += 1
            if taken[anchor] > 1:
                anchor = f"{anchor}-{taken[anchor] - 1}"
            token.attrSet("id", anchor)
            found.append(_UnfinishedSection(anchor, heading, int(token.tag[1:])))
        elif token.type == "inline" and found and tokens[place - 1].type != "heading_open":
            found[-1].words.append(plain(token))
        elif token.type in ("fence", "code_block") and found:
            found[-1].words.append(token.content)
    return found


def _without_title(tokens: Sequence[Token]) -> tuple[str, Sequence[Token]]:
    """The heading of a document and what is behind it."""
    if len(tokens) > 2 and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        return plain(tokens[1]), tokens[3:]
    return "", tokens


def _first_paragraph(tokens: Sequence[Token]) -> str:
    for place, token in enumerate(tokens):
        if token.type == "paragraph_open":
            return plain(tokens[place + 1])
    return ""


def _without_style(token: Token) -> None:
    """Say by a class how a cell is aligned: our pages take no style attributes."""
    style = token.attrs.pop("style", None)
    if style == "text-align:right":
        token.attrSet("class", "n")


def _led(tokens: Sequence[Token], address: Address) -> Iterator[Token]:
    """The same with links that lead somewhere, and the text of those that do not."""
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
            if target is None or not target.startswith("/"):  # nothing is loaded from elsewhere
                yield Token("text", "", 0, content=plain(token))
                continue
            token.attrSet("src", target)
            token.attrSet("loading", "lazy")
        yield token


def _scrolling(tokens: Sequence[Token], title: str) -> Iterator[Token]:
    """The same with tables, and code that may be wide, in regions that a keyboard can scroll."""
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
