"""The publisher: follows the log, keeps its tiles, and signs its heads.

An append never waits for it. One process at a time publishes, by an advisory lock that lasts for
its transaction. What a crash leaves behind, step by step:

    tiles are inserted      and committed before the checkpoint; they follow from the log
    the head is kept        in the keystore, on the disk: the next one must continue it, and one of the
                            same size has the same root. Only now may a signature leave us
    witnesses sign          where the policy needs them
    the note is inserted    and committed: now it is published. A size has one checkpoint

Ed25519 signs the same text with the same bytes, so a head that was signed but not published is
signed again, or never.

Several publishers on one log keep a head each. No two histories are signed, as long as what is signed
stays in the log; the cases where it does not:

    a failover to a standby     what is signed was confirmed by the synchronous quorum before (`_step`):
    of the quorum               the successor has it, and whoever is first there signs on
    a forced failover that      who signed more than is left refuses by its own head, for ever. Another,
    lost commits                whose head is older, has shown what is lost: it notes that beside its key
                                when it notices, before it ends, and signs nothing more until a person
                                has compared the heads
    an older backup restored    the same for those that run then; one that is started later refuses where
                                its head is not in the log
    a publisher that did not    has an old head, no note, and nothing to tell it: only witnesses, or one
    run at that time            directory for all publishers, keep it from signing another history
    a key store restored from   the same: never do that
    an old copy
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

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
from tracker.postgres.batching import commits_confirmed
from tracker.postgres.database import CONNECTION_ERRORS, SILENCE_TIMEOUT_SETTING, Connection, Pool

CHECKPOINT_INTERVAL_SECONDS = 0.4
"""Seconds from one checkpoint to the next, at least: under load many events share one."""
TILES_PER_TURN = 32
"""Tiles of entries that one transaction adds at most."""
RETRY_SECONDS = 5.0
"""Seconds after which a refusal, or a witness that did not answer, is tried again."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SigningOptions:
    """Options of signing: the key store, the name of a log that has no keys yet, witnesses."""

    keystore: KeyStore
    origin: str | None = None
    policy: Policy = Policy()  # noqa: RUF009 - it never changes


