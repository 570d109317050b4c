"""Snapshots to test with: kept by who watches sources, and redacted."""

from __future__ import annotations

import json

from deploy.bootstrap import open_connection, open_pool
from tracker.postgres.database import API, WATCHER, Target
from tracker.snapshots.store import SnapshotStore


async def keep(target: Target, content: bytes, media_type: str | None = None) -> str:
    """Keep bytes in the database; their SHA-256."""
    async with open_pool(target, role=WATCHER, size=1) as pool:
        return await SnapshotStore(pool).put(content, media_type)


async def redact(target: Target, sha256: str, event_id: str = "gone") -> int:
    """Record that a snapshot is redacted; the position of the event."""
    said = {"sha256": sha256, "on": "2026-03-01", "reason": "a court said so", "by": "dpo"}
    async with open_connection(target, role=API) as connection:
        row = await connection.fetchrow(
            "SELECT outcome, first_position FROM log.append(ARRAY[1], ARRAY[$1], ARRAY['source/a'],"
            " ARRAY[(SELECT count(*) + 1 FROM log.events WHERE stream = 'source/a')::integer],"
            " ARRAY['Source.SnapshotRedacted'], ARRAY[$2], ARRAY[$3::bytea])",
            event_id,
            f'"id":"{event_id}"',
            json.dumps(said).encode(),
        )
    assert row is not None
    assert row["outcome"] == "appended"
    return int(row["first_position"])
