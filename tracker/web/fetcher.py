"""Documents of other servers, fetched politely and within limits.

Every request is one of few: its host is asked one thing at a time with a pause between two, what its
robots.txt does not allow is not asked, who asks is said, what is known already is asked for only if
it has changed. Redirects are followed here, each to an address that is checked like the first.
Content encodings are taken off: `content` is what the publisher means by the document.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Self
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from tracker.errors import InvalidInput
from tracker.web.connector import LOOKUP_THREADS, NAME_CACHE_SECONDS, Lookup, checked_connector
from tracker.web.failures import FetchError, failure_of, one_line
from tracker.web.networks import Networks
from tracker.web.pacing import HostHeld, Pacing
from tracker.web.retry_after import read_retry_after
from tracker.web.robots import MAX_ROBOTS_BYTES, Robots

AGENT = "critical-minerals-policy-tracker"
"""Our name in every robots.txt."""
MAX_REDIRECTS = 5
MAX_ERROR_BYTES = 1_000_000
"""How much of a refusal is kept."""
MAX_HEADER_CHARACTERS = 500
"""How much is kept of a header; no ETag is longer."""
CHUNK_BYTES = 1 << 16
TRIED_AGAIN = ("UNREACHABLE", "TIMEOUT", "CUT_OFF", "RATE_LIMITED")
TEMPORARY = (500, 502, 504)
"""Statuses that say that it may go better soon, beside 429 and 503."""
STATUSES = range(100, 600)
"""Statuses of HTTP (RFC 9110, 15); some servers answer others, such as 999."""
REDIRECTS = (301, 302, 303, 307, 308)
NETWORKS = Networks()
"""The whole internet."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is waited, how often it is tried again."""

    connect_seconds: float = 20.0
    silence_seconds: float = 60.0
    """Without a byte."""
    total_seconds: float = 600.0
    """For a document, each time it is tried."""
    tries: int = 3
    retry_seconds: float = 2.0
    """Before the second try; twice that before the third."""
    max_wait_seconds: float = 60.0
    """The longest `Retry-After` that is waited for; with a longer one the fetch fails."""


@dataclass(frozen=True, slots=True)
class WebRequest:
    """A document to fetch. With `body` it is a POST. `etag` and `last_modified` are those of what is
    known already, which came from `known_url`."""

    url: str
    accept: str = "*/*"
    body: bytes | None = None
    content_type: str | None = None
    max_bytes: int = 64_000_000
    pause_seconds: float = 1.0
    etag: str | None = None
    last_modified: str | None = None
    known_url: str | None = None


@dataclass(frozen=True, slots=True)
class WebResponse:
    """A document as it came, or status 304 where it is the known one; `url` is where it came from in
    the end, `requests` how many it took."""

    url: str
    status: int
    at: datetime
    content: bytes = b""
    media_type: str | None = None
    charset: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    requests: int = 1


Observe = Callable[[str, str, float, int], None]


