"""Requests to receivers, within limits of time, size and permitted addresses.

Failures of a receiver are returned as an Answer, not raised. An error contains only the number of the
address, because a URL may hold a secret.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from types import SimpleNamespace, TracebackType
from typing import Any, Self

import aiohttp
from msgspec import Struct
from yarl import URL

from tracker.delivery.message import Message
from tracker.delivery.signatures import SigningKey, sign
from tracker.web import connector
from tracker.web.networks import Networks
from tracker.web.retry_after import read_retry_after

TIMEOUT_SECONDS = 15
"""Timeout of a request: name lookup, connection, sending, and the head of the response."""
BODY_SECONDS = 2
"""Timeout of the response body: only people read it; the head decides the result."""
MAX_BODY_BYTES = 4_096

USER_AGENT = "critical-minerals-policy-tracker"

logger = logging.getLogger(__name__)


class Answer(Struct, frozen=True):
    """Result of a request. `error` is the reason why it was not accepted, or None; `excerpt` is the beginning
    of the response."""

    status: int | None
    error: str | None
    retry_after_seconds: float | None
    duration_seconds: float
    excerpt: str = ""

    @property
    def delivered(self) -> bool:
        """Whether the receiver accepted the delivery."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def retired(self) -> bool:
        """Whether the receiver wants no further deliveries."""
        return self.status == 410


class Handshake(Struct, frozen=True):
    """Response to the validation request of CloudEvents' HTTP Webhook specification.

    A receiver that does not implement it is not `supported`, and deliveries to it are allowed.
    """

    supported: bool
    allowed: bool
    requests_per_minute: int | None


class Sender:
    """Sends to many receivers concurrently, over persistent connections.

    `origin` is the name by which receivers know the sender. `tls` has the trusted authorities (None: those of
    the system). `lookup` resolves names to addresses.
    """

    def __init__(
        self,
        networks: Networks,
        origin: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        tls: ssl.SSLContext | None = None,
        lookup: connector.Lookup = socket.getaddrinfo,
        name_cache_seconds: int = connector.NAME_CACHE_SECONDS,
    ):
        self._networks, self._origin = networks, origin
        self._timeout_seconds = timeout_seconds
        self._tls, self._lookup = tls, lookup
        self._name_cache_seconds = name_cache_seconds
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        threads = ThreadPoolExecutor(connector.LOOKUP_THREADS, "delivery-names")
        self._stack.callback(threads.shutdown, wait=False, cancel_futures=True)
        for scheme in ("https", "http"):
            session = self._session(threads, encrypted=scheme == "https")
            self._sessions[scheme] = await self._stack.enter_async_context(session)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def send(
        self,
        url: str,
        message: Message,
        keys: Sequence[SigningKey],
        may_repeat: Callable[[], bool] = lambda: True,
    ) -> Answer:
        """Deliver a message, signed by each of the keys.

        `may_repeat` is called before the request is repeated because a persistent connection was closed.
        """
        timestamp = int(time.time())
        headers = {
            "content-type": message.media_type,
            "webhook-id": message.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(keys, message.id, timestamp, message.body),
        }
        return await self._request("POST", url, headers, message.body, _ReceivedBody(), may_repeat)

    async def handshake(self, url: str) -> Handshake | Answer:
        """Ask a receiver whether it accepts deliveries; return an Answer if the request fails."""
        received = _ReceivedBody()
        answer = await self._request("OPTIONS", url, {}, None, received)
        allowed = received.headers.get("webhook-allowed-origin", "").strip()
        if allowed:
            rate = received.headers.get("webhook-allowed-rate", "").strip()
            return Handshake(
                supported=True,
                allowed=allowed == "*" or allowed.lower() == self._origin.lower(),
                requests_per_minute=int(rate) if re.fullmatch(r"[1-9]\d{0,8}", rate) else None,
            )
        if answer.status is None or answer.retired or _is_temporary(answer.status):
            return answer
        return Handshake(supported=False, allowed=False, requests_per_minute=None)

    async def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        into: _ReceivedBody,
        may_repeat: Callable[[], bool] = lambda: True,
    ) -> Answer:
        started = time.monotonic()
        error = None
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._exchange(method, url, headers, body, into, may_repeat)
        except Exception as caught:
            error = self._reason(caught)
        return into.answer(error, time.monotonic() - started)

    async def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        into: _ReceivedBody,
        may_repeat: Callable[[], bool],
    ) -> None:
        """Send a request and read its response.

        It is repeated on a new connection if a persistent one is closed: the receiver has not failed then.
        """
        address = URL(url, encoded=True)
        session = self._sessions[address.scheme]
        while True:
            connection = SimpleNamespace(reused=False)
            try:
                async with session.request(
                    method,
                    address,
                    headers={**headers, "webhook-request-origin": self._origin},
                    data=body,
                    allow_redirects=False,
                    trace_request_ctx=connection,
                ) as response:
                    await into.read(response)
                return
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                if not connection.reused or isinstance(error, aiohttp.ClientConnectorError):
                    raise
                if not may_repeat():
                    raise

    def _session(self, threads: ThreadPoolExecutor, encrypted: bool) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(_mark_reused)
        return aiohttp.ClientSession(
            connector=connector.checked_connector(
                self._networks,
                threads,
                encrypted=encrypted,
                tls=self._tls,
                lookup=self._lookup,
                name_cache_seconds=self._name_cache_seconds,
            ),
            headers={"user-agent": USER_AGENT, "accept-encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            auto_decompress=False,
            trust_env=False,
            trace_configs=[trace],
        )

    def _reason(self, error: Exception) -> str:
        """Return the reason of a failed request, for people who operate the receiver."""
        match error:
            case TimeoutError():
                return f"no answer within {self._timeout_seconds:g} seconds"
            case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLError() as cause):
                return f"TLS: {getattr(cause, 'verify_message', None) or cause.reason}"
            case aiohttp.ClientConnectorError(os_error=connector.AddressRefused() as refused):
                return f"deliveries may not go to {refused}"
            case aiohttp.ClientConnectorDNSError(os_error=cause):
                return f"the name has no address: {cause.strerror or cause}"
            case aiohttp.ClientSSLError(os_error=cause):
                return f"TLS: {getattr(cause, 'reason', None) or cause.strerror or cause}"
            case aiohttp.ClientConnectorError(os_error=cause):
                return f"no connection: {os.strerror(cause.errno) if cause.errno else cause}"
            case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
                return "the connection was closed before an answer"
            case aiohttp.ClientResponseError():
                return f"not an answer in HTTP: {_one_line(error.message)}"
            case aiohttp.InvalidURL() | KeyError() | UnicodeError():
                return "not an address that can be sent to"
        logger.exception("a delivery failed for an unknown reason", exc_info=error)
        return f"could not be sent: {type(error).__name__}"


