"""Title, source, address and licence in the metadata fields of pictures: SVG, PNG and PDF. Pure.

SVG and PNG have them as RDF (Dublin Core, XMP), which search engines read as the licence of an image. PDF
has them in its information dictionary.
"""

import re
import zlib

from markupsafe import escape
from msgspec import Struct

PNG_HEADER_BYTES = 33
"""Signature and first chunk (IHDR), after which texts may be."""
XMP_KEYWORD = b"XML:com.adobe.xmp"
TRAILER = re.compile(
    rb"trailer\s*<<\s*/Size (\d+)\s*/Root (\d+ \d+ R)\s*/Info (\d+) 0 R\s*>>\s*startxref\s*(\d+)\s*%%EOF\s*$"
)


class PictureFacts(Struct, frozen=True):
    """The title, the sources, the address and the licence of a picture."""

    title: str
    source: str
    address: str
    """Name of this site, its author, and the address."""
    licence: str
    licence_url: str

    @property
    def url(self) -> str:
        """Return the address alone."""
        return self.address.rpartition(" ")[2]

    @property
    def author(self) -> str:
        """Return the name of this site, which drew the picture."""
        return self.address.rpartition(", ")[0]

    @property
    def description(self) -> str:
        """Return the sources and the address."""
        return f"Source: {self.source}. {self.address}"


def rdf(facts: PictureFacts) -> str:
    """Return the facts as RDF in XML."""
    described = "".join(
        f"<{name}>{escape(text)}</{name}>"
        for name, text in (("dc:source", facts.source), ("dc:identifier", facts.url))
    )
    described += "".join(
        f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{escape(text)}</rdf:li></rdf:Alt></{name}>'
        for name, text in (("dc:title", facts.title), ("dc:rights", facts.licence))
    )
    return (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"><rdf:Description rdf:about="">'
        f"{described}<xmpRights:WebStatement>{escape(facts.licence_url)}</xmpRights:WebStatement>"
        "</rdf:Description></rdf:RDF>"
    )


def with_metadata(picture: bytes, format: str, facts: PictureFacts) -> bytes:
    """Return a PNG or PDF with the facts; other pictures unchanged."""
    match format:
        case "png":
            return _png(picture, facts)
        case "pdf":
            return _pdf(picture, facts)
    return picture


def _png(picture: bytes, facts: PictureFacts) -> bytes:
    xmp = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{rdf(facts)}</x:xmpmeta><?xpacket end="r"?>'
    )
    texts = {
        b"Title": facts.title,
        b"Author": facts.author,
        b"Description": facts.description,
        b"Copyright": facts.licence,
        XMP_KEYWORD: xmp,
    }
    chunks = b"".join(_text_chunk(keyword, text) for keyword, text in texts.items())
    return picture[:PNG_HEADER_BYTES] + chunks + picture[PNG_HEADER_BYTES:]


def _text_chunk(keyword: bytes, text: str) -> bytes:
    """Return an iTXt chunk without compression and language."""
    data = b"iTXt" + keyword + b"\0\0\0\0\0" + text.encode()
    return (len(data) - 4).to_bytes(4, "big") + data + zlib.crc32(data).to_bytes(4, "big")


def _pdf(picture: bytes, facts: PictureFacts) -> bytes:
    """Return a PDF with an incremental update (ISO 32000-1, 7.5.6) that replaces its information."""
    trailer = TRAILER.search(picture)
    if trailer is None:
        return picture
    size, root, info, previous = trailer.groups()
    texts = {
        b"Title": facts.title,
        b"Author": facts.author,
        b"Subject": facts.description,
        b"Keywords": facts.licence,
    }
    entries = b"".join(
        b" /%s <FEFF%s>" % (name, text.encode("utf-16-be").hex().encode())
        for name, text in texts.items()
    )
    body = picture if picture.endswith(b"\n") else picture + b"\n"
    new = b"%s 0 obj\n<<%s >>\nendobj\n" % (info, entries)
    table = b"xref\n0 1\n0000000000 65535 f \n%s 1\n%010d 00000 n \n" % (info, len(body))
    end = b"trailer\n<< /Size %s /Root %s /Info %s 0 R /Prev %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        root,
        info,
        previous,
        len(body) + len(new),
    )
    return body + new + table + end
