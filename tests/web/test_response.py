"""Compressed, truncated or contradictory responses are complete or refused."""

import asyncio
import gzip
import random
import tracemalloc
import zlib
from dataclasses import replace

import pytest

from tests.support.cases import each_case
from tests.support.connections import Request, listening
from tests.support.publishers.publisher import Page, Publisher
from tests.web.test_fetcher import PAGE, failure, fetched, fetcher, quick
from tracker.web.content_encoding import Unpacker, UnpackError
from tracker.web.failures import FetchError
from tracker.web.fetcher import Limits

ACT = random.Random(20).randbytes(30_000) + PAGE.content
PACKED = gzip.compress(ACT)


def packed(content: bytes, coding: str = "gzip") -> Publisher:
    """Return a publisher of a compressed document."""
    return Publisher({"/act": Page(content, headers={"content-encoding": coding})})


def with_headers(*headers: str, status: str = "200 OK", content: bytes = b"hello") -> Publisher:
    """Return a publisher with raw header lines."""
    length = f"Content-Length: {len(content)}"
    head = "\r\n".join([f"HTTP/1.1 {status}", *headers, length, "", ""]).encode("latin-1")
    return Publisher({"/act": Page(raw=head + content), "/a": PAGE, "/b": PAGE})


@each_case(
    ("content", "coding"),
    [
        (PACKED, "gzip"),
        (PACKED, "GZIP"),
        (PACKED, "x-gzip"),
        (gzip.compress(ACT[:9]) + gzip.compress(ACT[9:]), "gzip"),
        (zlib.compress(ACT), "deflate"),
        (zlib.compress(ACT)[2:-4], "deflate"),
        (ACT, "identity"),
        (ACT, ""),
    ],
    ids=["gzip", "GZIP", "x-gzip", "two members", "deflate", "bare deflate", "identity", "empty"],
)
async def test_compressed_content_is_decompressed_completely(content: bytes, coding: str) -> None:
    assert (await fetched(packed(content, coding))).content == ACT


@each_case("kept", [len(PACKED) // 2, -1, -8, 9, 1])
async def test_truncated_content_is_refused_whatever_length_is_declared(kept: int) -> None:
    error = await failure(packed(PACKED[:kept]))
    assert (error.code, error.status) == ("CUT_OFF", 200)
    assert ACT.startswith(error.content)


@each_case(
    "content",
    [
        b"not packed",
        PACKED + b"more",
        PACKED[:-5] + b"!" + PACKED[-4:],
        PACKED + gzip.compress(b"x")[:8],
    ],
    ids=["not packed", "more", "another sum", "a second member that is cut off"],
)
async def test_content_that_cannot_be_decompressed_is_not_a_document(content: bytes) -> None:
    assert (await failure(packed(content))).code == "CUT_OFF"


@each_case("coding", ["br", "zstd", "gzip, gzip", "klingon", "\xe9"])
async def test_a_document_in_a_form_that_is_not_requested_is_refused(coding: str) -> None:
    error = await failure(packed(PACKED, coding))
    assert (error.code, error.status) == ("ENCODING", 200)
    assert "expected gzip or deflate" in str(error)


async def test_a_small_answer_that_unpacks_to_a_huge_one_is_never_in_memory() -> None:
    bomb = gzip.compress(b"\0" * 100_000_000)
    publisher = packed(bomb)
    tracemalloc.start()
    try:
        assert (await failure(publisher, max_bytes=1_000_000)).code == "TOO_LARGE"
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_document_may_come_in_any_pieces() -> None:
    for size in (1, 7, 1000):
        unpacker = Unpacker("gzip", len(ACT))
        pieces = [unpacker.feed(PACKED[at : at + size]) for at in range(0, len(PACKED), size)]
        unpacker.end()
        assert b"".join(pieces) == ACT


def test_no_more_is_unpacked_than_shows_that_it_is_too_much() -> None:
    unpacker = Unpacker("gzip", 100)
    assert len(unpacker.feed(PACKED)) == 101
    unpacker = Unpacker("gzip", 100)
    unpacker.feed(gzip.compress(b"x" * 100)[:-1])
    with pytest.raises(UnpackError):
        unpacker.end()


@each_case(
    ("publisher", "code"),
    [
        (with_headers("Location: /a", "Location: /b", status="302 Found"), "REDIRECT"),
        (with_headers("Content-Encoding: gzip", "Content-Encoding: identity"), "ENCODING"),
        (
            with_headers("Content-Type: text/html; charset=gbk", "Content-Type: text/html"),
            "ENCODING",
        ),
        (with_headers("Content-Length: 3"), "UNREACHABLE"),
        (with_headers("Transfer-Encoding: chunked"), "UNREACHABLE"),
        (
            Publisher({"/act": Page(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhello")}),
            "UNREACHABLE",
        ),
        (with_headers("Content-Range: bytes 0-4/10", status="206 Partial Content"), "HTTP_STATUS"),
    ],
    ids=[
        "locations",
        "encodings",
        "types",
        "lengths",
        "a length and chunks",
        "a length that is too small",
        "a part",
    ],
)
async def test_headers_that_contradict_each_other_are_not_chosen_from(
    publisher: Publisher, code: str
) -> None:
    assert (await failure(publisher)).code == code


async def test_a_header_that_comes_twice_and_says_the_same_is_one() -> None:
    found = await fetched(with_headers(*["Content-Type: text/html; charset=gbk"] * 2, 'ETag: "a"'))
    assert (found.media_type, found.charset, found.etag) == ("text/html", "gbk", '"a"')
    found = await fetched(with_headers('ETag: "a"', 'ETag: "b"'))
    assert (found.content, found.etag) == (b"hello", None)


IMPATIENT = Limits(silence_seconds=30, total_seconds=0.5, tries=1)


async def header_without_end(request: Request, writer: asyncio.StreamWriter) -> bool:
    """Send header lines endlessly."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-more: to come\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def test_a_body_that_never_ends_is_cut_off_with_the_bytes_that_came() -> None:
    publisher = Publisher({"/act": replace(PAGE, drip_seconds=0.1)})
    error = await failure(publisher, limits=IMPATIENT)
    assert error.code == "TIMEOUT"
    assert PAGE.content.startswith(error.content)
    site = Publisher({"/act": PAGE})
    site.fail("/robots.txt", lambda asked, page: replace(PAGE, drip_seconds=0.1))
    assert (await failure(site, limits=IMPATIENT)).code == "TIMEOUT"
    assert site.count() == 0
    async with listening(header_without_end) as port, fetcher(IMPATIENT) as fetching:
        with pytest.raises(FetchError) as raised:
            await fetching.fetch(quick(f"http://127.0.0.1:{port}/act"))
    assert raised.value.code == "TIMEOUT"
