"""A published log of generated entries, for tests and benchmarks of the audit."""

from collections.abc import Iterable
from pathlib import Path

import asyncpg

from deploy.bootstrap import open_connection
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.frontier import TileFrontier
from tracker.audit.format.merkle import TILE_WIDTH
from tracker.audit.format.signed_note import Note
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import Publisher, SigningOptions
from tracker.audit.sign.witness import Policy
from tracker.log.entry_hash import leaf_hash
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import Pool, Target

FILL = """
INSERT INTO log.events (position, event_id, stream, version, type, recorded_at, entry)
SELECT at, id, 'alliance/' || id, 1, 'Alliance.Founded', now(), convert_to(
    '{"specversion":"1.0","position":"' || at || '","time":"2026-01-01T00:00:00.000000Z","id":"'
    || id || '","source":"urn:critical-minerals-policy-tracker","type":"Alliance.Founded",'
    || '"subject":"alliance/' || id || '","version":1,"data":{"source":{"publisher":"us-state",'
    || '"name":"State","publishedOn":"2025-07-01","checked":"page"},"on":"2025-07-01","name":"'
    || id || repeat('.', $3) || '","members":["US"]}}', 'UTF8')
FROM (SELECT head + n AS at, $2 || '-' || (head + n) AS id
      FROM (SELECT coalesce(max(position), 0) AS head FROM log.events) h,
           generate_series(1, $1) AS n) e
"""


async def fill(target: Target, events: int, word: str = "a", bytes: int = 0) -> None:
    """Add events, all with a given word."""
    async with open_connection(target) as connection:
        await connection.execute(FILL, events, word, bytes)


async def superuser(target: Target, *statements: str) -> None:
    """Run statements as a superuser without triggers."""
    async with open_connection(target) as connection, connection.transaction():
        for table in ("events", "tiles", "checkpoints", "cosignatures"):
            await connection.execute(f"ALTER TABLE log.{table} DISABLE TRIGGER ALL")
        for statement in statements:
            await connection.execute(statement)
        for table in ("events", "tiles", "checkpoints", "cosignatures"):
            await connection.execute(f"ALTER TABLE log.{table} ENABLE TRIGGER ALL")
            await connection.execute(
                f"ALTER TABLE log.{table} ENABLE ALWAYS TRIGGER {table}_never_change"
            )


def restored(size: int) -> tuple[str, ...]:
    """Return the statements that reset a log to a backup of a size."""
    return (
        f"DELETE FROM log.cosignatures WHERE size > {size}",
        f"DELETE FROM log.checkpoints WHERE size > {size}",
        f"DELETE FROM log.tiles WHERE (number + 1) * 256 ^ (level + 1) > {size}",
        f"DELETE FROM log.events WHERE position > {size}",
    )


def publisher(
    pool: Pool,
    target: Target,
    keystore: KeyStore,
    policy: Policy | None = None,
    recorder: Recorder | None = None,
) -> Publisher:
    """Return a publisher that publishes on request."""
    signing = SigningOptions(keystore, policy=policy or Policy())
    return Publisher(pool, Follower(recorder or Recorder(pool), target), signing)


async def check(target: Target, keystore: KeyStore) -> list[int]:
    """Check every checkpoint and the keystore's head against the entries, and return their sizes."""
    async with open_connection(target) as connection:
        entries = [
            row["entry"]
            for row in await connection.fetch("SELECT entry FROM log.events ORDER BY position")
        ]
        rows = await connection.fetch("SELECT * FROM log.checkpoints ORDER BY size")
    kept = keystore.head()
    sizes = [row["size"] for row in rows]
    roots = roots_of(entries, [*sizes, *([kept.size] if kept else ())])
    for row in rows:
        note = Note.parse(row["note"].encode())
        note.check(keystore.keys().all)
        assert Checkpoint.parse(note.text) == Checkpoint(
            keystore.keys().origin, row["size"], roots[row["size"]]
        )
        assert row["root"] == roots[row["size"]]
    assert not kept or kept.root == roots[kept.size]
    assert not sizes or (kept and kept.size >= sizes[-1])
    return sizes


def roots_of(entries: list[bytes], sizes: Iterable[int]) -> dict[int, bytes]:
    """Return the roots at some sizes, from the entries alone."""
    frontier, roots = TileFrontier(), dict[int, bytes]()
    for size in sorted(set(sizes)):
        while frontier.size < size:
            end = min(size, (frontier.size // TILE_WIDTH + 1) * TILE_WIDTH)
            frontier.add([leaf_hash(entry) for entry in entries[frontier.size : end]])
        roots[size] = frontier.root()
    return roots


async def publish(target: Target, directory: Path) -> None:
    """Publish the contents of a log, with keys in a directory."""
    pool = await asyncpg.create_pool(
        **target, min_size=1, max_size=2, server_settings={"role": "tracker_publisher"}
    )
    try:
        await publisher(pool, target, KeyStore(directory)).catch_up()
    finally:
        await pool.close()
