"""Authentication of callers, by token or cookie, and the rate and concurrency limits of each client.

The cookie contains the token itself, so the server stores no session. The cookie works after a restart and
at every server of one database, and ends with its token. An encrypted form would need a key that all
servers share, and a stolen cookie would be as useful. Scripts cannot read the cookie (HttpOnly). Browsers
do not send it with requests of other sites, except when they open a page (SameSite=Lax, not Strict, so that
links in letters work). Over https, a neighbour under the same domain cannot replace it (`__Host-`).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import ipaddress
import sys
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypedDict

from starlette.requests import HTTPConnection
from starlette.responses import Response

from schema.http.csrf import comes_from_own_page, may_read_with_cookie
from schema.http.messages import header
from schema.services import ANONYMOUS_CALLER, OPEN_CALLER, Access
from tracker.auth import tokens
from tracker.auth.oidc_issuer import OidcIssuer, is_jwt
from tracker.auth.scopes import Caller, Scope, expand_scopes, parse_bearer
from tracker.auth.tokens import Tokens
from tracker.errors import (
    Forbidden,
    InvalidInput,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

BURST_SECONDS = 2
"""Burst limit in seconds' worth of requests."""
MAX_DOWNLOADS = 64
"""Maximum number of concurrent downloads. Each holds some pieces in memory until its client has read
them."""
MAX_CLIENT_DOWNLOADS = 16
MAX_CLIENTS = 10_000
"""Maximum number of clients in the rate limiter; the one that was silent longest is dropped first."""
COOKIE_NAME = "tracker_token"
SECURE_COOKIE_NAME = "__Host-tracker_token"
MAX_TOKEN_BYTES = 2900
"""Maximum length of a token in bytes. Browsers store cookies of up to 4,096 bytes, and base64 adds a
third."""
READING = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Client:
    """A caller, with the key of its limits."""

    caller: Caller
    key: str
    """A token, or else the network of an address."""
    authorization: str = field(default="", repr=False)
    """Authorization header of the caller, or that for the cookie; empty without a valid token."""
    read_only: bool = False
    """Whether this server records nothing for them, whatever their rights."""