class _ReceivedBody:
    """The received part of a response, even if the remainder does not arrive."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        self._body = bytearray()

    async def read(self, response: aiohttp.ClientResponse) -> None:
        """Read the head and the beginning of the body; close the connection if there is more."""
        self.status, self.headers = response.status, response.headers
        async with asyncio.timeout(BODY_SECONDS):
            while len(self._body) < MAX_BODY_BYTES:
                chunk = await response.content.read(MAX_BODY_BYTES - len(self._body))
                if not chunk:
                    return
                self._body += chunk

    def answer(self, error: str | None, duration_seconds: float) -> Answer:
        """Return the answer, with the error if nothing was read."""
        if self.status is not None:
            error = None if 200 <= self.status < 300 else _meaning(self.status)
        return Answer(
            self.status,
            error,
            read_retry_after(self.status, self.headers.get("retry-after")),
            duration_seconds,
            _text(bytes(self._body)),
        )


async def _mark_reused(_: aiohttp.ClientSession, context: Any, __: Any) -> None:
    context.trace_request_ctx.reused = True


def _is_temporary(status: int) -> bool:
    return status == 429 or (status >= 500 and status != 501)


def _meaning(status: int) -> str:
    """Return the meaning of a status that is not an acceptance."""
    if 300 <= status < 400:
        return f"answered {status}: redirects are not followed"
    return f"answered {status}"


def _text(raw: bytes) -> str:
    """Decode untrusted bytes as text that can be stored and shown."""
    text = raw.decode(errors="replace")
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )


def _one_line(text: str) -> str:
    return " ".join(_text(text.encode(errors="replace")).split())[:200]