class Publisher(BackgroundTask):
    """Publishes the log, in this process or in whichever gets its turn first."""

    def __init__(self, pool: Pool, follower: Follower, signing: SigningOptions):
        self._pool = pool
        self._follower = follower
        self._keystore = signing.keystore
        self._witnesses = Witnesses(signing.policy)
        self._published = asyncio.Event()
        self.trouble: str | None = None
        """Why nothing is published, where that is so."""

    async def run(self) -> None:
        """Publish what comes, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish())
            tasks.create_task(self._note_set_back())
            if self._witnesses.policy.witnesses and not self._witnesses.policy.required:
                tasks.create_task(self._run_cosigning())

    async def public_keys(self) -> tuple[PublicKey, ...]:
        """The public keys of the log, the oldest first. Raises NotFound and InvalidInput."""
        keys = await asyncio.to_thread(self._keystore.keys)
        return keys.public

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
                logger.warning("the publisher lost its database and will try again: %s", error)
                await asyncio.sleep(0.5)
            except Exception as error:
                logger.exception("the publisher can't go on and will try again")
                self.trouble = f"{type(error).__name__}: the log has the details"
                await asyncio.sleep(RETRY_SECONDS)

    async def _note_set_back(self) -> None:
        """Keep beside the key that the log was set back, at once: this process is about to end."""
        durability = self._follower.durability
        await durability.noticed.wait()
        self._keystore.note_set_back(durability.set_back or "")

    def _log_refusal(self, reason: str) -> None:
        if reason != self.trouble:
            logger.error("the log is not signed any more: %s", reason)
        self.trouble = reason

    async def catch_up(self) -> None:
        """Publish the log up to its present end; do nothing if another process is publishing.

        Raises NotProven for a log that does not continue what was signed or that witnesses do not
        sign, InvalidInput and NotFound for keys that can't be read.
        """
        more = True
        while more:
            with self.observe_work("publish") as work:
                async with self._turn() as turn:
                    if turn is None:
                        return
                    async with self._pool.acquire() as reading:
                        more = await self._step(turn, reading, work)
        self._published.set()
        self._published = asyncio.Event()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Connection | None]:
        """A transaction in which only we publish; None while another process does.

        Whoever is stopped or cut off loses it, in `SILENCE_TIMEOUT_SECONDS`. So that PostgreSQL can see to
        that, entries are read over another connection: of one that waits to be rid of a long answer
        it would wait for the end.
        """
        async with self._pool.acquire() as turn, commits_confirmed(turn), turn.transaction():
            yield turn if await turn.fetchval(SQL.take_turn, SILENCE_TIMEOUT_SETTING) else None

    async def _step(self, turn: Connection, reading: Connection, work: BackgroundWork) -> bool:
        """Add tiles, a page at most, or sign where all are there. Returns whether more remains."""
        complete, size = await turn.fetchval(SQL.complete), await head(turn)
        durable = await self._follower.durability.head(turn)
        if complete * TILE_WIDTH > size:
            raise NotProven(f"the log has {size} events, and tiles of {complete * TILE_WIDTH}")
        if durable < size:
            return False  # what a failover may take back is never signed
        page = min(complete + TILES_PER_TURN, size // TILE_WIDTH)
        if page == complete:
            await self._sign(turn, reading, size, work)
            return False
        await add_tiles(turn, reading, new_tiles(complete * TILE_WIDTH, page * TILE_WIDTH))
        work.record((page - complete) * TILE_WIDTH, page * TILE_WIDTH)
        return True

    async def _sign(
        self, turn: Connection, reading: Connection, size: int, work: BackgroundWork
    ) -> None:
        """Sign the head of the log and insert it, unless that has been done.

        The keystore gets it also where another process has signed it.
        """
        keys = await asyncio.to_thread(self._keystore.keys)
        if lost := await asyncio.to_thread(self._keystore.set_back):
            raise NotProven(
                f"the log was set back ({lost}), and another publisher may have signed what it lost:"
                f" docs/audit.md#keys says how to go on, with the file set-back in {self._keystore.directory}"
            )
        heads = await self._heads(turn, keys)
        new = await check_continues(reading, keys.origin, size, heads)
        done = await turn.fetchrow(SQL.checkpoint, size)  # fails where our turn was lost meanwhile
        await asyncio.to_thread(self._keystore.save_head, new)
        if done:
            return
        note = keys.sign(new)
        signed: dict[Verifier, Signature] = {}
        if self._witnesses.policy.required:
            await turn.fetchval(
                SQL.take_turn, SILENCE_TIMEOUT_SETTING
            )  # no witness is asked by who has lost its turn
            signed = await self._collect_cosignatures(reading, note, size)
            if not self._witnesses.policy.satisfied(signed):
                raise NotProven(
                    f"{len(signed)} of the {len(self._witnesses.policy.witnesses)}"
                    f" witnesses signed the checkpoint of {size}: they are not enough"
                    f" for the quorum {self._witnesses.policy.quorum}"
                )
        await turn.execute(SQL.add_checkpoint, size, new.root, str(note))
        await add_cosignatures(turn, size, signed)
        work.record(size - max((old.size for old in heads), default=0), size)

    async def _heads(self, connection: Connection, keys: LogKeys) -> list[Checkpoint]:
        """The last heads, by the keystore and by the database, which must be one of our log's."""
        heads = []
        if kept := await asyncio.to_thread(self._keystore.head):
            heads.append(kept)
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
        for found in heads:
            if found.origin != keys.origin:
                raise NotProven(
                    f"the last head is of the log {found.origin!r}, and the keys are of"
                    f" {keys.origin!r}"
                )
        return heads

    async def _collect_cosignatures(
        self, connection: Connection, note: Note, size: int, done: Collection[Verifier] = ()
    ) -> dict[Verifier, Signature]:
        """Ask the witnesses, but for those that are done; again who wanted another proof."""
        signed: dict[Verifier, Signature] = {}
        asked: dict[Verifier, int] = {}
        for _ in range(2):
            asked = {
                key: old
                for key, old in self._witnesses.old_sizes(size).items()
                if key not in done and key not in signed and asked.get(key) != old
            }
            proofs = {
                key: ConsistencyProof(old, await consistency(connection, old, size), str(note))
                for key, old in asked.items()
            }
            signed |= await self._witnesses.ask(note, size, proofs)
        return signed

    async def _run_cosigning(self) -> None:
        """Collect signatures of witnesses for what is published already, for ever."""
        while True:
            published = self._published
            try:
                await self.cosign_newest()
            except TrackerError as error:  # one witness must not be able to stop the log
                logger.error("the checkpoint is not cosigned: %s", error.message)
            except CONNECTION_ERRORS as error:
                logger.warning("cosignatures could not be kept: %s", error)
            await wait_for_event(published, RETRY_SECONDS)

    async def cosign_newest(self) -> None:
        """Have the newest checkpoint signed by the witnesses that have not signed it yet."""
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
    """Check that the log at a size continues everything signed so far, and return its head. Raises
    NotProven.
    """
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


async def add_tiles(turn: Connection, reading: Connection, tiles: list[Tile]) -> None:
    """Keep tiles that have become complete, level by level: each follows from the one below.

    The lowest follows from the entries, the others from what this very transaction adds.
    """
    for level in sorted({tile.level for tile in tiles}):
        found = await read_tiles(
            turn if level else reading, [tile for tile in tiles if tile.level == level]
        )
        await turn.execute(
            SQL.add_tiles,
            [level] * len(found),
            [tile.number for tile in found],
            list(found.values()),
            [tile_root(hashes) for hashes in found.values()],
        )


async def add_cosignatures(
    connection: Connection, size: int, signed: dict[Verifier, Signature]
) -> None:
    """Keep what witnesses signed of a checkpoint."""
    if signed:
        await connection.execute(
            SQL.add_cosignatures, size, list(map(str, signed)), list(map(str, signed.values()))
        )