class AccessControl:
    """Authentication of callers and their limits."""

    def __init__(self, tokens: Tokens, access: Access, *, read_only: bool = False):
        self.access = access
        self.read_only = read_only
        self._tokens = tokens
        self._issuer = OidcIssuer(access.oidc) if access.oidc else None
        self._buckets = TokenBuckets(access.rate)
        self._operations: Counter[str] = Counter()
        self._downloads: Counter[str] = Counter()
        self._work_slots = WorkSlots(access.questions)

    async def authenticate(self, authorization: str, address: str | None) -> Client:
        """Authenticate the caller and charge one request.

        Raises RateLimited, Unauthenticated, Forbidden, or Unavailable. A request with an invalid token is
        charged to its address.
        """
        client = client_network(address)
        try:
            caller = await self._caller(authorization)
            caller.require(Scope.READ)
        except (Unauthenticated, Forbidden):
            self._buckets.take(client)
            raise
        if parse_bearer(authorization):
            authenticated = Client(caller, f"token {caller.name}", authorization, self.read_only)
        else:
            authenticated = Client(caller, client, read_only=self.read_only)
        self._buckets.take(authenticated.key)
        return authenticated

    async def authenticate_request(self, request: HTTPConnection) -> Client:
        """Authenticate the sender of a request: by its Authorization header, or else by its cookie.

        The cookie counts only for some requests (`counted_token`). A cookie with an invalid token is
        ignored. Raises as `authenticate`.
        """
        authorization = header(request.scope["headers"], b"authorization")
        if token := counted_token(request):
            authorization = f"Bearer {token}" if await self._works(token) else ""
        return await self.authenticate(authorization, request.client and request.client.host)

    async def admit(self, request: HTTPConnection) -> Client:
        """Authenticate the caller of a public resource, as `authenticate_request`, also without the right
        to read.

        Raises RateLimited or Unavailable.
        """
        try:
            return await self.authenticate_request(request)
        except (Unauthenticated, Forbidden):
            return Client(ANONYMOUS_CALLER, client_network(request.client and request.client.host))

    def is_shared(self, request: HTTPConnection) -> bool:
        """Return whether a response is the same for everyone, so that a shared cache may store it."""
        return (
            self.access.read_open
            and "authorization" not in request.headers
            and token_in_cookie(request) is None
        )

    async def reauthenticate(self, authorization: str) -> Caller:
        """Return the present state of a caller, because tokens can end during a connection.

        Raises like `authenticate`.
        """
        caller = await self._caller(authorization)
        caller.require(Scope.READ)
        return caller

    async def callers(self, authorization: str) -> AsyncIterator[Caller]:
        """Yield the present state of a caller repeatedly, until its token ends."""
        while True:
            await asyncio.sleep(tokens.CACHE_SECONDS)
            try:
                yield await self.reauthenticate(authorization)
            except Unavailable:
                continue  # the database is unavailable: keep the last state
            except (Unauthenticated, Forbidden):
                return

    async def watch(self, authorization: str) -> None:
        """Return when a caller's token has ended; never without a token."""
        if not parse_bearer(authorization):
            await asyncio.Event().wait()
        async for _ in self.callers(authorization):
            pass

    def check_operation_limit(self, operations: int) -> None:
        """Refuse one more operation above the limit. Raises TooLarge."""
        most = self.access.operations
        if operations >= most:
            raise TooLarge(
                f"expected at most {most} operations at a time", code="TOO_MANY_OPERATIONS"
            )

    @contextmanager
    def operation(self, client: Client) -> Iterator[None]:
        """Hold an operation of a connection for the length of a block. Raises RateLimited or TooLarge."""
        self._buckets.take(client.key)
        with self.operation_slot(client):
            yield

    @contextmanager
    def operation_slot(self, client: Client) -> Iterator[None]:
        """Hold one of the client's operation slots; the rate limit was already charged.

        Raises TooLarge.
        """
        key = client.key
        self.check_operation_limit(self._operations[key])
        self._operations[key] += 1
        try:
            yield
        finally:
            self._operations[key] -= 1
            if not self._operations[key]:
                del self._operations[key]

    @contextmanager
    def download_slot(self, client: Client) -> Iterator[None]:
        """Hold a download slot, and one of the client's operation slots.

        Raises TooLarge or Unavailable.
        """
        key = client.key
        if self._downloads[key] >= MAX_CLIENT_DOWNLOADS:
            raise TooLarge(
                f"expected at most {MAX_CLIENT_DOWNLOADS} downloads at a time",
                code="TOO_MANY_OPERATIONS",
            )
        if self._downloads.total() >= MAX_DOWNLOADS:
            raise Unavailable("the server has too many downloads at the moment; try again")
        with self.operation_slot(client):
            self._downloads[key] += 1
            try:
                yield
            finally:
                self._downloads[key] -= 1
                self._downloads += Counter()  # remove the entry without slots

    def work_slot(self, client: Client) -> AbstractAsyncContextManager[None]:
        """Return the query slot of a client.

        Callers with an explicit right to write have no limit, so that their concurrent commands are
        recorded together.
        """
        caller = client.caller
        trusted = Scope.RECORD in caller.scopes and caller != OPEN_CALLER
        return nullcontext() if trusted else self._work_slots.hold(client.key)

    def shared_work_slot(self, clients: Iterable[Client]) -> AbstractAsyncContextManager[None]:
        """Return a query slot for a query that several clients share.

        It is charged to the client with the lowest load, so that none delays another.
        """
        least, fewest = None, sys.maxsize
        for client in clients:
            load = self._work_slots.load(client.key)
            if load < fewest:
                least, fewest = client, load
            if not load:
                break  # there may be ten thousand
        return self.work_slot(least) if least else nullcontext()

    async def _works(self, token: str) -> bool:
        try:
            await self._caller(f"Bearer {token}")
        except Unauthenticated:
            return False
        return True

    async def _caller(self, authorization: str) -> Caller:
        """Return the caller of an Authorization header.

        Raises Unauthenticated for an invalid token, because its sender expects to be authenticated.
        """
        secret, access = parse_bearer(authorization), self.access
        if not secret:
            return access.anyone()
        if access.token and hmac.compare_digest(
            secret.encode(errors="replace"), access.token.encode()
        ):
            return Caller("token", expand_scopes([Scope.RECORD]))
        if self._issuer and is_jwt(secret):
            held = await self._issuer.authenticate(secret)
            everyones = {Scope.READ} if access.read_open else set()
            return Caller(held.name, held.scopes | everyones)
        if caller := await self._tokens.authenticate(secret):
            return caller
        raise Unauthenticated("this token is unknown, revoked or expired")


