"""Comparison of the rows of a database with checkpoints signed elsewhere.

A restored database ends where its backup or archive ended. That may be before the checkpoint that an auditor
saved, or in the middle of its own newest one. So every hash is computed from the existing rows, even without
a checkpoint that covers them. The missing positions are then known exactly. The tiles of a bundle or of
another tracker prove that the rows are the beginning of the signed log.
"""

import asyncio

from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.frontier import FullTile, TileFrontier
from tracker.audit.format.merkle import TILE_WIDTH, tile_at
from tracker.audit.verify.annex_file import AnnexChecker
from tracker.audit.verify.database_source import DatabaseSource
from tracker.audit.verify.log_source import LogSource
from tracker.audit.verify.snapshot_check import SnapshotChecker
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.audit.verify.verifier import Verification
from tracker.errors import Rejected
from tracker.log.entry_hash import leaf_hash


class DerivedRows:
    """The tree over the rows of a database.

    It grows by `extend`, from the part that its own newest checkpoint covers. `full_tiles` are those that
    become full meanwhile, which may not be stored yet.
    """

    def __init__(self, source: DatabaseSource, frontier: TileFrontier):
        self.source = source
        self.full_tiles = list[FullTile]()
        self._frontier = frontier

    @property
    def size(self) -> int:
        """Number of rows in the tree."""
        return self._frontier.size

    def head(self, origin: str) -> TrustedCheckpoint:
        """The unsigned head of the tree."""
        return TrustedCheckpoint(b"", Checkpoint(origin, self.size, self._frontier.root()), ())

    async def extend(self, size: int) -> None:
        """Extend the tree over the rows up to a position.

        Raises Rejected: MISSING_ROW, WRONG_COLUMN, and ALTERED_TILE for a stored tile with other hashes.
        """
        while self.size < size:
            number, begun = divmod(self.size, TILE_WIDTH)
            tile = tile_at(0, number, size)
            leaves = [leaf_hash(entry) for entry in await self.source.entries(tile)]
            filled = self._frontier.add(leaves[begun:])
            for full in filled:
                await self.source.compare_tile(full)
            self.full_tiles += filled

    async def check_against(self, saved: TrustedCheckpoint) -> None:
        """Check that the rows up to the size of a checkpoint are the signed ones.

        The tree must not be larger. Raises Rejected (FORKED), and as `extend`.
        """
        before = self.size
        await self.extend(saved.size)
        if self.head(saved.checkpoint.origin).checkpoint != saved.checkpoint:
            raise Rejected(
                "FORKED",
                f"these are not the events that the checkpoint of size {saved.size} was signed for",
                range(before + 1, saved.size + 1) or range(1, saved.size + 1),
            )


async def covered(
    source: DatabaseSource, trust: TrustPolicy, saved: TrustedCheckpoint
) -> TrustedCheckpoint | None:
    """Return a checkpoint from elsewhere if the newest of a database has at least its size.

    A verification of the rows then compares it. Raises as `TrustPolicy.verify_head` does, and NotFound
    (NOT_SIGNED).
    """
    own = trust.verify_head(await source.head(), "the newest checkpoint of the database")
    return saved if saved.size <= own.size else None


async def check_complete(
    rows: DerivedRows,
    size: int,
    saved: TrustedCheckpoint,
    elsewhere: LogSource | None,
    trust: TrustPolicy,
) -> None:
    """Check that a database of `size` rows has all events of a checkpoint from elsewhere.

    It is the head of another log, or was only saved. The rows were verified, and with them a checkpoint that
    is `covered`. Raises Rejected: FORKED for other events, SHRUNK with the missing positions.
    """
    if saved.size > size:
        await rows.extend(size)
        raise await _missing_error(rows, saved, elsewhere, trust)
    if saved.size > rows.size:
        await rows.check_against(saved)


async def _missing_error(
    rows: DerivedRows, saved: TrustedCheckpoint, elsewhere: LogSource | None, trust: TrustPolicy
) -> Rejected:
    """Return the error that names the missing events. Raises Rejected if even the rows are wrong."""
    known = (
        "whether these are the first of them shows a bundle or an address, not a checkpoint alone"
    )
    if elsewhere:
        tail = await begin_tail(
            rows, elsewhere, trust, allow_missing_texts=True, allow_missing_snapshots=True
        )
        try:
            await tail.run()
        except Rejected as error:
            raise await explain_fork(error, rows, elsewhere, tail.head.size) from None
        known = "these are the first of them, and `tracker restore --onto` appends the others"
    return Rejected(
        "SHRUNK",
        f"these events are missing: the log has {rows.size} of {saved.size} that were signed; {known}",
        range(rows.size + 1, saved.size + 1),
    )


async def begin_tail(
    rows: DerivedRows,
    elsewhere: LogSource,
    trust: TrustPolicy,
    *,
    allow_missing_texts: bool,
    allow_missing_snapshots: bool,
) -> Verification:
    """Begin the verification of another log beyond the rows, which must be its beginning.

    Texts and snapshots are checked for the events beyond; if the other log has none, all of these are
    missing. The result is proven only after a complete pass. Raises Rejected (FORKED if both have one size
    and differ), and Unavailable.
    """
    head = trust.verify_head(await elsewhere.head(), "the checkpoint")
    own_head = rows.head(head.checkpoint.origin)
    try:
        tail = await Verification.begin(elsewhere, trust, own_head, only_new=True)
    except Rejected as error:
        raise await explain_fork(error, rows, elsewhere, head.size) from None
    tail.texts = await asyncio.to_thread(
        lambda: AnnexChecker(
            elsewhere.texts(rows.size, tail.head.size) or (),
            rows.size + 1,
            tail.head.size,
            allow_missing=allow_missing_texts,
        )
    )
    tail.snapshots = SnapshotChecker(
        elsewhere.snapshot, rows.size + 1, allow_missing=allow_missing_snapshots
    )
    return tail


async def explain_fork(
    error: Rejected, rows: DerivedRows, elsewhere: LogSource, size: int
) -> Rejected:
    """Return the error of a tail: the rows before it differ from another log of `size` events, or the
    error itself."""
    if error.code not in ("FORKED", "WRONG_ROOT"):
        return error
    for number in range(-(-rows.size // TILE_WIDTH)):
        start = number * TILE_WIDTH
        own = tile_at(0, number, rows.size)
        other = await elsewhere.tile(tile_at(0, number, size)) or []
        entries = await rows.source.entries(own)
        for position, (entry, hash) in enumerate(zip(entries, other, strict=False), start + 1):
            if leaf_hash(entry) != hash:
                return Rejected(
                    "FORKED",
                    "the log has other events than were signed elsewhere, from here on",
                    range(position, rows.size + 1),
                )
    return error
