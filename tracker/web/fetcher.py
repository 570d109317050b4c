"""Fetches documents of other servers politely and within limits.

Each host gets one request at a time, with a pause between two. Its robots.txt is obeyed, the client
identifies itself, and known content is requested conditionally. Redirects are followed here, and each address
is checked like the first. Content encodings are decoded: `content` is the document as published.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType
from typing import Self
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from tracker.errors import InvalidInput
from tracker.web.connector import (
    LOOKUP_THREADS,
    NAME_CACHE_SECONDS,
    BoundedConnector,
    Lookup,
    checked_connector,
)
from tracker.web.content_encoding import ACCEPTED
from tracker.web.failures import FetchError, failure_of, one_line
from tracker.web.networks import Networks
from tracker.web.request import WebRequest, request_headers
from tracker.web.response import WebResponse, read_response
from tracker.web.robots import MAX_ROBOTS_BYTES, Robots


class HostHeld(Exception):
    """A host has requested a delay of `seconds` more."""

    def __init__(self, seconds: float):
        super().__init__(f"the host asked to wait {seconds:.0f} seconds more")
        self.seconds = seconds


@dataclass(slots=True)
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0


class Pacing:
    """Schedules requests per host, for all fetches of this process."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def slot(
        self, host: str, pause_seconds: float, max_wait_seconds: float
    ) -> AsyncIterator[None]:
        """Wait for and hold the slot of a host; the next one starts some seconds after its end.

        Raises HostHeld if the host must not be contacted for longer than `max_wait_seconds`.
        """
        state = self._host(host)
        async with state.lock:
            while (wait := state.free_at - time.monotonic()) > 0:
                if wait > max_wait_seconds:
                    raise HostHeld(wait)
                await asyncio.sleep(wait)
            try:
                yield
            finally:
                state.free_at = max(state.free_at, time.monotonic() + pause_seconds)

    def hold(self, host: str, seconds: float) -> None:
        """Block requests to a host for some seconds."""
        state = self._host(host)
        state.free_at = max(state.free_at, time.monotonic() + seconds)

    def _host(self, host: str) -> _Host:
        return self._hosts.setdefault(host, _Host())


AGENT = "critical-minerals-policy-tracker"
"""Our user agent in every robots.txt."""
MAX_REDIRECTS = 5
TRIED_AGAIN = ("UNREACHABLE", "TIMEOUT", "CUT_OFF", "RATE_LIMITED")
TEMPORARY = (500, 502, 504)
"""Statuses after which a retry may succeed, besides 429 and 503."""
NETWORKS = Networks()
"""The whole internet."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Timeouts and retries."""

    connect_seconds: float = 20.0
    silence_seconds: float = 60.0
    """Maximum seconds without a byte."""
    total_seconds: float = 600.0
    """Maximum seconds for a document, per attempt."""
    tries: int = 3
    retry_seconds: float = 2.0
    """Seconds before the first retry; doubled before the second."""
    max_wait_seconds: float = 60.0
    """Maximum `Retry-After` in seconds that is waited for; with a longer one the fetch fails."""


Observe = Callable[[str, str, float, int], None]