class Fetcher:
    """Fetches for all who watch in this process; connections stay open between requests.

    `agent` is who asks, beginning with `AGENT`. `tls` says whom to trust, `lookup` which addresses a
    name has. Proxies are those of the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY): then the proxy
    finds out addresses, and decides which may be reached.
    """

    def __init__(
        self,
        networks: Networks = NETWORKS,
        agent: str = AGENT,
        *,
        limits: Limits = Limits(),
        tls: ssl.SSLContext | None = None,
        lookup: Lookup = socket.getaddrinfo,
        name_cache_seconds: int = NAME_CACHE_SECONDS,
    ):
        self._networks = replace(networks, without_tls=True)
        self._agent, self._limits = agent, limits
        self._tls, self._lookup = tls, lookup
        self._name_cache_seconds = name_cache_seconds
        self._pacing = Pacing()
        self._robots = Robots()
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._stack = AsyncExitStack()
        self.observe: Observe = lambda *_: None
        """Is told of each request: the host, the status or what went wrong, seconds, bytes."""

    async def __aenter__(self) -> Self:
        threads = ThreadPoolExecutor(LOOKUP_THREADS, "fetch-names")
        self._stack.callback(threads.shutdown, wait=False, cancel_futures=True)
        for scheme in ("https", "http"):
            connector = checked_connector(
                self._networks,
                threads,
                encrypted=scheme == "https",
                tls=self._tls,
                lookup=self._lookup,
                name_cache_seconds=self._name_cache_seconds,
            )
            await self._open(scheme, connector)
        # The operator named the proxy, so that it may be reached wherever it is.
        await self._open("proxy", aiohttp.TCPConnector(limit=0, ssl=self._tls or True))
        return self

    async def _open(self, name: str, connector: aiohttp.TCPConnector) -> None:
        session = aiohttp.ClientSession(
            connector=connector,
            headers={"user-agent": self._agent, "accept-encoding": "gzip, deflate"},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=self._limits.total_seconds,
                connect=self._limits.connect_seconds,
                sock_read=self._limits.silence_seconds,
            ),
        )
        self._sessions[name] = await self._stack.enter_async_context(session)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def fetch(self, asked: WebRequest) -> WebResponse:
        """Fetch a document, again after a pause where that may help. Raises FetchError."""
        asked = replace(asked, url=asked.url.partition("#")[0])
        requests = 0

        def count() -> None:
            nonlocal requests
            requests += 1

        for left in reversed(range(self._limits.tries)):
            try:
                return replace(await self._follow(asked, count), requests=requests)
            except FetchError as error:
                error.requests = requests
                wait = self._wait_seconds(error, self._limits.tries - left)
                if not left or wait is None:
                    raise
                self._pacing.hold(_host(error.url), wait)
        raise AssertionError("unreachable")

    def _wait_seconds(self, error: FetchError, tries: int) -> float | None:
        """How long to wait before the next try; None if there is to be none."""
        temporary = error.code == "HTTP_STATUS" and error.status in TEMPORARY
        if not temporary and error.code not in TRIED_AGAIN:
            return None
        wait = self._limits.retry_seconds * 2 ** (tries - 1)
        if error.retry_after_seconds is not None:
            wait = max(wait, error.retry_after_seconds)
        return wait if wait <= self._limits.max_wait_seconds else None

    async def _follow(
        self, asked: WebRequest, count: Callable[[], None], *, by_robots: bool = True
    ) -> WebResponse:
        """Fetch a document from where it has moved to. Raises FetchError."""
        url, seen = asked.url, {asked.url}
        while True:
            self._check(url, moved=len(seen) > 1)
            pause = asked.pause_seconds
            if by_robots:
                pause = max(pause, await self._ask_robots(url, pause, count))
            found = await self._ask_once(replace(asked, url=url), pause, count)
            if isinstance(found, WebResponse):
                return found
            if found in seen or len(seen) > MAX_REDIRECTS:
                problem = "in a circle" if found in seen else f"more than {MAX_REDIRECTS} times"
                raise FetchError(f"redirected {problem}: {url}", code="REDIRECT", url=url)
            url = found
            seen.add(url)

    def _check(self, url: str, *, moved: bool) -> None:
        try:
            self._networks.check_url(url)
        except InvalidInput as error:
            code = "REDIRECT" if moved else "REFUSED_ADDRESS"
            raise FetchError(one_line(error.message), code=code, url=url) from None

    async def _ask_robots(self, url: str, pause: float, count: Callable[[], None]) -> float:
        """Check that a host allows an address; the pause that it wants. Raises FetchError."""
        try:
            origin = str(URL(url, encoded=True).origin())
            rules = await self._robots.rules(origin, partial(self._read_robots, count, pause))
        except FetchError as error:
            raise FetchError(
                one_line(f"its robots.txt could not be read: {error}"),
                code=error.code,
                url=url,
                status=error.status,
                retry_after_seconds=error.retry_after_seconds,
            ) from None
        if not rules.allow(url, AGENT):
            raise FetchError("its robots.txt does not allow it", code="ROBOTS", url=url)
        return rules.pause_seconds(AGENT)

    async def _read_robots(self, count: Callable[[], None], pause: float, url: str) -> bytes:
        asked = WebRequest(
            url, accept="text/plain", max_bytes=MAX_ROBOTS_BYTES, pause_seconds=pause
        )
        return (await self._follow(asked, count, by_robots=False)).content

    async def _ask_once(
        self, asked: WebRequest, pause: float, count: Callable[[], None]
    ) -> WebResponse | str:
        """Ask for an address: the document, or where it has moved to. Raises FetchError."""
        host, max_wait = _host(asked.url), self._limits.max_wait_seconds
        try:
            async with self._pacing.turn(host, pause, max(max_wait, pause)):
                count()
                return await self._observed(host, asked)
        except HostHeld as held:
            raise FetchError(
                str(held), code="RATE_LIMITED", url=asked.url, retry_after_seconds=held.seconds
            ) from None

    async def _observed(self, host: str, asked: WebRequest) -> WebResponse | str:
        started = time.monotonic()
        outcome, size = "error", 0
        try:
            found = await self._exchange(asked)
            if isinstance(found, WebResponse):
                outcome, size = str(found.status), len(found.content)
            else:
                outcome = "moved"
            return found
        except FetchError as error:
            outcome = error.code
            if error.retry_after_seconds is not None:
                self._pacing.hold(host, error.retry_after_seconds)
            raise
        finally:
            self.observe(host, outcome, time.monotonic() - started, size)

    async def _exchange(self, asked: WebRequest) -> WebResponse | str:
        url = URL(asked.url, encoded=True)
        proxy = _proxy_of(url)
        session = self._sessions["proxy" if proxy else url.scheme]
        try:
            async with session.request(
                "GET" if asked.body is None else "POST",
                url,
                headers=_headers(asked),
                data=asked.body,
                allow_redirects=False,
                proxy=proxy,
            ) as response:
                return await self._read(asked, response)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise failure_of(error, asked.url) from None

    async def _read(self, asked: WebRequest, response: aiohttp.ClientResponse) -> WebResponse | str:
        status, url = response.status, asked.url
        if status in REDIRECTS:
            return _target(asked, response)
        if status == 304 and asked.known_url == url:
            return WebResponse(url, 304, datetime.now(UTC))
        media_type = _media_type(response)
        if status != 200:  # others, such as 202, come without the document
            content = await _read_some(response, MAX_ERROR_BYTES)
            raise FetchError(
                f"it answered {status}",
                code="RATE_LIMITED" if status in (429, 503) else "HTTP_STATUS",
                url=url,
                status=status if status in STATUSES else None,
                content=content,
                media_type=media_type,
                retry_after_seconds=read_retry_after(status, response.headers.get("retry-after")),
            )
        content = await _read_whole(asked, response)
        return WebResponse(
            url,
            status,
            datetime.now(UTC),
            content,
            media_type,
            response.charset and _as_text(response.charset),
            _sent_back(response, "etag"),
            _sent_back(response, "last-modified"),
        )


