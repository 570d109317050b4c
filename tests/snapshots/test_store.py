"""Snapshots are stored once, completely, by hash, and removed only after a redaction in the log."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeAlias

import asyncpg
import pytest

from deploy.bootstrap import open_connection, open_pool
from tests.audit.test_bundle import killed, suicide
from tests.support.log_events import event
from tests.support.snapshots import redact
from tracker.errors import InvalidInput, Rejected, TooLarge, Unavailable
from tracker.log.recorder import Recorder
from tracker.postgres.database import API, OWNER, WATCHER, Pool, Target
from tracker.snapshots.directory import CHUNK_BYTES, PART_SECONDS, SnapshotDirectory
from tracker.snapshots.store import SnapshotStore

PAGE = "<html>五号公告</html>".encode()
SHA256 = hashlib.sha256(PAGE).hexdigest()
LARGE = os.urandom(3 * CHUNK_BYTES + 17)
StoreAt: TypeAlias = "Callable[[Path | None], SnapshotStore]"


@pytest.fixture
async def pool(target: Target) -> AsyncIterator[Pool]:
    """Open a watcher's pool."""
    async with open_pool(target, role=WATCHER, size=3) as pool:
        yield pool


@pytest.fixture(params=["database", "directory"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Return the storage: the database, or a directory."""
    return None if request.param == "database" else tmp_path / "snapshots"


@pytest.fixture
def store(pool: Pool, directory: Path | None) -> SnapshotStore:
    """Create a store of either kind."""
    return SnapshotStore(pool, directory)


def file_of(directory: Path, sha256: str = SHA256) -> Path:
    """Return the file of a snapshot."""
    return directory / sha256[:2] / sha256


async def test_a_stored_snapshot_is_returned(store: SnapshotStore) -> None:
    assert await store.put(PAGE, "text/html") == SHA256
    found = await store.get(SHA256)
    assert found is not None
    assert found.content == PAGE
    info = found.info
    assert (info.sha256, info.size, info.media_type) == (SHA256, len(PAGE), "text/html")
    assert info.redaction is None
    assert await store.describe(SHA256) == info


async def test_bytes_of_any_size_come_back_in_pieces(store: SnapshotStore) -> None:
    for content in (b"", b"x", LARGE[:CHUNK_BYTES], LARGE, bytes(64_000_000)):
        info = await store.describe(await store.put(content))
        assert info is not None
        pieces = [piece async for piece in store.chunks(info)]
        assert b"".join(pieces) == content
        assert all(len(piece) <= CHUNK_BYTES for piece in pieces)


async def test_the_same_bytes_are_kept_once_whoever_puts_them(store: SnapshotStore) -> None:
    await asyncio.gather(*(store.put(LARGE, f"text/{number}") for number in range(4)))
    await store.put(LARGE, "text/other")
    [only] = await store.page()
    assert only.size == len(LARGE)


async def test_a_snapshot_that_was_never_stored_is_missing(store: SnapshotStore) -> None:
    assert await store.get(SHA256) is None
    assert await store.describe(SHA256) is None


async def test_a_value_that_is_not_a_hash_is_refused(store: SnapshotStore) -> None:
    for wrong in ("", "0" * 63, "A" * 64, "../" + "0" * 61, "0" * 64 + "\n"):
        with pytest.raises(InvalidInput) as caught:
            await store.get(wrong)
        assert caught.value.path == ("sha256",)


async def test_more_than_64_million_bytes_are_refused(store: SnapshotStore) -> None:
    with pytest.raises(TooLarge):
        await store.put(bytes(64_000_001))
    assert await store.page() == []


async def test_a_list_has_the_newest_first_and_goes_on_where_a_page_ends(
    store: SnapshotStore,
) -> None:
    put = [await store.put(bytes([number])) for number in range(5)]
    first = await store.page(first=2)
    rest = await store.page((first[-1].stored_at, first[-1].sha256))
    assert [info.sha256 for info in first + rest] == put[::-1]


# --- redaction


async def test_bytes_go_with_the_event_that_says_so(
    store: SnapshotStore, target: Target, directory: Path | None
) -> None:
    await store.put(PAGE, "text/html")
    position = await redact(target, SHA256)
    found = await store.get(SHA256)
    assert found is not None
    assert found.content is None
    assert found.info.redaction is not None
    assert (
        found.info.redaction.position,
        found.info.redaction.reason,
        found.info.redaction.by,
    ) == (position, "a court said so", "dpo")
    assert (found.info.size, found.info.place) == (len(PAGE), None)
    if directory:
        assert not file_of(directory).exists()


async def test_redacted_bytes_do_not_come_back(
    store: SnapshotStore, target: Target, directory: Path | None
) -> None:
    await store.put(PAGE)
    position = await redact(target, SHA256)
    assert await store.put(PAGE) == SHA256
    await redact(target, SHA256, event_id="again")
    found = await store.get(SHA256)
    assert found is not None
    assert found.content is None
    assert found.info.redaction is not None
    assert found.info.redaction.position == position
    assert directory is None or not file_of(directory).exists()


async def test_bytes_that_were_redacted_where_they_never_were_are_not_kept(
    store: SnapshotStore, target: Target
) -> None:
    await redact(target, SHA256)
    await store.put(PAGE)
    found = await store.get(SHA256)
    assert found is not None
    assert (found.content, found.info.size) == (None, None)


async def test_a_file_goes_that_a_crash_left_after_a_redaction(
    pool: Pool, target: Target, tmp_path: Path
) -> None:
    directory = tmp_path / "snapshots"
    store = SnapshotStore(pool, directory)
    await store.put(PAGE)
    await redact(target, SHA256)
    assert file_of(directory).exists()
    await SnapshotStore(pool, directory).remove_redacted_files()
    assert not file_of(directory).exists()
    file_of(directory).write_bytes(PAGE)  # like a crash before the row is written
    await store.describe(SHA256)
    assert not file_of(directory).exists()


async def test_a_redaction_that_comes_while_bytes_are_stored_takes_them_too(
    pool: Pool, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SnapshotStore(pool, tmp_path)
    assert store._directory is not None
    write = store._directory.write

    def write_and_wait(sha256: str, content: bytes) -> None:
        write(sha256, content)
        asyncio.run(redact(target, SHA256))

    monkeypatch.setattr(store._directory, "write", write_and_wait)
    await store.put(PAGE)
    assert not file_of(tmp_path).exists()


CHANGES = (
    "UPDATE watch.snapshots SET content = 'x'",
    "UPDATE watch.snapshots SET content = NULL, redaction = 1",
    "UPDATE watch.snapshots SET content = NULL, in_directory = true",
    "UPDATE watch.snapshots SET media_type = 'text/plain'",
    "DELETE FROM watch.snapshots",
    "TRUNCATE watch.snapshots",
)


@pytest.mark.parametrize("role", [OWNER, API, WATCHER, None])
async def test_no_role_can_change_or_take_out_what_is_kept(
    pool: Pool, target: Target, recorder: Recorder, role: str | None
) -> None:
    await SnapshotStore(pool).put(PAGE)
    await recorder.append([event("source/a", "a")])
    async with open_connection(target, role=role) as connection:
        if role is None:
            await connection.execute("SET session_replication_role = replica")
        for statement in CHANGES:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    found = await SnapshotStore(pool).get(SHA256)
    assert found is not None
    assert found.content == PAGE


async def test_the_api_reads_snapshots_and_adds_none(pool: Pool, target: Target) -> None:
    await SnapshotStore(pool).put(PAGE)
    async with open_pool(target, role=API) as reading:
        found = await SnapshotStore(reading).get(SHA256)
        assert found is not None
        assert found.content == PAGE
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await SnapshotStore(reading).put(b"other")


async def test_a_row_has_no_other_bytes_than_its_hash_and_size_say(target: Target) -> None:
    async with open_connection(target) as connection:
        for size, content in ((4, b"five!"), (5, b"other")):
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(
                    "INSERT INTO watch.snapshots (sha256, size, content) VALUES (sha256('five!'), $1, $2)",
                    size,
                    content,
                )


# --- files


async def test_an_altered_file_is_not_given_out_and_is_mended_by_the_same_bytes(
    pool: Pool, tmp_path: Path
) -> None:
    store = SnapshotStore(pool, tmp_path)
    sha256 = await store.put(LARGE)
    file_of(tmp_path, sha256).write_bytes(LARGE[:-1] + b"!")
    with pytest.raises(Rejected) as caught:
        await store.get(sha256)
    assert caught.value.code == "ALTERED_SNAPSHOT"
    await store.put(LARGE)
    assert file_of(tmp_path, sha256).read_bytes() == LARGE


async def test_a_file_that_is_lost_is_said_to_be_and_comes_back_with_its_bytes(
    pool: Pool, tmp_path: Path
) -> None:
    store = SnapshotStore(pool, tmp_path)
    await store.put(PAGE)
    file_of(tmp_path).unlink()
    with pytest.raises(Unavailable) as caught:
        await store.get(SHA256)
    assert caught.value.code == "SNAPSHOT_FILE"
    await store.put(PAGE)
    assert file_of(tmp_path).read_bytes() == PAGE


async def test_a_store_without_a_directory_reports_the_bytes_and_lets_callers_store_them(
    pool: Pool, tmp_path: Path
) -> None:
    await SnapshotStore(pool, tmp_path).put(PAGE)
    without = SnapshotStore(pool)
    with pytest.raises(Unavailable, match="TRACKER_SNAPSHOTS"):
        await without.get(SHA256)
    await without.put(PAGE)
    found = await without.get(SHA256)
    assert found is not None
    assert (found.content, found.info.place) == (PAGE, "database")


async def test_old_parts_of_crashes_are_removed_and_young_ones_left(
    pool: Pool, tmp_path: Path
) -> None:
    old, young = tmp_path / ".part-old", tmp_path / ".part-young"
    for part, age_seconds in ((old, PART_SECONDS + 60), (young, 0)):
        part.write_bytes(b"half")
        written_at = time.time() - age_seconds
        os.utime(part, (written_at, written_at))
    await SnapshotStore(pool, tmp_path).remove_redacted_files()
    assert (old.exists(), young.exists()) == (False, True)


async def test_a_directory_that_refuses_is_said_with_its_name(pool: Pool, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match="file"):
        await SnapshotStore(pool, tmp_path / "file").put(PAGE)
    assert await SnapshotStore(pool).describe(SHA256) is None


def test_a_crash_while_a_file_is_written_leaves_a_part_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = SnapshotDirectory(tmp_path / "snapshots")
    for place, name in ((os, "fsync"), (Path, "replace")):
        with monkeypatch.context() as patched:
            patched.setattr(place, name, suicide)
            killed(lambda: directory.write(SHA256, PAGE))
        assert not directory.holds(SHA256)
        [part] = (path for path in directory.path.iterdir() if path.name.startswith(".part-"))
        part.unlink()
    directory.write(SHA256, PAGE)
    assert directory.holds(SHA256)