class WorkSlots:
    """Query slots by client. Each client has a limited number; further queries of the client are queued, so
    that other clients wait less."""

    def __init__(self, most: int):
        self._most = most
        self._at_work: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def hold(self, client: str) -> AsyncIterator[None]:
        """Wait for a slot of a client, and hold it for the length of a block."""
        if self._at_work[client] >= self._most:
            await self._wait(client)
        else:
            self._at_work[client] += 1
        try:
            yield
        finally:
            self._pass_on(client)

    def load(self, client: str) -> int:
        """Return the number of active and queued queries of a client."""
        return self._at_work[client] + len(self._waiting.get(client, ()))

    async def _wait(self, client: str) -> None:
        mine = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # the slot arrived at the same moment
                self._pass_on(client)
            raise

    def _pass_on(self, client: str) -> None:
        """Give a free slot to the next waiter, if there is one."""
        waiting = self._waiting.get(client, deque())
        while waiting:
            following = waiting.popleft()
            if not following.done():
                following.set_result(None)
                return
        self._waiting.pop(client, None)
        self._at_work[client] -= 1
        if not self._at_work[client]:
            del self._at_work[client]


class TokenBuckets:
    """Token buckets: a client gets `rate` requests a second, with a burst of two seconds' worth."""

    def __init__(
        self, rate: float, clock: Callable[[], float] = time.monotonic, most: int = MAX_CLIENTS
    ):
        self._rate = rate
        self._size = max(1.0, rate * BURST_SECONDS)
        self._clock = clock
        self._most = most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Charge a request. Raises RateLimited, with the seconds until the next one is allowed."""
        if not self._rate:
            return
        now = self._clock()
        left, since = self._left.pop(client, (self._size, now))
        left = min(self._size, left + (now - since) * self._rate)
        enough = left >= 1
        self._left[client] = (left - 1 if enough else left, now)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        if not enough:
            raise RateLimited((1 - left) / self._rate)


@lru_cache(maxsize=MAX_CLIENTS)
def client_network(address: str | None) -> str:
    """Return the network of a client: an IPv4 address, or the /64 of an IPv6 customer."""
    try:
        address_of_client = ipaddress.ip_address(address or "")
    except ValueError:
        return str(address)
    return str(
        ipaddress.ip_network(
            (address_of_client, 32 if address_of_client.version == 4 else 64), strict=False
        )
    )


class CookieAttributes(TypedDict):
    """The attributes for setting and deleting the cookie."""

    key: str
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax", "strict", "none"]


def cookie_attributes(connection: HTTPConnection) -> CookieAttributes:
    """Return the attributes of the cookie. It ends with the browser's session: no Max-Age."""
    secure = connection.url.scheme == "https"
    return {
        "key": SECURE_COOKIE_NAME if secure else COOKIE_NAME,
        "path": "/",
        "secure": secure,
        "httponly": True,
        "samesite": "lax",
    }


def set_token_cookie(response: Response, connection: HTTPConnection, token: str) -> None:
    """Store a token in the browser. Raises InvalidInput if it is too long for a cookie."""
    written = token.encode()
    if len(written) > MAX_TOKEN_BYTES:
        raise InvalidInput(
            f"expected a token of at most {MAX_TOKEN_BYTES} bytes: browsers store no longer ones",
            path=("token",),
        )
    value = base64.urlsafe_b64encode(written).decode().rstrip("=")
    response.set_cookie(value=value, **cookie_attributes(connection))


def forget_token(response: Response, connection: HTTPConnection) -> None:
    """Delete the token in the browser."""
    response.delete_cookie(**cookie_attributes(connection))


def token_in_cookie(connection: HTTPConnection) -> str | None:
    """Return the token in the cookie of a request, whether or not it counts.

    Most requests come from programs without cookies, so the names of the headers are checked first.
    """
    if not header(connection.scope["headers"], b"cookie"):
        return None
    value = connection.cookies.get(cookie_attributes(connection)["key"], "")
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode() or None
    except (binascii.Error, ValueError):
        return None


def counted_token(connection: HTTPConnection) -> str | None:
    """Return the token of a cookie that counts as an Authorization header.

    It counts without a Bearer token, and if another site cannot have caused the request.
    """
    token = token_in_cookie(connection)
    if token is None or parse_bearer(connection.headers.get("authorization", "")) is not None:
        return None
    reading = connection.scope.get("method") in READING
    trusted = may_read_with_cookie if reading else comes_from_own_page
    return token if trusted(connection.headers) else None