class Fetcher:
    """Fetches documents for all sources of this process, over persistent connections.

    `agent` identifies the client and begins with `AGENT`. `tls` has the trusted authorities, `lookup`
    resolves names to addresses. Proxies are those of the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY). A
    proxy resolves names itself, and decides which addresses are permitted.
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
        """Callback for each request: the host, the status or error, seconds, bytes."""

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
        # The operator configured the proxy, so any address of it is permitted.
        await self._open("proxy", BoundedConnector(self._tls))
        return self

    async def _open(self, name: str, connector: aiohttp.TCPConnector) -> None:
        session = aiohttp.ClientSession(
            connector=connector,
            headers={"user-agent": self._agent, "accept-encoding": ACCEPTED},
            auto_decompress=False,  # aiohttp would accept incomplete documents
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

    async def fetch(self, request: WebRequest) -> WebResponse:
        """Fetch a document, with a retry after a pause if that may help. Raises FetchError."""
        request = replace(request, url=request.url.partition("#")[0])
        requests = 0

        def count() -> None:
            nonlocal requests
            requests += 1

        for left in reversed(range(self._limits.tries)):
            try:
                return replace(await self._follow(request, count), requests=requests)
            except FetchError as error:
                error.requests = requests
                wait = self._wait_seconds(error, self._limits.tries - left)
                if not left or wait is None:
                    raise
                self._pacing.hold(_host(error.url), wait)
        raise AssertionError("unreachable")

    def _wait_seconds(self, error: FetchError, tries: int) -> float | None:
        """Return the delay before the next attempt; None if there is none."""
        temporary = error.code == "HTTP_STATUS" and error.status in TEMPORARY
        if not temporary and error.code not in TRIED_AGAIN:
            return None
        wait = self._limits.retry_seconds * 2 ** (tries - 1)
        if error.retry_after_seconds is not None:
            wait = max(wait, error.retry_after_seconds)
        return wait if wait <= self._limits.max_wait_seconds else None

    async def _follow(
        self, request: WebRequest, count: Callable[[], None], *, by_robots: bool = True
    ) -> WebResponse:
        """Fetch a document and follow its redirects. Raises FetchError."""
        url, seen = request.url, {request.url}
        while True:
            self._check(url, moved=len(seen) > 1)
            pause = request.pause_seconds
            if by_robots:
                pause = max(pause, await self._check_robots(url, pause, count))
            answer = await self._request_once(replace(request, url=url), pause, count)
            if isinstance(answer, WebResponse):
                return answer
            if answer in seen or len(seen) > MAX_REDIRECTS:
                problem = "in a circle" if answer in seen else f"more than {MAX_REDIRECTS} times"
                raise FetchError(f"redirected {problem}: {url}", code="REDIRECT", url=url)
            url = answer
            seen.add(url)

    def _check(self, url: str, *, moved: bool) -> None:
        try:
            self._networks.check_url(url)
        except InvalidInput as error:
            code = "REDIRECT" if moved else "REFUSED_ADDRESS"
            raise FetchError(one_line(error.message), code=code, url=url) from None

    async def _check_robots(self, url: str, pause: float, count: Callable[[], None]) -> float:
        """Check that a host permits an address, and return its requested pause. Raises FetchError."""
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
        request = WebRequest(
            url,
            accept="text/plain",
            max_bytes=MAX_ROBOTS_BYTES,
            beginning_only=True,
            pause_seconds=pause,
        )
        return (await self._follow(request, count, by_robots=False)).content

    async def _request_once(
        self, request: WebRequest, pause: float, count: Callable[[], None]
    ) -> WebResponse | str:
        """Request an address once: return the document, or the target of a redirect. Raises FetchError."""
        host, max_wait = _host(request.url), self._limits.max_wait_seconds
        try:
            async with self._pacing.slot(host, pause, max(max_wait, pause)):
                count()
                return await self._observe_exchange(host, request)
        except HostHeld as held:
            raise FetchError(
                str(held), code="RATE_LIMITED", url=request.url, retry_after_seconds=held.seconds
            ) from None

    async def _observe_exchange(self, host: str, request: WebRequest) -> WebResponse | str:
        started = time.monotonic()
        outcome, size = "error", 0
        try:
            answer = await self._exchange(request)
            if isinstance(answer, WebResponse):
                outcome, size = str(answer.status), len(answer.content)
            else:
                outcome = "moved"
            return answer
        except FetchError as error:
            outcome = error.code
            if error.retry_after_seconds is not None:
                self._pacing.hold(host, error.retry_after_seconds)
            raise
        finally:
            self.observe(host, outcome, time.monotonic() - started, size)

    async def _exchange(self, request: WebRequest) -> WebResponse | str:
        url = URL(request.url, encoded=True)
        proxy = _proxy_of(url)
        session = self._sessions["proxy" if proxy else url.scheme]
        try:
            async with session.request(
                "GET" if request.body is None else "POST",
                url,
                headers=request_headers(request),
                data=request.body,
                allow_redirects=False,
                proxy=proxy,
            ) as response:
                return await read_response(request, response)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise failure_of(error, request.url) from None


def _host(url: str) -> str:
    return URL(url, encoded=True).host or ""


def _proxy_of(url: URL) -> str | None:
    """Return the proxy that the environment configures for an address."""
    proxy = getproxies().get(url.scheme)
    return None if proxy is None or proxy_bypass(url.host or "") else proxy
