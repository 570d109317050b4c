"""Logs for tampering: entries, their heads, and a source for exports."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tools.benchmarks.load import corpus
from tracker.audit.bundle.annexes import export_annexes
from tracker.audit.bundle.export import export
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.frontier import TileFrontier
from tracker.audit.format.merkle import TILE_WIDTH, Tile
from tracker.audit.format.signed_note import Note, Signer
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.domain.basics.codec import encode
from tracker.log.annexes import AnnexLine
from tracker.log.entries import NewEvent
from tracker.log.entry_hash import leaf_hash

ORIGIN = "example.org/log"
KEY = Signer.new(ORIGIN)
OTHER = Signer.new(ORIGIN)
WITNESS = Signer.new("witness.example", 4)
TRUST = TrustPolicy((KEY.verifier,))
START = datetime(2025, 7, 1, tzinfo=UTC)


def honest(count: int) -> tuple[bytes, ...]:
    """Return the entries of the corpus' first events, recorded a second apart."""
    return _entries(_made(count))[:count]


def texts_of(count: int) -> list[bytes]:
    """Return the lines of the texts of these entries, as in `annexes`."""
    return [
        encode(
            AnnexLine(str(position), annex.field, annex.commitment, annex.salt.hex(), annex.text)
        )
        + b"\n"
        for position, event in enumerate(_events(_made(count))[:count], 1)
        for annex in sorted(event.annexes, key=lambda annex: annex.field)
    ]


def _made(count: int) -> int | None:
    """Return the number of events to make: a thousand are enough for most tests."""
    return 1000 if count <= 1000 else None


@cache
def _events(made: int | None) -> tuple[NewEvent, ...]:
    """Return events, made once because their salted hashes differ each time."""
    return tuple(corpus(made))


@cache
def _entries(made: int | None) -> tuple[bytes, ...]:
    return tuple(
        b'{"specversion":"1.0","position":"%d","time":"%b",%b,"data":%b}'
        % (position, stamp(position), event.attributes.encode(), event.data)
        for position, event in enumerate(_events(made), 1)
    )


def stamp(second: int) -> bytes:
    """Return a time as in entries."""
    moment = START + timedelta(seconds=second)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()


def changed(entry: bytes, **attributes: Any) -> bytes:
    """Return a changed entry."""
    return json.dumps(json.loads(entry) | attributes, separators=(",", ":")).encode()


def grown(entries: Sequence[bytes]) -> TileFrontier:
    """Return the tree over entries."""
    edge = TileFrontier()
    for start in range(0, len(entries), TILE_WIDTH):
        edge.add([leaf_hash(entry) for entry in entries[start : start + TILE_WIDTH]])
    return edge


def signed(entries: Sequence[bytes], *signers: Signer, origin: str = ORIGIN) -> bytes:
    """Return the signed head of a log with these entries."""
    text = str(Checkpoint(origin, len(entries), grown(entries).root()))
    return str(Note(text, tuple(key.sign(text, 1) for key in signers or (KEY,)))).encode()


class ForgedLog:
    """A log source with any entries and any heads."""

    name, ahead, has_snapshots = "a forged log", 1, False

    def __init__(
        self, entries: Sequence[bytes], note: bytes | None = None, kept: Sequence[int] = ()
    ):
        self._entries = entries
        self._note = note or signed(entries)
        self._kept = kept
        edge, self._tiles = TileFrontier(), dict[Tile, list[bytes]]()
        for start in range(0, len(entries), TILE_WIDTH):
            page = [leaf_hash(entry) for entry in entries[start : start + TILE_WIDTH]]
            self._tiles.update(edge.add(page))
        self._tiles.update(edge.partial_tiles())

    async def head(self) -> bytes:
        """Return the note of the newest checkpoint."""
        return self._note

    async def entries(self, tile: Tile) -> list[bytes]:
        """Return the entries below a tile of level 0."""
        return list(self._entries[tile.number * TILE_WIDTH :][: tile.width])

    async def tile(self, tile: Tile) -> list[bytes] | None:
        """Return the hashes of a tile."""
        return self._tiles.get(tile)

    async def checkpoints(self, after: int) -> AsyncIterator[tuple[int, bytes]]:
        """Yield heads of smaller sizes."""
        for size in self._kept:
            if size > after:
                yield size, signed(self._entries[:size])

    def annex_lines(self) -> None:
        """Return None: there are no texts."""

    def texts(self, after: int, until: int) -> None:
        """Return None, likewise."""

    def snapshot(self, sha256: str) -> None:
        """Return None, likewise."""

    async def redacts(self, sha256: str) -> bool:
        """Return False."""
        return False


async def bundle(
    directory: Path,
    entries: Sequence[bytes],
    note: bytes | None = None,
    kept: Sequence[int] = (),
    trust: TrustPolicy = TRUST,
) -> Path:
    """Create or update a bundle of these entries."""

    async def texts(head: TrustedCheckpoint) -> None:
        await export_annexes(each(texts_of(head.size)), directory)

    await export(
        ForgedLog(entries, note, kept),
        trust,
        directory,
        {"key": str(KEY.verifier).encode()},
        beside=texts,
    )
    return directory


async def each(lines: Sequence[bytes]) -> AsyncIterator[bytes]:
    """Yield some lines."""
    for line in lines:
        yield line
