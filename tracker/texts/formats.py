"""Texts of acts in files: plain text, Markdown, HTML of a gazette, XML of the Federal Register."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from lxml import etree, html

from tracker.errors import InvalidInput

MAX_TEXT_BYTES = 16 << 20
INLINE = frozenset(
    {"a", "abbr", "ac", "b", "cite", "code", "e", "em", "font", "fr", "i", "ins", "mark", "q", "s"}
    | {"small", "span", "strong", "su", "sub", "sup", "tt", "u"}
)
"""Elements within a line, of HTML and of the Federal Register's XML; others begin a line."""
CELLS = frozenset({"td", "th", "ent", "ched"})
SKIPPED = frozenset({"script", "style", "head", "prtpage", "frdoc", "bilcod", "nav"})


def read_text(name: str, content: bytes) -> str:
    """Return the text in a file, by the ending of its name.

    Markdown and plain text stay as they are; of HTML and XML each block is a line. Raises InvalidInput.
    """
    if len(content) > MAX_TEXT_BYTES:
        raise InvalidInput(
            f"{name}: expected at most {MAX_TEXT_BYTES >> 20} MB", code="TEXT_TOO_LARGE"
        )
    ending = PurePath(name).suffix.lower()
    if ending in {".html", ".htm", ".xhtml", ".xml"}:
        return "".join(f"{line}\n" for line in _lines(_parse(name, ending, content)))
    if ending not in {".md", ".txt"}:
        raise InvalidInput(f"{name}: expected .md, .txt, .html or .xml", code="UNKNOWN_FORMAT")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{name}: expected text in UTF-8", code="NOT_UTF_8") from None


def _parse(name: str, ending: str, content: bytes) -> Any:
    """Return the tree of a document; entities of XML are not resolved, and nothing is fetched."""
    try:
        if ending == ".xml":
            safe = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
            return etree.fromstring(content, safe)
        return html.document_fromstring(content, parser=html.HTMLParser(remove_comments=True))
    except (etree.ParserError, etree.XMLSyntaxError):
        raise InvalidInput(f"{name}: expected a document", code="NOT_READABLE") from None


def _lines(tree: Any) -> Iterator[str]:
    """Yield the lines of a document: blocks, and rows of tables with ` | ` between cells."""
    line = list[str]()
    for piece in _pieces(tree):
        if piece is not None:
            line.append(piece)
            continue
        words = " ".join("".join(line).split()).removesuffix(" |")
        line.clear()
        if words:
            yield words


def _pieces(tree: Any) -> Iterator[str | None]:
    """Yield the pieces of text in the order of a document, and None at each end of a line."""
    cells = 0
    skipped: Any = None
    for event, node in etree.iterwalk(tree, events=("start", "end")):
        name = _name(node)
        if skipped is None and name in SKIPPED:
            skipped = node
        breaks = name not in INLINE and name not in CELLS and not cells
        if event == "start" and skipped is None:
            cells += name in CELLS
            if breaks:
                yield None
            yield node.text or ""
        if event == "end":
            if name in CELLS and skipped is None:
                cells -= 1
                yield " | " if not cells else " "
            elif skipped is None:
                yield None if breaks else " " if name not in INLINE else ""
            if skipped is node:
                skipped = None
            yield (node.tail or "") if skipped is None else ""
    yield None


def _name(node: Any) -> str:
    """Return the name of an element in lower case, without its namespace."""
    return etree.QName(node).localname.lower() if isinstance(node.tag, str) else ""
