"""XML and HTML of strangers is read as it is declared, and never does anything."""

from __future__ import annotations

import pytest

from tests.watch.adapters.drive import response
from tracker.watch.adapter import NotUnderstood, Request, Response
from tracker.watch.markup import lines_of, parse_html, parse_xml, text_of


def answer(content: bytes | str, charset: str | None = None) -> Response:
    """A response with some content, its charset declared in the header or not at all."""
    raw = content if isinstance(content, bytes) else content.encode(charset or "utf-8")
    return response(Request("https://publisher.example/"), raw, charset=charset)


def test_the_lines_of_a_page_are_those_that_a_reader_sees() -> None:
    page = parse_html(
        answer(
            "<title>T</title><style>x{}</style><p>One <b>two</b><br>three"
            "<script>var a = '<p>no</p>'</script> end<svg><text>no</text></svg>."
            "<!-- no --> <table><td>1<td>2</table>\x00after"
        )
    )
    assert lines_of(page) == ["T", "One two", "three end.", "1", "2", "after"]


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        ("<meta charset=gb2312><p>关于镓、锗".encode("gb18030"), None),
        ('<meta content="text/html; charset=GBK"><p>关于镓、锗'.encode("gb18030"), None),
        ("<meta charset=utf-8><p>关于镓、锗".encode("gb18030"), "gb2312"),
        ("<p>关于镓、锗".encode("utf-16"), None),
        ("<p>关于镓、锗".encode(), None),
    ],
    ids=["meta", "http-equiv", "header", "mark", "utf-8"],
)
def test_the_encoding_is_the_declared_one(content: bytes, charset: str | None) -> None:
    assert text_of(
        parse_html(response(Request("https://x.example/"), content, charset=charset))
    ) == ("关于镓、锗")


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        ("<p>关于镓、锗".encode("gb18030"), None),
        ("<meta charset=gbk><p>关于镓".encode("gb18030"), "utf-8"),
        ("<meta charset=klingon><p>关于镓".encode(), None),
    ],
    ids=["undeclared", "wrong header", "unknown"],
)
def test_text_that_is_not_as_declared_is_refused(content: bytes, charset: str | None) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        parse_html(response(Request("https://x.example/"), content, charset=charset))
    assert refusal.value.code == "ENCODING"


def test_xml_is_read_in_its_declared_encoding() -> None:
    content = '<?xml version="1.0" encoding="ISO-8859-1"?><a>é<!-- no --><b> c</b></a>'
    assert text_of(parse_xml(answer(content.encode("latin-1")))) == "é c"


@pytest.mark.parametrize(
    "content",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>',
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;">]><a>&y;</a>',
        "<a>&nbsp;</a>",
        "<a><b></a>",
        "<!doctype html><p>Moved",
        "",
        "<a/>\x00",
    ],
)
def test_other_xml_is_refused(content: str) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        parse_xml(answer(content))
    assert refusal.value.code == "LAYOUT_CHANGED"