async def _read_whole(asked: WebRequest, response: aiohttp.ClientResponse) -> bytes:
    """A whole document. Raises FetchError, with what came, where it is too large or cut off."""
    declared = response.content_length
    too_large = FetchError(
        f"expected at most {asked.max_bytes:,} bytes",
        code="TOO_LARGE",
        url=asked.url,
        status=response.status,
    )
    if declared is not None and declared > asked.max_bytes:
        raise too_large
    content = bytearray()
    try:
        while chunk := await response.content.read(CHUNK_BYTES):
            content += chunk
            if len(content) > asked.max_bytes:
                raise too_large
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        failure = failure_of(error, asked.url)
        if failure.code == "UNREACHABLE":
            failure.code = "CUT_OFF"
        failure.status, failure.media_type = response.status, _media_type(response)
        failure.content = bytes(content[:MAX_ERROR_BYTES])
        raise failure from None
    return bytes(content)


async def _read_some(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """The beginning of a refusal, as far as it comes."""
    content = bytearray()
    try:
        while len(content) < max_bytes and (chunk := await response.content.read(CHUNK_BYTES)):
            content += chunk
    except (aiohttp.ClientError, TimeoutError, OSError):
        pass
    return bytes(content[:max_bytes])


def _target(asked: WebRequest, response: aiohttp.ClientResponse) -> str:
    """Where a redirect leads. Raises FetchError (`REDIRECT`)."""
    here, status = URL(asked.url, encoded=True), response.status

    def refuse(problem: str) -> FetchError:
        return FetchError(
            one_line(f"redirected {problem}"), code="REDIRECT", url=asked.url, status=status
        )

    location = response.headers.get("location", "")
    if not location:
        raise refuse("to nowhere")
    try:
        target = here.join(URL(location)).with_fragment(None)
    except ValueError:
        raise refuse(f"to {location}, which is no address") from None
    if target.user is not None or target.password is not None:  # which nobody is to read of us
        raise refuse("to an address with a user name or password")
    if here.scheme == "https" and target.scheme == "http":
        raise refuse(f"from https to {target}")
    if asked.body is not None and status == 303:  # forms here are questions, sent as they are
        raise refuse(f"with {status} to {target}, where a form can't be sent again")
    return str(target)


def _headers(asked: WebRequest) -> dict[str, str]:
    headers = {"accept": asked.accept}
    if asked.content_type:
        headers["content-type"] = asked.content_type
    if asked.body is None and asked.known_url == asked.url:
        if asked.etag:
            headers["if-none-match"] = asked.etag
        if asked.last_modified:
            headers["if-modified-since"] = asked.last_modified
    return headers


def _media_type(response: aiohttp.ClientResponse) -> str | None:
    """The declared media type without parameters, if one is declared."""
    return _as_text(response.content_type.lower()) if "content-type" in response.headers else None


def _as_text(declared: str) -> str:
    """What a header says as text that can be kept: its bytes may be anything, which aiohttp hands on
    as characters that no encoding has."""
    shown = declared.encode("ascii", "replace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in shown)[
        :MAX_HEADER_CHARACTERS
    ]


def _sent_back(response: aiohttp.ClientResponse, name: str) -> str | None:
    """A header that is sent back in the next request; None where it can't be, to the letter."""
    declared = response.headers.get(name)
    return declared if declared is not None and declared == _as_text(declared) else None


def _host(url: str) -> str:
    return URL(url, encoded=True).host or ""


def _proxy_of(url: URL) -> str | None:
    """The proxy that the environment names for an address."""
    proxy = getproxies().get(url.scheme)
    return None if proxy is None or proxy_bypass(url.host or "") else proxy
