"""XML and HTML of strangers is read as it is declared, and never does anything."""

import re
import time
from html import escape
from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tests.watch.adapters.drive import response
from tracker.watch.adapter import NotUnderstood, Request, Response
from tracker.watch.markup import lines_of, parse_html, parse_xml, sent_on_to, text_of


def answer(content: bytes | str, charset: str | None = None) -> Response:
    """Return a response with some content, with or without a charset in the header."""
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


@each_case(
    ("content", "charset"),
    [
        ("<meta charset=gb2312><p>关于镓、锗".encode("gb18030"), None),
        ('<meta content="text/html; charset=GBK"><p>关于镓、锗'.encode("gb18030"), None),
        ("<meta charset=utf-8><p>关于镓、锗".encode("gb18030"), "gb2312"),
        ("<meta charset=latin1><p>关于镓、锗".encode(), "UTF-8"),
        ("<meta charset=klingon><p>关于镓、锗".encode("gb18030"), "gbk"),
        ("<p>关于镓、锗".encode("utf-16"), None),
        ("<p>关于镓、锗".encode(), None),
    ],
    ids=["meta", "http-equiv", "header", "header in utf-8", "unknown meta", "mark", "utf-8"],
)
def test_the_encoding_is_the_declared_one(content: bytes, charset: str | None) -> None:
    assert text_of(
        parse_html(response(Request("https://x.example/"), content, charset=charset))
    ) == ("关于镓、锗")


@each_case(
    "charset", ["utf-7", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "rot13", "\0"]
)
def test_a_value_that_is_not_an_encoding_of_the_web_is_none_here(charset: str) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        parse_html(answer(b"<p>+AGE- \\x41", charset))
    assert refusal.value.code == "ENCODING"


@each_case(
    ("content", "target"),
    [
        ('<meta http-equiv="refresh" content="0; url=/new">', "https://publisher.example/new"),
        (
            "<META HTTP-EQUIV=Refresh CONTENT=\"5;URL='https://x.example/a'\">",
            "https://x.example/a",
        ),
        ("<meta http-equiv=refresh content='0 , //x.example'>", "https://x.example"),
        ("<meta http-equiv=refresh content=300>", None),
        ("<meta http-equiv=refresh content='300; url=/'>", None),
        ("<meta http-equiv=refresh content='60; url=#top'>", None),
        ("<noscript><meta http-equiv=refresh content='0; url=/no-scripts'></noscript>", None),
        ("<meta http-equiv=refresh content='soon'>", None),
        ("<meta http-equiv=refresh content='0; url=http://['>", None),
        ("<meta http-equiv=content-type content='0; url=/new'>", None),
    ],
)
def test_where_a_page_sends_its_readers_on_to_is_found(content: str, target: str | None) -> None:
    page = answer(f"<head>{content}</head><body>This page has moved")
    assert sent_on_to(parse_html(page), page.url) == target


@each_case(
    ("content", "charset"),
    [
        ("<p>关于镓、锗".encode("gb18030"), None),
        ("<meta charset=gbk><p>关于镓".encode("gb18030"), "utf-8"),
        ("<meta charset=klingon><p>关于镓".encode(), None),
        ("<meta charset=utf-8><p>terres rares à l’étude".encode(), "iso-8859-1"),
        ("<meta charset=iso-8859-2><p>ritkaföldfémek őrzése".encode("latin2"), "latin1"),
    ],
    ids=["undeclared", "wrong header", "unknown", "two that both can be", "two of one byte each"],
)
def test_text_that_is_not_as_declared_is_refused(content: bytes, charset: str | None) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        parse_html(response(Request("https://x.example/"), content, charset=charset))
    assert refusal.value.code == "ENCODING"


def test_declarations_that_come_to_the_same_text_do_not_contradict_each_other() -> None:
    page = answer(b"<meta charset=utf-8><p>rare earths", "iso-8859-1")
    assert text_of(parse_html(page)) == "rare earths"


def test_xml_is_read_in_its_declared_encoding() -> None:
    content = '<?xml version="1.0" encoding="ISO-8859-1"?><a>é<!-- no --><b> c</b></a>'
    assert text_of(parse_xml(answer(content.encode("latin-1")))) == "é c"


@each_case(
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


SPACES = st.text(" \t\n", max_size=3)
QUOTES = st.sampled_from(("", "'", '"'))
EARLIER_REFRESH = re.compile(
    r"""\s*[0-9.]+\s*[;,]\s*(?:url\s*=)?\s*["']?([^"']+)["']?\s*""", re.IGNORECASE
)
"""A regular expression for refreshes, which is correct on short ones and backtracks on long ones."""


@given(
    st.builds(
        "".join,
        st.tuples(
            *(SPACES, st.sampled_from(("0", "5", "0.5", "soon", "")), SPACES),
            *(st.sampled_from((";", ",", "")), SPACES, st.sampled_from(("url", "URL", ""))),
            *(SPACES, st.sampled_from(("=", "")), SPACES, QUOTES),
            *(st.sampled_from(("/new", "//x.example/a?b=c;d,e", "a b", "o'clock")), QUOTES, SPACES),
        ),
    )
)
def test_a_short_refresh_means_what_an_expression_finds_in_it(content: str) -> None:
    page = answer(f"<meta http-equiv=refresh content='{escape(content)}'><p>This page has moved")
    match = EARLIER_REFRESH.fullmatch(content)
    expected = match and urljoin(page.url, match[1].strip())
    assert sent_on_to(parse_html(page), page.url) == expected


@each_case("content", ["0;{}a'b'c", "0{};a'b", "0;url{}=a'b", "0;url={}a{}'b'c"])
def test_a_long_refresh_is_read_at_once(content: str) -> None:
    page = answer(f'<meta http-equiv=refresh content="{content.replace("{}", " " * 400)}"><p>Moved')
    root = parse_html(page)
    started = time.process_time()
    assert sent_on_to(root, page.url) is None
    assert time.process_time() - started < 1
