"""Polite fetching of documents; each failure of a publisher has a code, and ends."""

import asyncio
import gzip
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.test_sender import names
from tests.support.cases import each_case
from tests.support.publishers.publisher import (
    Asked,
    Declared,
    Fault,
    Huge,
    Moved,
    Page,
    Publisher,
    Slow,
    Status,
    cut_off,
    no_http,
    no_status,
    unreachable,
)
from tests.support.publishers.server import playing
from tests.support.receivers import answer, certificate, receiving
from tests.support.time_limits import within
from tracker.web.failures import FetchError
from tracker.web.fetcher import Fetcher, Limits
from tracker.web.networks import Networks
from tracker.web.request import WebRequest
from tracker.web.response import WebResponse

HERE = Networks.parse(["127.0.0.0/8"])
QUICK = Limits(connect_seconds=10, silence_seconds=10, total_seconds=30, retry_seconds=0.01)
HASTY = replace(QUICK, silence_seconds=0.4)
"""For silence alone: a busy machine may be silent for as long."""
PAGE = Page(b"An act. " * 1000, "text/html", "utf-8")


def fetcher(limits: Limits = QUICK, **options: Any) -> Fetcher:
    """Create a fetcher that may reach this machine and retries at once."""
    return Fetcher(HERE, limits=limits, **options)


def quick(url: str, **options: Any) -> WebRequest:
    """Return a request without pauses."""
    return WebRequest(url, pause_seconds=0, **options)


async def fetched(
    publisher: Publisher, path: str = "/act", *, limits: Limits = QUICK, **options: Any
) -> WebResponse:
    """Return the result of fetching an address of a publisher."""
    async with playing(publisher) as server, fetcher(limits) as fetching:
        return await fetching.fetch(quick(server.url + path, **options))


async def failure(publisher: Publisher, path: str = "/act", **options: Any) -> FetchError:
    """Return the failure of fetching an address of a publisher."""
    with pytest.raises(FetchError) as raised:
        await fetched(publisher, path, **options)
    return raised.value


async def test_a_document_comes_as_it_is_with_what_is_declared_of_it() -> None:
    publisher = Publisher({"/act": PAGE})
    async with playing(publisher) as server, Fetcher(HERE, "tracker/1 (+me)") as fetching:
        found = await fetching.fetch(quick(f"{server.url}/act?a=%2F#part", accept="text/html"))
        assert found.url == f"{server.url}/act?a=%2F"
    assert (found.status, found.content, found.requests) == (200, PAGE.content, 2)
    assert (found.media_type, found.charset, found.etag) == ("text/html", "utf-8", PAGE.tag)
    robots, request = publisher.requests
    assert (robots.target, request.target) == ("/robots.txt", "/act?a=%2F")
    assert (request.headers["user-agent"], request.headers["accept"]) == (
        "tracker/1 (+me)",
        "text/html",
    )


async def test_undeclared_encodings_are_not_guessed() -> None:
    found = await fetched(Publisher({"/act": Page(b"<html>", None)}))
    assert (found.media_type, found.charset) == (None, None)


async def test_headers_of_any_bytes_are_text_that_can_be_kept_and_are_never_sent_back_altered() -> (
    None
):
    odd = {"content-type": "text/\xe9; charset=\xff\x01", "last-modified": "\xfe", "etag": '"\xe9"'}
    publisher = Publisher({"/act": Page(b"x", None, etag="", headers=odd)})
    found = await fetched(publisher)
    assert (found.media_type, found.charset) == ("text/?", "??")
    assert (found.etag, found.last_modified) == (None, None)
    publisher.pages["/act"] = Page(b"x", f"text/{'x' * 5000}", etag=f'"{"x" * 5000}"')
    found = await fetched(publisher)
    assert (len(found.media_type or ""), found.etag) == (500, None)


@each_case("by", ["etag", "last_modified"])
async def test_known_documents_are_returned_only_after_a_change(by: str) -> None:
    day = datetime(2026, 1, 2, tzinfo=UTC)
    page = Page(b"x", etag="" if by == "last_modified" else None, last_modified=day)
    publisher = Publisher({"/act": page})
    async with playing(publisher) as server, fetcher() as fetching:
        first = await fetching.fetch(quick(f"{server.url}/act"))
        known = quick(
            first.url, etag=first.etag, last_modified=first.last_modified, known_url=first.url
        )
        second = await fetching.fetch(known)
        publisher.pages["/act"] = Page(
            b"y", etag=page.etag, last_modified=datetime(2026, 1, 3, tzinfo=UTC)
        )
        third = await fetching.fetch(known)
    assert [first.status, second.status, third.status] == [200, 304, 200]
    assert (second.content, third.content) == (b"", b"y")


