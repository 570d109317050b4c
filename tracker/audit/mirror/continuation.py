"""Continuation of a mirror by a head, with evidence if the head contradicts the mirror.

Two signed heads of one log that contradict each other are proof of a fork. If they have different sizes, the
proof needs the tiles that give the larger tree another root at the smaller size. The evidence is in a
separate directory of the mirror, `forks/<size>-<root>`:

    checkpoint   the head of the log
    mirrored     the head of the mirror
    tile/…       the tiles of the larger tree that prove the difference
"""

from pathlib import Path

from tracker.audit.bundle.export import BundleWriter
from tracker.audit.format.layout import CHECKPOINT
from tracker.audit.mirror.proven_tiles import ProvenTiles
from tracker.audit.verify.log_source import LogSource
from tracker.audit.verify.trust import TrustedCheckpoint
from tracker.errors import Rejected

FORKS = "forks"
MIRRORED = "mirrored"
ROOT_DIGITS = 16
"""Number of hexadecimal digits of a root in the name of a fork's directory."""


class Fork(Rejected):
    """A log and its mirror have the same name and key, but different histories."""

    def __init__(self, directory: Path, old: TrustedCheckpoint, head: TrustedCheckpoint):
        path = f"{FORKS}/{head.size}-{head.checkpoint.root.hex()[:ROOT_DIGITS]}"
        super().__init__(
            "FORKED",
            f"the checkpoint of size {head.size} does not continue the mirror, whose checkpoint is of size"
            f" {old.size}, and both were signed: the proof is in {directory / path}",
        )
        self.proof_path = path


async def prove_continuation(
    log: LogSource,
    mirror: LogSource,
    directory: Path,
    old: TrustedCheckpoint | None,
    head: TrustedCheckpoint,
) -> ProvenTiles:
    """Return the proven tiles of a head that continues a mirror, whose head is `old`.

    A fork leaves its proof in the directory.

    Raises Rejected: WRONG_ORIGIN, SHRUNK for the head of an earlier size, and Fork for a contradiction.
    WRONG_ROOT and ALTERED_TILE mean that the log's tiles differ from the signed ones. Also raises errors of
    the log.
    """
    if old and head.checkpoint.origin != old.checkpoint.origin:
        raise Rejected(
            "WRONG_ORIGIN",
            f"the checkpoint is of {head.checkpoint.origin!r}, the mirror of {old.checkpoint.origin!r}",
        )
    if old is None or head.size > old.size or head.checkpoint == old.checkpoint:
        tiles = await ProvenTiles.begin((mirror, log), head.checkpoint)
        if old and not await _had(tiles, old):
            raise _forked(directory, old, head, tiles)
        return tiles
    tiles = await ProvenTiles.begin((mirror,), old.checkpoint)
    if not await _had(tiles, head):
        raise _forked(directory, old, head, tiles)
    raise Rejected(
        "SHRUNK",
        f"the checkpoint is of size {head.size}, the mirror has {old.size}: it is stale, or the log was set"
        " back (`tracker restore --onto` gives it what it lacks)",
        range(head.size + 1, old.size + 1),
    )


async def _had(tiles: ProvenTiles, earlier: TrustedCheckpoint) -> bool:
    """Return whether a tree had the root of an earlier head at its size."""
    return (await tiles.frontier(earlier.size)).root() == earlier.checkpoint.root


def _forked(
    directory: Path, old: TrustedCheckpoint, head: TrustedCheckpoint, tiles: ProvenTiles
) -> Fork:
    """Return the error of a fork, with its proof written below the directory, at a fixed path per fork.

    Raises InvalidInput if it cannot be written.
    """
    fork = Fork(directory, old, head)
    writer, name = BundleWriter(directory), fork.proof_path
    for tile, hashes in tiles.proven.items():
        writer.write_file(f"{name}/tile/{tile.path}", b"".join(hashes))
    writer.write_file(f"{name}/{MIRRORED}", old.note)
    writer.write_file(f"{name}/{CHECKPOINT}", head.note)
    return fork
