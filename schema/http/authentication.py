"""Authentication of callers by token or cookie, and their slots for operations, downloads and queries."""

import asyncio
import hmac
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection, Request

from schema.execution.work_slots import WorkSlots
from schema.http.cross_site import counted_token, token_in_cookie
from schema.http.limits import TokenBuckets, client_network
from schema.http.messages import header
from schema.services import ANONYMOUS_CALLER, OPEN_CALLER, Access
from schema.telemetry.operation import current_operation
from tracker.audit.mirror.state import MirrorState
from tracker.auth import tokens
from tracker.auth.oidc_issuer import OidcIssuer, is_jwt
from tracker.auth.scopes import Caller, Scope, expand_scopes, parse_bearer
from tracker.auth.tokens import Tokens
from tracker.errors import Forbidden, TooLarge, Unauthenticated, Unavailable

FOR_EVER = "max-age=31536000, immutable"
"""Cache control of responses that never change."""
MAX_DOWNLOADS = 64
"""Maximum number of concurrent downloads. Each holds some pieces in memory until its client has read
them."""
MAX_CLIENT_DOWNLOADS = 16
SMALL_BODY_BYTES = 64 * 1024
"""Maximum size of a body that needs no slot. uvicorn buffers as much before a body is read."""


@dataclass(frozen=True, slots=True)
class Client:
    """A caller, with the key of its limits."""

    caller: Caller
    key: str
    """A token, or else the network of an address."""
    authorization: str = field(default="", repr=False)
    """Authorization header of the caller, or that for the cookie; empty without a valid token."""
    read_only: str = ""
    """Reason why this server records nothing for them, whatever their rights; empty if it records."""
    alerts: bool = False
    """Whether this server takes subscriptions by e-mail."""
    mirror: str = ""
    """The origin and state of a mirror; empty on other servers."""


class AccessControl:
    """Authentication of callers and their limits."""

    def __init__(
        self,
        tokens: Tokens,
        access: Access,
        *,
        read_only: str = "",
        alerts: bool = False,
        mirror: MirrorState | None = None,
    ):
        self.access = access
        self.read_only = read_only
        self._alerts = alerts and not read_only
        self._mirror = mirror
        self._tokens = tokens
        self._issuer = OidcIssuer(access.oidc) if access.oidc else None
        self._buckets = TokenBuckets(access.rate)
        self._operations: Counter[str] = Counter()
        self._downloads: Counter[str] = Counter()
        self._work_slots = WorkSlots(access.queries)
        self._body_slots = WorkSlots(access.queries)

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
        if not parse_bearer(authorization):
            authorization = ""
        authenticated = Client(
            caller,
            f"token {caller.name}" if authorization else client,
            authorization,
            self.read_only,
            self._alerts,
            self._mirror.sentence if self._mirror else "",
        )
        self._buckets.take(authenticated.key)
        current_operation().client = authenticated.key
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

    def cached(self, control: str) -> dict[str, str]:
        """Return the header of a response that caches may store; if reading needs a token, only the
        client's own cache."""
        return {"Cache-Control": f"{'public' if self.access.read_open else 'private'}, {control}"}

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
        return self._hold(self._work_slots, client)

    def body_slot(self, client: Client, request: Request) -> AbstractAsyncContextManager[None]:
        """Return the slot for the body of a request, to hold from its first byte to the response.

        The server does not read further large bodies of the client meanwhile, so that they stay with the
        client instead of in memory. Small bodies need none.
        """
        length = request.headers.get("content-length", "")
        small = length.isdecimal() and int(length) <= SMALL_BODY_BYTES
        return nullcontext() if small else self._hold(self._body_slots, client)

    def _hold(self, slots: WorkSlots, client: Client) -> AbstractAsyncContextManager[None]:
        caller = client.caller
        trusted = Scope.RECORD in caller.scopes and caller != OPEN_CALLER
        return nullcontext() if trusted else slots.hold(client.key)

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
