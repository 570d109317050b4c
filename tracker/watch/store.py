"""State of the watcher: the progress of each source, and the last content of its addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from tracker.postgres.database import Pool, named_queries
from tracker.postgres.lease import Lease, check_epoch
from tracker.snapshots.digest import sha256_of
from tracker.watch.adapter import Cursor, Request, SourceSettings

SQL = named_queries(Path(__file__).with_name("store.sql"))

ADDRESS_DAYS = 120
"""Days after which an address that was not requested is forgotten: the entry only saves traffic."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """Progress of a source.

    `look` is the number of the last poll that ended. `complete_look` is the number of the last complete poll,
    which ended at `looked_at`.
    """

    key: str
    settings: Mapping[str, Any]
    settings_number: int
    watched: bool
    cursor: Cursor
    look: int
    complete_look: int
    watched_at: datetime
    looked_at: datetime | None
    ended_at: datetime | None
    next_look_at: datetime
    failures: int
    failing_since: datetime | None
    last_code: str | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """Last content of an address: from `url` after redirects, first seen in poll `look`."""

    url: str
    etag: str | None
    last_modified: str | None
    sha256: str
    media_type: str | None
    charset: str | None
    look: int


def plain_settings(settings: SourceSettings) -> dict[str, Any]:
    """Return settings as plain JSON, in which they are compared and stored."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(settings))
    return plain


class WatchStore:
    """The tables `watch.sources` and `watch.addresses`. Needs the role `tracker_watcher`.

    With a lease, the end of a poll is written only if no other process has taken the lease.
    """

    def __init__(self, pool: Pool, lease: Lease | None = None):
        self._pool = pool
        self._lease = lease

    async def sources(self) -> dict[str, SourceRow]:
        """Return all sources that were ever watched, by key."""
        rows = await self._pool.fetch(SQL.sources)
        decoded = (
            dict(row) | {name: msgspec.json.decode(row[name]) for name in ("settings", "cursor")}
            for row in rows
        )
        return {each["key"]: SourceRow(**each) for each in decoded}

    async def take(
        self, settings: SourceSettings, number: int, *, last_poll: int = 0, reset: bool = False
    ) -> None:
        """Watch a source with settings that are recorded under a number.

        `look` applies if the source has no row yet; `reset` empties the cursor.
        """
        every = timedelta(hours=settings.every_hours)
        plain = msgspec.json.encode(plain_settings(settings)).decode()
        await self._pool.execute(SQL.take, settings.key, plain, number, every, last_poll, reset)

    async def drop(self, key: str) -> None:
        """Stop watching a source."""
        await self._pool.execute(SQL.drop, key)

    async def address(self, source: str, address: str) -> KnownAddress | None:
        """Return the last content of an address."""
        row = await self._pool.fetchrow(SQL.address, source, address)
        return KnownAddress(**{**row, "sha256": row["sha256"].hex()}) if row else None

    async def remember(self, source: str, address: str, known: KnownAddress) -> None:
        """Remember the content of an address."""
        await self._pool.execute(
            SQL.remember,
            source,
            address,
            known.url,
            known.etag,
            known.last_modified,
            bytes.fromhex(known.sha256),
            known.media_type,
            known.charset,
            known.look,
        )

    async def complete(
        self, source: str, poll: int, cursor: Cursor, ended_at: datetime, next_look_at: datetime
    ) -> None:
        """Write that a poll read everything. Raises LeaseLost."""
        text = msgspec.json.encode(cursor).decode()
        await self._end(SQL.complete, source, text, poll, ended_at, next_look_at)
        await self._pool.execute(SQL.prune_addresses, source, timedelta(days=ADDRESS_DAYS))

    async def fail(
        self,
        source: str,
        poll: int,
        ended_at: datetime,
        next_look_at: datetime,
        code: str,
        error: str,
    ) -> None:
        """Write that a poll was incomplete. Raises LeaseLost."""
        await self._end(SQL.fail, source, poll, ended_at, next_look_at, code, error)

    async def _end(self, query: str, *arguments: Any) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            if self._lease is not None:
                await check_epoch(connection, self._lease)
            await connection.execute(query, *arguments)

    async def has_event(self, event_id: str) -> bool:
        """Return whether the log has an event with an id."""
        return bool(await self._pool.fetchval(SQL.has_event, event_id))


def address_of(request: Request) -> str:
    """Return the key of an address; it includes the hash of the form, if there is one."""
    if request.body is None:
        return request.url
    return f"{request.url} {sha256_of(request.body)}"
