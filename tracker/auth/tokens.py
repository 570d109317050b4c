"""Tokens in the database: created, listed and revoked by its owner, looked up by the API."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

from msgspec import Struct, convert

from tracker.auth.scopes import Caller, Scope, check_name, expand_scopes, generate_token, token_hash
from tracker.errors import InvalidInput, NotFound, Unavailable
from tracker.postgres.batching import commits_confirmed
from tracker.postgres.database import CONNECTION_ERRORS, Connection, Pool, named_queries

SQL = named_queries(Path(__file__).with_name("tokens.sql"))
CACHE_SECONDS = 5.0
"""Seconds for which a valid token is cached: a revoked one stops working after at most this time."""
MAX_CACHED_TOKENS = 1000
MAX_TOKEN_ID = 2**31 - 1


class TokenRecord(Struct, frozen=True):
    """A stored token, without its secret. `expires_on` is its last day (UTC)."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_on: date | None
    revoked_at: datetime | None


class Tokens:
    """Authenticates callers by tokens in the database.

    Invalid tokens are not cached, so that a new token works at once, and invented tokens do not fill the
    memory.
    """

    def __init__(self, pool: Pool, beside: Tokens | None = None):
        """Create the authenticator; `beside` has the tokens of a replica, for use if the database is
        unavailable."""
        self._pool = pool
        self._beside = beside
        self._cached: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    async def authenticate(self, secret: str) -> Caller | None:
        """Return the caller of a token; None if it is unknown, revoked or expired. Raises Unavailable."""
        key = token_hash(secret)
        until, caller = self._cached.get(key, (0.0, None))
        if caller is not None and time.monotonic() < until:
            return caller
        self._cached.pop(key, None)
        try:
            row = await self._pool.fetchrow(SQL.holder, key)
        except CONNECTION_ERRORS as error:
            if self._beside:
                return await self._beside.authenticate(secret)
            raise Unavailable("The owner of this token could not be read; try again") from error
        if row is None:
            return None
        caller = Caller(row["name"], expand_scopes(map(Scope, row["scopes"])))
        self._cache_caller(key, caller)
        return caller

    def _cache_caller(self, key: bytes, caller: Caller) -> None:
        self._cached[key] = time.monotonic() + CACHE_SECONDS, caller
        while len(self._cached) > MAX_CACHED_TOKENS:
            self._cached.popitem(last=False)


async def create(
    connection: Connection, name: str, scopes: Iterable[Scope], expires_on: date | None, today: date
) -> str:
    """Create a token and return it: it cannot be read again. Raises InvalidInput."""
    if expires_on is not None and expires_on < today:
        raise InvalidInput("expected a day that is not over", path=("expires",))
    secret, texts = generate_token(), [scope.value for scope in dict.fromkeys(scopes)]
    async with commits_confirmed(connection):
        await connection.fetchval(
            SQL.create, check_name(name), texts, token_hash(secret), expires_on
        )
    return secret


async def list_tokens(connection: Connection) -> list[TokenRecord]:
    """Return all tokens, including revoked ones, in the order of creation."""
    return [convert(dict(row), TokenRecord) for row in await connection.fetch(SQL.list)]


async def revoke(connection: Connection, id: int) -> str:
    """Revoke a token and return its name. Raises NotFound."""
    name: str | None = None
    if 0 < id <= MAX_TOKEN_ID:
        async with commits_confirmed(connection):
            name = await connection.fetchval(SQL.revoke, id)
    if name is None:
        raise NotFound(f"There is no token {id}", path=("id",))
    return name