async def test_validators_of_an_address_are_not_used_after_a_redirect() -> None:
    page = Page(b"x", last_modified=datetime(2025, 1, 1, tzinfo=UTC), etag="")
    publisher = Publisher({"/new": page})
    publisher.fail("/act", Moved("/new"))
    async with playing(publisher) as server, fetcher() as fetching:
        url = f"{server.url}/act"
        newer = "Thu, 01 Jan 2026 00:00:00 GMT"
        found = await fetching.fetch(quick(url, last_modified=newer, known_url=url))
    assert (found.status, found.url, found.content) == (200, f"{server.url}/new", b"x")


FAILURES: dict[str, tuple[Fault, str, int | None]] = {
    "404": (Status(404), "HTTP_STATUS", 404),
    "202, with which a wall of robots comes": (Status(202), "HTTP_STATUS", 202),
    "500": (Status(500), "HTTP_STATUS", 500),
    "999, which is not a status of HTTP": (no_status, "HTTP_STATUS", None),
    "429": (Status(429), "RATE_LIMITED", 429),
    "503": (Status(503), "RATE_LIMITED", 503),
    "closed": (unreachable, "UNREACHABLE", None),
    "no HTTP": (no_http, "UNREACHABLE", None),
    "cut off": (cut_off, "CUT_OFF", 200),
    "silent": (Slow(wait_seconds=5), "TIMEOUT", None),
    "silent in between": (Slow(drip_seconds=5), "TIMEOUT", 200),
    "too large, and says so": (lambda asked, page: Page(b"x" * 60_000), "TOO_LARGE", 200),
    "too large, and says nothing": (Huge(60_000), "TOO_LARGE", 200),
    "in a circle": (Moved("/act"), "REDIRECT", None),
    "to an address with a password": (Moved("http://u:s3cret@127.0.0.1/"), "REDIRECT", 301),
    "to nowhere": (Status(302), "REDIRECT", 302),
    "to a file": (Moved("file:///etc/passwd"), "REDIRECT", None),
    "to what may not be reached": (Moved("http://10.0.0.1/"), "REDIRECT", None),
    "to another port of nobody": (Moved("http://127.0.0.1:9/"), "UNREACHABLE", None),
}


@each_case("kind", FAILURES)
async def test_every_failure_has_its_word_and_its_status(kind: str) -> None:
    fault, code, status = FAILURES[kind]
    publisher = Publisher({"/act": PAGE})
    publisher.fail("/act", fault)
    limits = HASTY if "silent" in kind else QUICK
    error = await failure(publisher, max_bytes=50_000, limits=limits)
    assert (error.code, error.status) == (code, status)
    assert "s3cret" not in f"{error} {error.url}"
    temporary = code in ("RATE_LIMITED", "CUT_OFF", "TIMEOUT") or status == 500
    if code != "UNREACHABLE" and code != "REDIRECT":
        assert publisher.count("/act") == (3 if temporary else 1)


