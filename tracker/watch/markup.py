"""Safe parsing of untrusted XML and HTML: no entities, no DTD, no network, no guessed encodings.

The encoding is that of a byte order mark, else of the response header, else of the document (the XML
declaration, `<meta charset>`), else UTF-8. A document in another encoding is rejected. It is also rejected if
header and document declare two encodings and both can decode it. Names of encodings follow the Encoding
Standard of the WHATWG.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urldefrag, urljoin

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from tracker.domain.basics.toml_files import read_toml
from tracker.watch.adapter import NotUnderstood, Response, decode_text

MAX_HTML_BYTES = 4 * 2**20
MAX_TAG_CHARACTERS = 1 << 16
TAG = re.compile(r"""<[a-z](?:[^>"']++|"[^"]*+"|'[^']*+')*+""", re.IGNORECASE)
QUOTED = re.compile(r"""("[^"]*+"|'[^']*+')""")
HEAD_BYTES = 2048
"""Number of bytes in which a document must declare its encoding."""
XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
META_CHARSET = re.compile(rb"""<meta[^>]*?\bcharset\s*=\s*["']?\s*([A-Za-z0-9._-]+)""", re.I)
XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
MAX_REFRESH_CHARACTERS = 2_000
"""Number of characters of a `<meta http-equiv="refresh">` that are read."""
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")

DECLARED: Mapping[str, Any] = read_toml(__file__)
WEB_ENCODINGS: Mapping[str, str] = DECLARED["web_encodings"]
"""Labels that mean another encoding on the web than their name suggests."""

BLOCK_NAMES = """
    address article aside blockquote br caption dd div dl dt figure footer form h1 h2 h3 h4 h5 h6
    header hr li main nav ol option p pre section table tbody td tfoot th thead title tr ul
"""
BLOCKS = frozenset(BLOCK_NAMES.split())
"""Elements that begin a line."""
UNREAD = frozenset(("script", "style", "noscript", "template", "svg"))
"""Elements whose content is not visible text."""


def parse_xml(response: Response) -> etree._Element:
    """Return the root of an XML document. Raises NotUnderstood for invalid XML or a DTD."""
    text = XML_DECLARATION.sub("", _text(response, XML_ENCODING), count=1)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise NotUnderstood(f"{response.url}: expected XML without a DTD")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotUnderstood(f"{response.url}: expected XML: {error}") from None


def parse_html(response: Response) -> HtmlElement:
    """Return the root of an HTML document, even if it is malformed. Raises NotUnderstood."""
    if len(response.content) > MAX_HTML_BYTES:
        raise _too_large(response, f"{MAX_HTML_BYTES:,} bytes")
    text = NOT_IN_XML.sub(" ", _text(response, META_CHARSET))
    if not text.strip():
        raise NotUnderstood(f"{response.url}: expected HTML, got nothing")
    if has_long_tag(text):
        raise _too_large(response, f"{MAX_TAG_CHARACTERS:,} characters in a tag")
    try:
        return document_fromstring(text.encode(), HTMLParser(encoding="utf-8", no_network=True))
    except (etree.LxmlError, ValueError) as error:
        if getattr(error, "code", None) == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from None
        raise NotUnderstood(f"{response.url}: expected HTML: {error}") from None


def has_long_tag(text: str) -> bool:
    """Return whether a tag is too long, apart from its quoted values: libxml2 compares each of its
    attributes with all the others."""
    return any(
        len(tag[0]) > MAX_TAG_CHARACTERS and len(QUOTED.sub("", tag[0])) > MAX_TAG_CHARACTERS
        for tag in TAG.finditer(text)
    )


def page_lines(response: Response) -> list[str]:
    """Return the lines of text of an HTML document. Raises NotUnderstood."""
    return lines_of(parse_html(response))


def text_of_markup(markup: str) -> str:
    """Return the text of a piece of HTML as one line. Raises NotUnderstood."""
    if has_long_tag(markup):
        raise NotUnderstood(
            f"expected at most {MAX_TAG_CHARACTERS:,} characters in a tag", code="TOO_LARGE"
        )
    return text_of(document_fromstring(f"<div>{markup}</div>"))


def _too_large(response: Response, limit: str) -> NotUnderstood:
    return NotUnderstood(f"{response.url}: expected HTML of at most {limit}", code="TOO_LARGE")


def sent_on_to(root: HtmlElement, url: str) -> str | None:
    """Return the other address to which a page redirects automatically (`http-equiv="refresh"`), also for
    readers with scripts."""
    for meta in root.xpath("//meta[@http-equiv and not(ancestor::noscript)]"):
        address = _refresh_address(meta.get("content") or "")
        if meta.get("http-equiv").strip().casefold() != "refresh" or not address:
            continue
        try:
            target = str(urldefrag(urljoin(url, address)).url)
        except ValueError:
            continue
        if target != urldefrag(url).url:
            return target
    return None


def _refresh_address(content: str) -> str:
    """Return the address in the content of a refresh (`5; url='/new'`); empty if it has none.

    Without a regular expression: with optional parts between optional spaces it would backtrack.
    """
    content = content[:MAX_REFRESH_CHARACTERS].strip()
    rest = content.lstrip("0123456789.")
    separator, address = rest.lstrip()[:1], rest.lstrip()[1:].lstrip()
    if rest == content or separator not in (";", ","):
        return ""
    name, equals, value = address.partition("=")
    if equals and name.rstrip().casefold() == "url":
        address = value.lstrip()
    address = address[1:] if address[:1] in ("'", '"') else address
    address = address[:-1] if address[-1:] in ("'", '"') else address
    return "" if "'" in address or '"' in address else address.strip()


def _text(response: Response, declaration: re.Pattern[bytes]) -> str:
    """Decode a document.

    Raises NotUnderstood (`ENCODING`), also if header and document declare different encodings that give
    different texts. A document is UTF-8 if its header says so and it is valid UTF-8.
    """
    match = declaration.search(response.content[:HEAD_BYTES])
    header, page = map(_on_the_web, (response.charset, match and match[1].decode("ascii")))
    text = decode_text(response.content, header or page)
    if header and page and header.casefold().replace("-", "") != "utf8":
        other = _text_in(page, response.content)
        if other not in (None, text):
            raise NotUnderstood(
                f"{response.url}: its header declares {header}, the document itself {page}",
                code="ENCODING",
            )
    return text


def _on_the_web(charset: str | None) -> str | None:
    return charset and WEB_ENCODINGS.get(charset.casefold(), charset)


def _text_in(charset: str, content: bytes) -> str | None:
    """Decode a document in an encoding; return None if that fails."""
    try:
        return decode_text(content, charset)
    except NotUnderstood:
        return None


def lines_of(element: HtmlElement) -> list[str]:
    """Return the visible lines of text in an element, without extra spaces and empty lines."""
    text = "".join(_pieces(element))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return [line for line in lines if line]


def text_of(element: etree._Element) -> str:
    """Return all text in an element as one line."""
    return " ".join("".join(str(piece) for piece in element.itertext()).split())


def _pieces(element: etree._Element) -> Iterator[str]:
    """Return the pieces of text in an element in order, with a line feed at the edges of blocks."""
    walk = etree.iterwalk(element, events=("start", "end", "comment", "pi"))
    for action, node in walk:
        hidden = not isinstance(node.tag, str) or node.tag in UNREAD
        if action == "start" and hidden:
            walk.skip_subtree()
        elif action == "start":
            yield "\n" if node.tag in BLOCKS else ""
            yield node.text or ""
        else:
            yield "\n" if node.tag in BLOCKS else ""
            yield node.tail or "" if node is not element else ""
