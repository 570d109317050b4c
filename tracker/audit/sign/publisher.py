"""The publisher: follows the log, stores its tiles, and signs its heads.

Appends never wait for it. One process at a time publishes, with an advisory lock for the length of its
transaction. Steps, with their state after a crash:

    insert tiles         committed before the checkpoint; they are computed from the log
    store the head       in the keystore, on the disk: the next head must continue it, and one of the same
                         size has the same root. Only then may a signature be published
    collect cosignatures if the policy requires witnesses
    insert the note      committed: now it is published. A size has one checkpoint

Ed25519 signatures are deterministic, so a head that was signed but not published is signed again with the
same bytes, or never.

Several publishers of one log store a head each. They sign only one history while signed events stay in
the log. The cases in which they do not:

    failover to a standby    signed events were confirmed by the synchronous quorum before (`_step`): the
    of the quorum            successor has them, and the first publisher there continues
    forced failover with     a publisher that signed lost events refuses permanently, by its own head.
    lost commits             Another one with an older head has shown the lost events: it detects the
                             set-back, records it next to its key, and ends. It signs nothing until a
                             person has compared the heads
    restored older backup    the same for running publishers; one that is started later refuses if its
                             head is not in the log
    publisher that was not   it has an old head and no note: only witnesses, or one directory for all
    running at that time     publishers, prevent it from signing another history
    key store restored from  the same: never do this
    an old copy
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from msgspec import Struct

from tracker.audit.format.checkpoint import Checkpoint, ConsistencyProof
from tracker.audit.format.merkle import (
    TILE_WIDTH,
    Tile,
    check_consistency,
    consistency_parts,
    covering_subtrees,
    new_tiles,
    tile_root,
)
from tracker.audit.format.signed_note import Note, Signature, Verifier
from tracker.audit.serve.proofs import SQL, consistency, read_hashes, read_tiles
from tracker.audit.sign.keystore import KeyStore, LogKeys, PublicKey
from tracker.audit.sign.witness import Policy, Witnesses
from tracker.errors import NotProven, TrackerError
from tracker.log.durability import head
from tracker.log.follower import Follower, wait_for_event
from tracker.postgres.background import BackgroundTask, BackgroundWork, end_if_cancelled
from tracker.postgres.batching import confirmed_transaction
from tracker.postgres.database import CONNECTION_ERRORS, SILENCE_TIMEOUT_SETTING, Connection, Pool

CHECKPOINT_INTERVAL_SECONDS = 0.4
"""Minimum seconds between two checkpoints: under load many events share one."""
TILES_PER_TRANSACTION = 32
"""Maximum number of tiles of entries that one transaction adds."""
RETRY_SECONDS = 5.0
"""Seconds before a retry after a refusal, or for a witness that did not respond."""

logger = logging.getLogger(__name__)


class SigningOptions(Struct, frozen=True):
    """Signing options: the key store, the name of a log that has no keys yet, witnesses."""

    keystore: KeyStore
    origin: str | None = None
    policy: Policy = Policy()


class Publisher(BackgroundTask):
    """Publishes the log, in this process or in another one that holds the lock."""

    def __init__(self, pool: Pool, follower: Follower, signing: SigningOptions):
        self._pool = pool
        self._follower = follower
        self._keystore = signing.keystore
        self._witnesses = Witnesses(signing.policy)
        self._published = asyncio.Event()
        self.trouble: str | None = None
        """The reason why nothing is published, or None."""

    async def run(self) -> None:
        """Publish new events until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish())
            tasks.create_task(self._note_set_back())
            if self._witnesses.policy.witnesses and not self._witnesses.policy.required:
                tasks.create_task(self._run_cosigning())

    async def public_keys(self) -> tuple[PublicKey, ...]:
        """Return the public keys of the log, oldest first. Raises NotFound and InvalidInput."""
        keys = await asyncio.to_thread(self._keystore.keys)
        return keys.public

    async def signing_keys(self) -> LogKeys:
        """Return the keys that sign now. Raises NotFound, InvalidInput, and NotProven after a set-back."""
        keys = await asyncio.to_thread(self._keystore.keys)
        if lost := await asyncio.to_thread(self._keystore.set_back):
            raise NotProven(
                f"the log was set back ({lost}), and another publisher may have signed what it lost:"
                f" docs/audit.md#keys says how to go on, with the file set-back in {self._keystore.directory}"
            )
        return keys

    async def _publish(self) -> None:
        while True:
            end_if_cancelled()
            signal = self._follower.next_signal
            try:
                await self.catch_up()
                self.trouble = None
                await asyncio.sleep(CHECKPOINT_INTERVAL_SECONDS)
                await wait_for_event(signal)
            except TrackerError as error:
                self._log_refusal(error.message)
                await asyncio.sleep(RETRY_SECONDS)
            except CONNECTION_ERRORS as error:
                logger.warning(
                    "the publisher lost its database connection and will retry: %s", error
                )
                await asyncio.sleep(0.5)
            except Exception as error:
                logger.exception("the publisher failed and will retry")
                self.trouble = f"{type(error).__name__}: the log has the details"
                await asyncio.sleep(RETRY_SECONDS)

    async def _note_set_back(self) -> None:
        """Record next to the key that the log was set back, before this process ends."""
        durability = self._follower.durability
        await durability.noticed.wait()
        self._keystore.note_set_back(durability.set_back or "")

    def _log_refusal(self, reason: str) -> None:
        if reason != self.trouble:
            logger.error("the log is not signed any more: %s", reason)
        self.trouble = reason

    async def catch_up(self) -> None:
        """Publish the log up to its present end; do nothing if another process is publishing.

        Raises NotProven for a log that does not continue the signed one, or without the required
        cosignatures. Raises InvalidInput and NotFound for unreadable keys.
        """
        more = True
        while more:
            with self.observe_work("publish") as work:
                async with self._lock_signing() as writing:
                    if writing is None:
                        return
                    async with self._pool.acquire() as reading:
                        more = await self._step(writing, reading, work)
        self._published.set()
        self._published = asyncio.Event()

    @asynccontextmanager
    async def _lock_signing(self) -> AsyncIterator[Connection | None]:
        """Open a transaction in which only this process publishes; None while another one does.

        A stopped or disconnected process loses it after `SILENCE_TIMEOUT_SECONDS`. PostgreSQL cannot enforce
        this while it sends a long result. So entries are read over another connection.
        """
        async with confirmed_transaction(self._pool) as writing:
            yield (
                writing if await writing.fetchval(SQL.take_turn, SILENCE_TIMEOUT_SETTING) else None
            )

    async def _step(self, writing: Connection, reading: Connection, work: BackgroundWork) -> bool:
        """Add tiles, at most one page, or sign if all exist. Return whether more remains."""
        complete, size = await writing.fetchval(SQL.complete), await head(writing)
        durable = await self._follower.durability.head(writing)
        if complete * TILE_WIDTH > size:
            raise NotProven(f"the log has {size} events, and tiles of {complete * TILE_WIDTH}")
        if durable < size:
            return False  # events that a failover may remove are never signed
        page = min(complete + TILES_PER_TRANSACTION, size // TILE_WIDTH)
        if page == complete:
            await self._sign(writing, reading, size, work)
            return False
        await add_tiles(writing, reading, new_tiles(complete * TILE_WIDTH, page * TILE_WIDTH))
        work.record((page - complete) * TILE_WIDTH, page * TILE_WIDTH)
        return True

    async def _sign(
        self, writing: Connection, reading: Connection, size: int, work: BackgroundWork
    ) -> None:
        """Sign the head of the log and insert it, unless that has been done.

        The keystore stores it even if another process has signed it.
        """
        keys = await self.signing_keys()
        heads = await self._heads(writing, keys)
        new = await check_continues(reading, keys.origin, size, heads)
        done = await writing.fetchrow(
            SQL.checkpoint, size
        )  # fails if the transaction was lost meanwhile
        await asyncio.to_thread(self._keystore.save_head, new)
        if done:
            return
        note = keys.sign(new)
        signed: dict[Verifier, Signature] = {}
        if self._witnesses.policy.required:
            await writing.fetchval(
                SQL.take_turn, SILENCE_TIMEOUT_SETTING
            )  # a process without the transaction sends no requests to witnesses
            signed = await self._collect_cosignatures(reading, note, size)
            if not self._witnesses.policy.satisfied(signed):
                raise NotProven(
                    f"{len(signed)} of the {len(self._witnesses.policy.witnesses)}"
                    f" witnesses signed the checkpoint of {size}: they are not enough"
                    f" for the quorum {self._witnesses.policy.quorum}"
                )
        await writing.execute(SQL.add_checkpoint, size, new.root, str(note))
        await add_cosignatures(writing, size, signed)
        work.record(size - max((old.size for old in heads), default=0), size)

    async def _heads(self, connection: Connection, keys: LogKeys) -> list[Checkpoint]:
        """Yield the last heads, of the keystore and of the database, which must belong to our log."""
        heads = []
        if saved := await asyncio.to_thread(self._keystore.head):
            heads.append(saved)
        row = await connection.fetchrow(SQL.last_checkpoint)
        if row:
            note = Note.parse(row["note"].encode())
            published = Checkpoint.parse(note.text)
            try:
                note.check(keys.all)
            except NotProven as error:
                raise NotProven(
                    f"{error.message}: the last checkpoint, of {published.size} events of"
                    f" {published.origin!r}, was signed by keys that are not in"
                    f" {self._keystore.directory}. Copy the files keys and head there from the"
                    " directory that signed it (docs/audit.md#keys)"
                ) from None
            if (published.size, published.root) != (row["size"], row["root"]):
                raise NotProven(f"the row of the checkpoint of {row['size']} is not as its note")
            if published not in heads:
                heads.append(published)
        for published in heads:
            if published.origin != keys.origin:
                raise NotProven(
                    f"the last head is of the log {published.origin!r}, and the keys are of"
                    f" {keys.origin!r}"
                )
        return heads

    async def _collect_cosignatures(
        self, connection: Connection, note: Note, size: int, done: Collection[Verifier] = ()
    ) -> dict[Verifier, Signature]:
        """Request signatures from the remaining witnesses; repeat for those that need another proof."""
        signed: dict[Verifier, Signature] = {}
        requested: dict[Verifier, int] = {}
        for _ in range(2):
            requested = {
                key: old
                for key, old in self._witnesses.old_sizes(size).items()
                if key not in done and key not in signed and requested.get(key) != old
            }
            proofs = {
                key: ConsistencyProof(old, await consistency(connection, old, size), str(note))
                for key, old in requested.items()
            }
            signed |= await self._witnesses.request_cosignatures(note, size, proofs)
        return signed

    async def _run_cosigning(self) -> None:
        """Collect signatures of witnesses for published checkpoints, until cancelled."""
        while True:
            published = self._published
            try:
                await self.cosign_newest()
            except TrackerError as error:  # a single witness must not be able to stop the log
                logger.error("the checkpoint is not cosigned: %s", error.message)
            except CONNECTION_ERRORS as error:
                logger.warning("cosignatures could not be stored: %s", error)
            await wait_for_event(published, RETRY_SECONDS)

    async def cosign_newest(self) -> None:
        """Request signatures of the newest checkpoint from witnesses that have not signed it yet."""
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(SQL.last_checkpoint)
            if row is None:
                return
            rows = await connection.fetch(SQL.cosigned, row["size"])
            done = [Verifier.parse(cosigned["witness"]) for cosigned in rows]
            note = Note.parse(row["note"].encode())
            signed = await self._collect_cosignatures(connection, note, row["size"], done)
            await add_cosignatures(connection, row["size"], signed)


async def check_continues(
    connection: Connection, origin: str, size: int, heads: list[Checkpoint]
) -> Checkpoint:
    """Check that the log at a size continues all signed heads, and return its head. Raises NotProven."""
    for old in heads:
        if old.size > size:
            raise NotProven(
                f"the log has {size} events, and a head of {old.size} was signed: this"
                " is an older log, such as a restored backup"
            )
    proofs = {old.size: consistency_parts(old.size, size) for old in heads}
    nodes = [node for parts in proofs.values() for part in parts for node in part]
    hashes = await read_hashes(connection, [*covering_subtrees(0, size), *nodes], size)
    new = Checkpoint(origin, size, hashes.root())
    for old in heads:
        try:
            check_consistency(old.size, size, hashes.proof(proofs[old.size]), old.root, new.root)
        except NotProven as error:
            raise NotProven(
                f"the log of {size} events does not continue the head of {old.size}"
                f" that was signed: {error.message}"
            ) from None
    return new


async def add_tiles(writing: Connection, reading: Connection, tiles: list[Tile]) -> None:
    """Store newly complete tiles, level by level: each is computed from the one below.

    The lowest level is computed from the entries, the others from tiles added in this transaction.
    """
    for level in sorted({tile.level for tile in tiles}):
        stored = await read_tiles(
            writing if level else reading, [tile for tile in tiles if tile.level == level]
        )
        await writing.execute(
            SQL.add_tiles,
            [level] * len(stored),
            [tile.number for tile in stored],
            list(stored.values()),
            [tile_root(hashes) for hashes in stored.values()],
        )


async def add_cosignatures(
    connection: Connection, size: int, signed: dict[Verifier, Signature]
) -> None:
    """Store the cosignatures of a checkpoint."""
    if signed:
        await connection.execute(
            SQL.add_cosignatures, size, list(map(str, signed)), list(map(str, signed.values()))
        )