async def test_partial_results_of_a_document_are_not_lost() -> None:
    publisher = Publisher({"/act": PAGE})
    publisher.fail("/act", cut_off)
    assert (await failure(publisher)).content == PAGE.content[: len(PAGE.content) // 2]
    publisher.mend()
    publisher.fail("/act", Status(404, content=b"gone"))
    error = await failure(publisher)
    assert (error.content, error.media_type) == (b"gone", "text/plain")


async def test_it_is_tried_again_where_that_helps() -> None:
    publisher = Publisher({"/act": PAGE})
    publisher.fail("/act", unreachable, times=1)
    publisher.fail("/act", Status(502), times=2)
    found = await fetched(publisher)
    assert (found.content, found.requests) == (PAGE.content, 4)


async def test_a_host_that_asks_to_wait_is_given_the_time() -> None:
    publisher = Publisher({"/act": PAGE})
    publisher.fail("/act", Status(429, retry_after="1"), times=1)
    started = time.monotonic()
    assert (await fetched(publisher)).status == 200
    assert time.monotonic() - started >= 1


async def test_a_host_that_asks_to_wait_for_long_is_not_asked_again() -> None:
    publisher = Publisher({"/act": PAGE, "/other": PAGE})
    publisher.fail("/act", Status(503, retry_after="3600"))
    async with playing(publisher) as server, fetcher() as fetching:
        errors = []
        for path in ("/act", "/other"):
            with pytest.raises(FetchError) as raised:
                await fetching.fetch(quick(server.url + path))
            errors.append(raised.value)
    assert [error.code for error in errors] == ["RATE_LIMITED", "RATE_LIMITED"]
    assert errors[1].retry_after_seconds == pytest.approx(3600, abs=10)
    assert publisher.count() == 1


async def test_a_queued_request_fails_when_the_host_demands_a_long_wait() -> None:
    publisher = Publisher({"/act": PAGE})
    publisher.fail("/act", Status(429, retry_after="3600"))
    async with playing(publisher) as server, fetcher() as fetching, asyncio.timeout(within(10)):
        answers = await asyncio.gather(
            *(fetching.fetch(quick(f"{server.url}/act")) for _ in range(5)), return_exceptions=True
        )
    assert [getattr(each, "code", None) for each in answers] == ["RATE_LIMITED"] * 5
    assert publisher.count() == 1


async def test_disallowed_addresses_are_not_requested() -> None:
    robots = "User-agent: *\nDisallow: /search\n\nUser-agent: other\nDisallow: /\n"
    publisher = Publisher({"/act": PAGE, "/search": PAGE}, robots)
    publisher.fail("/moved", Moved("/search"))
    assert (await fetched(publisher)).status == 200
    for path in ("/search?q=1", "/moved"):
        assert (await failure(publisher, path)).code == "ROBOTS"
    assert publisher.count("/search*") == 0


async def test_robots_txt_is_read_once_and_its_pause_is_kept() -> None:
    publisher = Publisher({"/act": PAGE}, "User-agent: *\nCrawl-delay: 0.3\n")
    async with playing(publisher) as server, fetcher() as fetching:
        await asyncio.gather(*(fetching.fetch(quick(f"{server.url}/act")) for _ in range(3)))
    assert [asked.target for asked in publisher.requests] == ["/robots.txt"] + ["/act"] * 3
    times = [asked.at for asked in publisher.requests[1:]]
    assert all(later - earlier >= 0.29 for earlier, later in pairwise(times))


@each_case(("fault", "code"), [(Status(500), "HTTP_STATUS"), (unreachable, "UNREACHABLE")])
async def test_without_its_robots_txt_nothing_of_a_host_is_fetched(fault: Fault, code: str) -> None:
    publisher = Publisher({"/act": PAGE})
    publisher.fail("/robots.txt", fault)
    error = await failure(publisher)
    assert (error.code, publisher.count()) == (code, 0)
    assert "robots.txt" in str(error)


async def test_a_host_is_asked_one_thing_at_a_time_and_others_meanwhile() -> None:
    slow, quick_one = Publisher({"/act": PAGE}), Publisher({"/act": PAGE})
    slow.fail("/act", Slow(wait_seconds=2), times=1)
    lookup = names(["127.0.0.1"])
    async with (
        playing(hosts={"slow.test": slow, "quick.test": quick_one}) as server,
        fetcher(lookup=lookup) as fetching,
    ):
        waiting = [
            asyncio.create_task(fetching.fetch(quick(f"{server.url_of('slow.test')}/act")))
            for _ in range(3)
        ]
        await fetching.fetch(quick(f"{server.url_of('quick.test')}/act"))
        assert not any(task.done() for task in waiting)
        await asyncio.gather(*waiting)
    assert server.most_at_once["slow.test"] == 1


async def test_between_two_requests_of_a_host_there_is_a_pause() -> None:
    publisher = Publisher({"/act": PAGE}, "")
    async with playing(publisher) as server, fetcher() as fetching:
        for _ in range(2):
            await fetching.fetch(WebRequest(f"{server.url}/act", pause_seconds=0.2))
    times = [asked.at for asked in publisher.requests]
    assert all(later - earlier >= 0.19 for earlier, later in pairwise(times))


@each_case("url", ["http://127.0.0.1:{}/", "http://name.test:{}/"])
async def test_no_private_address_is_connected_to(url: str) -> None:
    lookup = names(["127.0.0.1"])
    async with receiving(answer("200 OK")) as receiver, Fetcher(lookup=lookup) as fetching:
        with pytest.raises(FetchError) as raised:
            await fetching.fetch(quick(url.format(receiver.port)))
    assert raised.value.code == "REFUSED_ADDRESS"
    assert receiver.connections == 0


async def test_a_name_whose_addresses_change_leads_nowhere_else() -> None:
    lookup = names(["127.0.0.1"], ["10.0.0.1"])
    publisher = Publisher({"/act": PAGE})
    publisher.fail("*", lambda _, page: replace(page, headers={"connection": "close"}))
    async with (
        playing(hosts={"name.test": publisher}) as server,
        fetcher(lookup=lookup, name_cache_seconds=0) as fetching,
    ):
        with pytest.raises(FetchError) as raised:  # robots.txt is had, from where it may be
            await fetching.fetch(quick(f"{server.url_of('name.test')}/act"))
    assert raised.value.code == "REFUSED_ADDRESS"
    assert [asked.target for asked in publisher.requests] == ["/robots.txt"]


async def test_a_certificate_that_is_not_trusted_is_a_failure_of_tls(tmp_path: Path) -> None:
    served, trusting = certificate(tmp_path)
    async with receiving(answer("404 No"), tls=served) as receiver:
        url = f"https://127.0.0.1:{receiver.port}/act"
        codes = []
        for tls in (None, trusting):
            async with fetcher(tls=tls) as fetching:
                with pytest.raises(FetchError) as raised:
                    await fetching.fetch(quick(url))
                codes.append(raised.value.code)
    assert codes == ["TLS", "HTTP_STATUS"]


async def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Publisher({"/act": PAGE})
    async with playing(proxy) as server, Fetcher(limits=QUICK) as fetching:
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.setenv("no_proxy", "direct.test")
        found = await fetching.fetch(quick("http://publisher.example/act"))
        with pytest.raises(FetchError) as raised:
            await fetching.fetch(quick("http://127.0.0.2/act"))
    assert (found.status, found.url) == (200, "http://publisher.example/act")
    assert raised.value.code == "REFUSED_ADDRESS"
    assert {asked.base for asked in proxy.requests} == {"http://publisher.example"}


async def test_a_proxy_that_is_not_there_is_named() -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("http_proxy", "http://127.0.0.1:9")
        async with fetcher() as fetching:
            with pytest.raises(FetchError, match="no connection to the proxy"):
                await fetching.fetch(quick("http://publisher.example/act"))


async def test_compressed_content_is_decompressed_within_the_limit() -> None:
    packed = Page(gzip.compress(PAGE.content), headers={"content-encoding": "gzip"})
    assert (await fetched(Publisher({"/act": packed}))).content == PAGE.content
    bomb = Page(gzip.compress(b"x" * 50_000_000), headers={"content-encoding": "gzip"})
    error = await failure(Publisher({"/act": bomb}), max_bytes=1_000_000)
    assert error.code == "TOO_LARGE"
    broken = Page(b"not packed", headers={"content-encoding": "gzip"})
    assert (await failure(Publisher({"/act": broken}))).code == "CUT_OFF"


async def test_a_question_is_sent_as_a_form_also_to_where_it_has_moved() -> None:
    class Echo(Publisher):
        """A server that returns its input."""

        def page(self, asked: Asked) -> Page:
            return Page(asked.body, asked.headers["content-type"])

    query = {"body": b"query=SELECT", "content_type": "application/x-www-form-urlencoded"}
    found = await fetched(Echo(), **query)
    assert (found.content, found.media_type) == (query["body"], query["content_type"])
    moved = Echo()
    moved.fail("/act", Moved("/new", status=303))
    assert (await failure(moved, **query)).code == "REDIRECT"
    moved.mend()
    moved.fail("/act", Moved("/new", status=301))
    assert (await fetched(moved, **query)).content == query["body"]


async def test_a_wrong_charset_is_handed_on_as_it_is_declared() -> None:
    publisher = Publisher({"/act": Page("稀土".encode("gb18030"), charset="gb18030")})
    publisher.fail("/act", Declared("utf-8"), times=1)
    found = await fetched(publisher)
    assert (found.charset, found.content) == ("utf-8", "稀土".encode("gb18030"))


async def test_the_observer_gets_each_request() -> None:
    told: list[Sequence[object]] = []
    publisher = Publisher({"/act": PAGE})
    publisher.fail("/act", Status(500), times=1)
    async with playing(publisher) as server, fetcher() as fetching:
        fetching.observe = lambda *seen: told.append(seen)
        await fetching.fetch(quick(f"{server.url}/act"))
    assert [(seen[0], seen[1], seen[3]) for seen in told] == [
        ("127.0.0.1", "HTTP_STATUS", 0),
        ("127.0.0.1", "HTTP_STATUS", 0),
        ("127.0.0.1", "200", len(PAGE.content)),
    ]
