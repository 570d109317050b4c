"""Does a head continue a mirror? Where it does not, the proof of that is kept.

Two heads of one log that contradict each other, both signed, are proof that nobody can deny. Where they
are of different sizes it takes the tiles as well by which the larger tree leads to another root at the
smaller size. All of it goes into a directory of its own below the mirror, `forks/<size>-<root>`:

    checkpoint   the head that the log showed
    mirrored     the head that the mirror had
    tile/…       the tiles of the larger of the two trees that show it
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tracker.audit.bundle.export import BundleWriter
from tracker.audit.format.layout import CHECKPOINT, BundleFiles
from tracker.audit.format.merkle import Tile
from tracker.audit.mirror.proven_tiles import ProvenTiles
from tracker.audit.verify.log_source import LogSource
from tracker.audit.verify.trust import TrustedCheckpoint
from tracker.errors import Rejected

FORKS = "forks"
MIRRORED = "mirrored"
ROOT_DIGITS = 16
"""Hexadecimal digits of a root that name the directory of a fork."""


class Fork(Rejected):
    """A log and its mirror had the same name and key, and have different histories."""

    def __init__(
        self,
        directory: Path,
        old: TrustedCheckpoint,
        head: TrustedCheckpoint,
        tiles: Mapping[Tile, list[bytes]],
    ):
        path = f"{FORKS}/{head.size}-{head.checkpoint.root.hex()[:ROOT_DIGITS]}"
        super().__init__(
            "FORKED",
            f"the checkpoint of size {head.size} does not continue the mirror, whose checkpoint is of size"
            f" {old.size}, and both were signed: the proof is in {directory / path}",
        )
        self.old, self.head, self.tiles = old, head, tiles
        self.directory, self.proof_path = directory, path


async def prove_continuation(
    log: LogSource, directory: Path, old: TrustedCheckpoint | None, head: TrustedCheckpoint
) -> ProvenTiles:
    """The tiles of a head that continues a mirror, whose head is `old`; proven by either.

    Raises Rejected: WRONG_ORIGIN; SHRUNK where it is the head of an earlier size, Fork where it is none;
    WRONG_ROOT, ALTERED_TILE where the log's tiles are not as they were signed; and what the log raises.
    """
    mirror = BundleFiles(directory)
    if old and head.checkpoint.origin != old.checkpoint.origin:
        raise Rejected(
            "WRONG_ORIGIN",
            f"the checkpoint is of {head.checkpoint.origin!r}, the mirror of {old.checkpoint.origin!r}",
        )
    if old is None or head.size > old.size or head.checkpoint == old.checkpoint:
        tiles = await ProvenTiles.begin((mirror, log), head.checkpoint)
        if old and not await _had(tiles, old):
            raise Fork(directory, old, head, tiles.proven)
        return tiles
    tiles = await ProvenTiles.begin((mirror,), old.checkpoint)
    if not await _had(tiles, head):
        raise Fork(directory, old, head, tiles.proven)
    raise Rejected(
        "SHRUNK",
        f"the checkpoint is of size {head.size}, the mirror has {old.size}: it is stale, or the log was set"
        " back (`tracker restore --onto` gives it what it lacks)",
        range(head.size + 1, old.size + 1),
    )


async def _had(tiles: ProvenTiles, earlier: TrustedCheckpoint) -> bool:
    """Whether a tree was that of an earlier head when it was of its size."""
    return (await tiles.frontier(earlier.size)).root() == earlier.checkpoint.root


def keep_evidence(fork: Fork) -> None:
    """Keep the proof of a fork below the mirror, at the same place for the same fork. Raises InvalidInput
    where it can't be written."""
    writer, name = BundleWriter(fork.directory), fork.proof_path
    for tile, hashes in fork.tiles.items():
        writer.write_file(f"{name}/tile/{tile.path}", b"".join(hashes))
    writer.write_file(f"{name}/{MIRRORED}", fork.old.note)
    writer.write_file(f"{name}/{CHECKPOINT}", fork.head.note)
